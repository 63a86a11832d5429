/* file.c: a join's table on disk. Rows lie in the order of adding, and only a sparse index of their hashes is in memory, so
 * memory hardly grows with the table; a look-up costs one read of the index and one a row. */
#include "operators/join/file.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/tempfile.h"
#include "record/pack.h"
#include "record/sorter/sorter.h"

enum { BLOCK = 128, PIECE = 1 << 18, SHORT_KEY = 256 };

/* Where a row is: its key, then the row, packed. */
typedef struct entry {
    uint64_t hash, at;
    uint32_t nkey, n;
} entry;

struct sl_join_file {
    int rows, index;   /* -1: not open */
    uint64_t end;      /* of the rows written */
    sl_buf piece;      /* what is to be written next, of rows, then of the index */
    sl_sorter *hashes; /* until sealed: entries by hash */
    uint64_t n;
    uint64_t *first; /* hash of the first entry of each block */
};

sl_status sl_join_file_new(size_t budget, const char *tmpdir, sl_join_file **out, sl_error *err) {
    sl_join_file *f = *out = calloc(1, sizeof *f);
    if (!f) return sl_oom(err);
    f->rows = f->index = -1;
    f->hashes = sl_sorter_new(budget, 0, tmpdir);
    if (!f->hashes) return sl_oom(err);
    TRY(sl_tempfile_open(tmpdir, &f->rows, err));
    return sl_tempfile_open(tmpdir, &f->index, err);
}

void sl_join_file_free(sl_join_file **fp) {
    sl_join_file *f = *fp;
    if (!f) return;
    if (f->rows >= 0) close(f->rows);
    if (f->index >= 0) close(f->index);
    sl_sorter_free(&f->hashes);
    sl_buf_free(&f->piece);
    free(f->first);
    free(f);
    *fp = NULL;
}

/* ---- adding ---------------------------------------------------------------------------------------------------------- */

static sl_status flush(sl_join_file *f, int fd, uint64_t *end, sl_error *err) {
    TRY(sl_buf_check(&f->piece, err));
    TRY(sl_tempfile_write(fd, f->piece.data, f->piece.len, *end, err));
    *end += f->piece.len;
    sl_buf_clear(&f->piece);
    return SL_OK;
}

/* Hashes sort by their bytes, the highest first. */
static void hash_key(uint64_t hash, char key[8]) {
    for (int i = 0; i < 8; i++) key[i] = (char)(unsigned char)(hash >> (56 - 8 * i));
}

sl_status sl_join_file_add(sl_join_file *f, uint64_t hash, sl_text key, sl_text row, sl_error *err) {
    assert(!f->first); /* not sealed */
    entry e = {hash, f->end + f->piece.len, key.n, row.n};
    char bytes[8];
    sl_buf_text(&f->piece, key);
    sl_buf_text(&f->piece, row);
    if (f->piece.len >= PIECE) TRY(flush(f, f->rows, &f->end, err));
    hash_key(hash, bytes);
    return sl_sorter_add(f->hashes, (sl_sort_record){{bytes, 8}, f->n++, {(const char *)&e, sizeof e}}, err);
}

static sl_status write_index(sl_join_file *f, sl_error *err) {
    sl_sort_record r;
    sl_status s;
    uint64_t end = 0;
    for (uint64_t i = 0; (s = sl_sorter_next(f->hashes, &r, err)) == SL_OK; i++) {
        if (i % BLOCK == 0) memcpy(&f->first[i / BLOCK], r.payload.s, sizeof *f->first);
        sl_buf_text(&f->piece, r.payload);
        if (f->piece.len >= PIECE) TRY(flush(f, f->index, &end, err));
    }
    return s == SL_DONE ? flush(f, f->index, &end, err) : s;
}

sl_status sl_join_file_seal(sl_join_file *f, sl_error *err) {
    TRY(flush(f, f->rows, &f->end, err));
    f->first = calloc(f->n / BLOCK + 1, sizeof *f->first);
    if (!f->first) return sl_oom(err);
    TRY(sl_sorter_sort(f->hashes, err));
    TRY(write_index(f, err));
    sl_sorter_free(&f->hashes);
    sl_buf_free(&f->piece);
    return SL_OK;
}

/* ---- searching ------------------------------------------------------------------------------------------------------- */

/* The number of the block in which entries of HASH begin, if there are any. */
static uint64_t block_of(const sl_join_file *f, uint64_t hash) {
    uint64_t from = 0, to = (f->n + BLOCK - 1) /
                            BLOCK; /* blocks before FROM begin with less than HASH, those from TO on do not */
    while (from < to) {
        uint64_t middle = from + (to - from) / 2;
        if (f->first[middle] < hash)
            from = middle + 1;
        else
            to = middle;
    }
    return from ? from - 1 : 0;
}

static sl_status read_block(const sl_join_file *f, uint64_t i, entry block[BLOCK], sl_error *err) {
    assert(i < f->n);
    uint64_t from = i - i % BLOCK, n = f->n - from < BLOCK ? f->n - from : BLOCK;
    return sl_tempfile_read(f->index, block, n * sizeof(entry), from * sizeof(entry), err);
}

static sl_status key_matches(const sl_join_file *f, const entry *e, sl_text key, bool *same, sl_error *err) {
    char shorter[SHORT_KEY], *bytes = shorter;
    *same = e->nkey == key.n;
    if (!*same || !key.n) return SL_OK;
    if (key.n > SHORT_KEY) bytes = malloc(key.n);
    if (!bytes) return sl_oom(err);
    sl_status s = sl_tempfile_read(f->rows, bytes, key.n, e->at, err);
    *same = s == SL_OK && memcmp(bytes, key.s, key.n) == 0;
    if (bytes != shorter) free(bytes);
    return s;
}

static sl_status read_row(const sl_join_file *f, const entry *e, sl_batch **out, sl_error *err) {
    sl_input *in = sl_input_new(e->n);
    size_t used;
    if (!in) return sl_oom(err);
    in->len = e->n;
    sl_status s = sl_tempfile_read(f->rows, in->data, e->n, e->at + e->nkey, err);
    if (s == SL_OK) s = sl_batch_unpack(in, 0, e->n, &used, out, err);
    sl_input_unref(&in);
    return s;
}

sl_status sl_join_file_match(const sl_join_file *f, uint64_t hash, sl_text key, size_t *at, sl_batch **out,
                             sl_error *err) {
    entry block[BLOCK];
    uint64_t begin = *at ? *at : block_of(f, hash) * BLOCK;
    for (uint64_t i = begin; i < f->n; i++) {
        if (i == begin || i % BLOCK == 0) TRY(read_block(f, i, block, err));
        const entry *e = &block[i % BLOCK];
        if (e->hash > hash) break;
        bool same = e->hash == hash;
        if (same) TRY(key_matches(f, e, key, &same, err));
        if (!same) continue;
        *at = (size_t)i + 1;
        return read_row(f, e, out, err);
    }
    return SL_DONE;
}
