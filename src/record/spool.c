/* spool.c: a stream kept for several readers. Batches are packed as soon as they come, because a packed batch is one block of
 * bytes: it has a known size to hold against the budget, and goes to the file as it is. */
#include "record/spool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "base/tempfile.h"
#include "record/pack.h"

typedef struct block {
    sl_input *memory; /* or NULL: in the file */
    uint64_t offset;
    size_t n;
} block;

struct sl_spool {
    block *blocks;
    uint32_t n, cap;
    size_t budget, held;
    const char *tmpdir;
    int fd; /* -1: nothing spilled yet */
    uint64_t end;
    sl_log *log; /* NULL: nothing is told */
    const char *whose;
};

sl_spool *sl_spool_new(size_t budget, const char *tmpdir) {
    sl_spool *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    *s = (sl_spool){.budget = budget, .tmpdir = tmpdir, .fd = -1};
    return s;
}

void sl_spool_log(sl_spool *s, sl_log *log, const char *whose) {
    if (!s) return;
    s->log = log;
    s->whose = whose;
}

void sl_spool_free(sl_spool **sp) {
    sl_spool *s = *sp;
    if (!s) return;
    for (uint32_t i = 0; i < s->n; i++) sl_input_unref(&s->blocks[i].memory);
    free(s->blocks);
    if (s->fd >= 0) close(s->fd);
    free(s);
    *sp = NULL;
}

static void tell_spilled(const sl_spool *s) {
    char budget[SL_SIZE_TEXT];
    SL_TRACE(s->log, spill, "%s: from batch %u on to a file; %s allowed", s->whose, s->n + 1,
             sl_size_text(s->budget, budget));
}

static sl_status spill(sl_spool *s, block *b, const sl_buf *packed, sl_error *err) {
    if (s->fd < 0) {
        tell_spilled(s);
        TRY(sl_tempfile_open(s->tmpdir, &s->fd, err));
    }
    TRY(sl_tempfile_write(s->fd, packed->data, packed->len, s->end, err));
    b->offset = s->end;
    s->end += packed->len;
    return SL_OK;
}

static sl_status store(sl_spool *s, const sl_buf *packed, sl_error *err) {
    if (!SL_ROOM(s->blocks, s->cap, s->n + 1)) return sl_oom(err);
    block *b = &s->blocks[s->n];
    *b = (block){.n = packed->len};
    if (s->held + packed->len > s->budget) {
        TRY(spill(s, b, packed, err));
    } else {
        b->memory = sl_input_copy(packed->data, packed->len);
        if (!b->memory) return sl_oom(err);
        s->held += packed->len;
    }
    s->n++;
    return SL_OK;
}

sl_status sl_spool_add(sl_spool *s, sl_batch *b, sl_error *err) {
    sl_buf packed = {0};
    sl_status status = sl_batch_pack(b, &packed, err);
    if (status == SL_OK) status = sl_buf_check(&packed, err);
    if (status == SL_OK) status = store(s, &packed, err);
    sl_buf_free(&packed);
    return status;
}

uint32_t sl_spool_count(const sl_spool *s) {
    return s->n;
}

/* Readers of one block must not share a backing: each gets bytes of its own. */
sl_status sl_spool_get(sl_spool *s, uint32_t i, sl_batch **out, sl_error *err) {
    assert(i < s->n && s->blocks[i].n); /* not dropped */
    const block *b = &s->blocks[i];
    size_t used;
    sl_input *in = b->memory ? sl_input_ref(b->memory) : sl_input_new(b->n);
    if (!in) return sl_oom(err);
    sl_status status = SL_OK;
    if (!b->memory) {
        status = sl_tempfile_read(s->fd, in->data, b->n, b->offset, err);
        in->len = b->n;
    }
    if (status == SL_OK) status = sl_batch_unpack(in, 0, b->n, &used, out, err);
    sl_input_unref(&in);
    return status;
}

void sl_spool_drop(sl_spool *s, uint32_t i) {
    assert(i < s->n);
    block *b = &s->blocks[i];
    assert(!b->memory || s->held >= b->n);
    if (b->memory) s->held -= b->n;
    sl_input_unref(&b->memory);
    b->n = 0;
}
