/* sorter.c: sorts records by their keys, within a budget. Entries of 16 bytes are sorted instead of records: the first bytes of
 * the key settle most comparisons without a look at the record. Beyond the budget the entries in memory are written out as a
 * run (runs.c); where a limit is set a heap drops what cannot be among the first, so that a short answer needs no disk. */
#include "record/sorter/sorter.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/pages.h"
#include "record/sorter/internal.h"

enum { CHUNK = 1024 * 1024, MIN_BUDGET = 1024 * 1024, MAX_FANIN = 128, SMALL_SORT = 12, AHEAD = 8 };

typedef struct chunk {
    struct chunk *next;
    size_t size; /* in all */
    char data[];
} chunk;

struct sl_sorter {
    size_t budget, held; /* bytes of chunks and entries allowed, and held */
    uint64_t limit;
    const char *tmpdir;
    chunk *chunks;  /* newest first */
    char *at, *end; /* free part of the newest chunk */
    sl_entry *entries;
    size_t n, cap;
    size_t live;       /* bytes of records that entries still point to, while a heap drops others */
    bool heaped;       /* entries are a heap, the last in the order on top */
    bool sorted;       /* entries are in order */
    sl_run_file *file; /* that it writes to; NULL: nothing spilled yet */
    sl_run *runs;      /* in it, and in those of sorters it has absorbed */
    uint32_t nruns, cap_runs;
    uint64_t spilled, given;
    sl_log *log; /* NULL: nothing is told */
    const char *whose;
    sl_merge merge;
    bool merging;
    size_t next;
    const _Atomic bool *stopping;
};

/* ---- order -------------------------------------------------------------------------------------------------------- */

uint64_t sl_key_prefix(sl_text key) {
    unsigned char b[8] = {0};
    if (key.n) memcpy(b, key.s, key.n < 8 ? key.n : 8);
    uint64_t v = 0;
    for (int k = 0; k < 8; k++) v = v << 8 | b[k];
    return v;
}

int sl_record_order(uint64_t px, const sl_sort_record *x, uint64_t py, const sl_sort_record *y) {
    if (px != py) return px < py ? -1 : 1;
    int c = sl_text_cmp(x->key, y->key);
    if (c) return c;
    return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

sl_sort_record sl_entry_record(const sl_entry *e) {
    return (sl_sort_record){{e->bytes, e->key}, e->ordinal, {e->bytes + e->key, e->payload}};
}

static inline bool entry_before(const sl_entry *a, const sl_entry *b) {
    if (a->prefix != b->prefix) return a->prefix < b->prefix;
    int c = sl_text_cmp((sl_text){a->bytes, a->key}, (sl_text){b->bytes, b->key});
    return c ? c < 0 : a->ordinal < b->ordinal;
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

sl_sorter *sl_sorter_new(size_t budget, uint64_t limit, const char *tmpdir) {
    sl_sorter *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->budget = budget < MIN_BUDGET ? MIN_BUDGET : budget;
    s->limit = limit;
    s->tmpdir = tmpdir;
    s->heaped = limit != 0;
    return s;
}

void sl_sorter_stopping(sl_sorter *s, const _Atomic bool *stopping) {
    if (s) s->stopping = stopping;
}

void sl_sorter_log(sl_sorter *s, sl_log *log, const char *whose) {
    if (!s) return;
    s->log = log;
    s->whose = whose;
}

static void chunk_free(sl_sorter *s, chunk *c) {
    assert(s->held >= c->size);
    s->held -= c->size;
    sl_pages_free(c, c->size);
}

/* A new newest chunk of SIZE bytes in all. */
static bool chunk_new(sl_sorter *s, size_t size) {
    chunk *c = sl_pages_new(size);
    if (!c) return false;
    *c = (chunk){s->chunks, size};
    s->chunks = c;
    s->held += size;
    s->at = c->data;
    s->end = (char *)c + size;
    return true;
}

static void drop_entries(sl_sorter *s) {
    sl_pages_free(s->entries, s->cap * sizeof *s->entries);
    s->held -= s->cap * sizeof *s->entries;
    s->entries = NULL;
    s->n = s->cap = 0;
}

static void drop_chunks(sl_sorter *s) {
    while (s->chunks) {
        chunk *c = s->chunks;
        s->chunks = c->next;
        chunk_free(s, c);
    }
    s->at = s->end = NULL;
    s->live = 0;
}

void sl_sorter_free(sl_sorter **sp) {
    sl_sorter *s = *sp;
    if (!s) return;
    sl_merge_close(&s->merge);
    for (uint32_t k = 0; k < s->nruns; k++) sl_run_close(&s->runs[k]);
    sl_run_file_let_go(&s->file);
    drop_chunks(s);
    drop_entries(s);
    assert(!s->held); /* all that it counted */
    free(s->runs);
    free(s);
    *sp = NULL;
}

static char *take_bytes(sl_sorter *s, size_t size) {
    if (size > (size_t)(s->end - s->at) || !s->at) {
        size_t usual = s->budget < 8 * (size_t)CHUNK ? CHUNK / 8 : CHUNK, least = sizeof(chunk) + size;
        if (!chunk_new(s, least > usual ? least : usual)) return NULL;
    }
    char *p = s->at;
    s->at += size;
    return p;
}

static sl_status reserve_entries(sl_sorter *s, size_t need, sl_error *err) {
    if (need <= s->cap) return SL_OK;
    size_t cap = s->cap ? s->cap : 1024;
    while (cap < need) cap *= 2;
    sl_entry *larger = sl_pages_new(cap * sizeof *larger);
    if (!larger) return sl_oom(err);
    if (s->n) memcpy(larger, s->entries, s->n * sizeof *larger);
    sl_pages_free(s->entries, s->cap * sizeof *larger);
    s->held += (cap - s->cap) * sizeof *larger;
    s->entries = larger;
    s->cap = cap;
    return SL_OK;
}

/* ---- the bounded heap --------------------------------------------------------------------------------------------- */

static void sift_down(sl_entry *e, size_t n, size_t at) {
    sl_entry moving = e[at];
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && entry_before(&e[child], &e[child + 1])) child++;
        if (!entry_before(&moving, &e[child])) break;
        e[at] = e[child];
    }
    e[at] = moving;
}

/* Until LIMIT records are there, entries are in no order; then a heap. */
static void heapify(sl_sorter *s) {
    for (size_t k = s->n / 2; k-- > 0;) sift_down(s->entries, s->n, k);
}

bool sl_sorter_rejects(const sl_sorter *s, sl_text key, uint64_t ordinal) {
    if (!s->heaped || s->n < s->limit) return false;
    sl_entry e = {sl_key_prefix(key), ordinal, key.s, key.n, 0};
    return !entry_before(&e, &s->entries[0]);
}

/* Copies the records that are left into fresh chunks, when most of the held bytes belong to dropped ones. */
static sl_status compact(sl_sorter *s, sl_error *err) {
    chunk *old = s->chunks;
    s->chunks = NULL;
    s->at = s->end = NULL;
    sl_status status = SL_OK;
    for (size_t k = 0; k < s->n && !status; k++) {
        size_t size = (size_t)s->entries[k].key + s->entries[k].payload;
        char *p = take_bytes(s, size);
        if (!p) {
            status = sl_oom(err);
            break;
        }
        if (size) memcpy(p, s->entries[k].bytes, size);
        s->entries[k].bytes = p;
    }
    while (old) {
        chunk *c = old;
        old = c->next;
        chunk_free(s, c);
    }
    return status;
}

/* ---- sorting ------------------------------------------------------------------------------------------------------ */

static void insertion_sort(sl_entry *e, size_t n) {
    for (size_t k = 1; k < n; k++) {
        sl_entry moving = e[k];
        size_t at = k;
        for (; at > 0 && entry_before(&moving, &e[at - 1]); at--) e[at] = e[at - 1];
        e[at] = moving;
    }
}

static void merge_halves(sl_entry *e, size_t half, size_t n, sl_entry *spare) {
    memcpy(spare, e, half * sizeof *e);
    size_t a = 0, b = half, to = 0;
    while (a < half && b < n) e[to++] = entry_before(&e[b], &spare[a]) ? e[b++] : spare[a++];
    memcpy(e + to, spare + a, (half - a) * sizeof *e);
}

/* Merge sort with room for half the entries; input that is already in order costs one comparison a level. */
static void merge_sort(sl_entry *e, size_t n, sl_entry *spare) {
    if (n <= SMALL_SORT) {
        insertion_sort(e, n);
        return;
    }
    size_t half = n / 2;
    merge_sort(e, half, spare);
    merge_sort(e + half, n - half, spare);
    if (entry_before(&e[half], &e[half - 1])) merge_halves(e, half, n, spare);
}

static inline bool in_order(const sl_entry *e, size_t n) {
    for (size_t k = 1; k < n; k++)
        if (entry_before(&e[k], &e[k - 1])) return false;
    return true;
}

static sl_status sort_entries(sl_sorter *s, sl_error *err) {
    if (s->sorted) return SL_OK;
    size_t size = (s->n / 2 + 1) * sizeof(sl_entry);
    sl_entry *spare = sl_pages_new(size);
    if (!spare) return sl_oom(err);
    merge_sort(s->entries, s->n, spare);
    sl_pages_free(spare, size);
    s->sorted = true;
    assert(in_order(s->entries, s->n));
    if (s->limit && s->n > s->limit) s->n = (size_t)s->limit;
    return SL_OK;
}

static void tell_spilled(const sl_sorter *s, const sl_run *run) {
    char size[SL_SIZE_TEXT], budget[SL_SIZE_TEXT];
    SL_TRACE(s->log, spill, "%s: run %u, %zu records, %s; %s allowed", s->whose, (unsigned)s->nruns + 1, s->n,
             sl_size_text(run->size, size), sl_size_text(s->budget, budget));
}

/* Everything in memory becomes a run. From here on a limit is kept per run and at the end, no longer by a heap. */
static sl_status spill(sl_sorter *s, sl_error *err) {
    TRY(sort_entries(s, err));
    if (!SL_ROOM(s->runs, s->cap_runs, s->nruns + 1)) return sl_oom(err);
    TRY(sl_run_file_need(&s->file, s->tmpdir, err));
    TRY(sl_run_write(&s->runs[s->nruns], s->entries, s->n, s->file, err));
    tell_spilled(s, &s->runs[s->nruns]);
    s->spilled += s->runs[s->nruns++].size;
    drop_chunks(s);
    drop_entries(s);
    s->sorted = s->heaped = false;
    return SL_OK;
}

/* ---- adding ------------------------------------------------------------------------------------------------------- */

static sl_status make_room(sl_sorter *s, size_t size, sl_error *err) {
    bool more_entries = s->n == s->cap && !(s->heaped && s->n == s->limit);
    size_t need =
        (size > (size_t)(s->end - s->at) ? size : 0) + (more_entries ? s->cap * sizeof(sl_entry) : 0);
    if (s->held + need <= s->budget || !s->n) return SL_OK;
    if (s->heaped && s->live < s->held / 4) {
        TRY(compact(s, err));
        if (s->held + need <= s->budget) return SL_OK;
    }
    return spill(s, err);
}

static void replace_last(sl_sorter *s, sl_entry e) {
    assert(s->n && s->n == s->limit && !entry_before(&s->entries[0], &e));
    s->live -= (size_t)s->entries[0].key + s->entries[0].payload;
    s->entries[0] = e;
    sift_down(s->entries, s->n, 0);
}

sl_status sl_sorter_add(sl_sorter *s, sl_sort_record r, sl_error *err) {
    assert(!s->merging && !s->given); /* reading has not begun */
    if (sl_sorter_rejects(s, r.key, r.ordinal)) return SL_OK;
    size_t size = (size_t)r.key.n + r.payload.n;
    TRY(make_room(s, size, err));
    bool full = s->heaped && s->n == s->limit;
    if (!full) TRY(reserve_entries(s, s->n + 1, err));
    char *p = take_bytes(s, size);
    if (!p) return sl_oom(err);
    if (r.key.n) memcpy(p, r.key.s, r.key.n);
    if (r.payload.n) memcpy(p + r.key.n, r.payload.s, r.payload.n);
    sl_entry e = {sl_key_prefix(r.key), r.ordinal, p, r.key.n, r.payload.n};
    s->live += size;
    s->sorted = false;
    if (full) {
        replace_last(s, e);
        return SL_OK;
    }
    assert(s->n < s->cap);
    s->entries[s->n++] = e;
    if (s->heaped && s->n == s->limit) heapify(s);
    return SL_OK;
}

/* ---- joining sorters ---------------------------------------------------------------------------------------------- */

static sl_status take_runs(sl_sorter *s, sl_sorter *from, sl_error *err) {
    if (!SL_ROOM(s->runs, s->cap_runs, s->nruns + from->nruns)) return sl_oom(err);
    for (uint32_t k = 0; k < from->nruns; k++) s->runs[s->nruns++] = from->runs[k];
    s->spilled += from->spilled;
    from->nruns = 0;
    from->spilled = 0;
    if (s->nruns) s->heaped = false;
    return SL_OK;
}

static void take_chunks(sl_sorter *s, sl_sorter *from) {
    if (!from->chunks) return;
    chunk *last = from->chunks;
    size_t size = last->size;
    while (last->next) {
        last = last->next;
        size += last->size;
    }
    last->next = s->chunks ? s->chunks->next : NULL;
    if (s->chunks)
        s->chunks->next = from->chunks; /* the newest one of S stays in front */
    else {
        s->chunks = from->chunks;
        s->at = from->at;
        s->end = from->end;
    }
    s->held += size;
    s->live += from->live;
    from->held -= size;
    from->chunks = NULL;
    from->at = from->end = NULL;
    from->live = 0;
}

/* Parts in order stay in order within the whole, which costs the sort that follows little more than one merge of them. */
static sl_status take_entries(sl_sorter *s, sl_sorter *from, sl_error *err) {
    TRY(reserve_entries(s, s->n + from->n, err));
    memcpy(s->entries + s->n, from->entries, from->n * sizeof *from->entries);
    s->sorted = from->sorted && !s->n;
    s->n += from->n;
    take_chunks(s, from);
    drop_entries(from);
    return SL_OK;
}

sl_status sl_sorter_absorb(sl_sorter *s, sl_sorter *from, sl_error *err) {
    assert(s != from && !s->given && !from->given);
    TRY(take_runs(s, from, err));
    if (s->n && s->held + from->held > s->budget) TRY(spill(s, err));
    if (!from->n) return SL_OK;
    s->heaped = false;
    return take_entries(s, from, err);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* Many runs are first merged into fewer, oldest first, so that the last merge has an open buffer for each. */
static sl_status reduce_runs(sl_sorter *s, sl_error *err) {
    while (s->nruns > MAX_FANIN) {
        sl_run merged;
        TRY(sl_run_file_need(&s->file, s->tmpdir, err));
        TRY(sl_runs_merge(s->runs, MAX_FANIN, s->limit, s->file, &merged, s->budget / 4, s->stopping, err));
        for (uint32_t k = 0; k < MAX_FANIN; k++) sl_run_close(&s->runs[k]);
        SL_TRACE(s->log, spill, "%s: %d of %u runs are merged into one", s->whose, (int)MAX_FANIN,
                 (unsigned)s->nruns);
        s->nruns -= MAX_FANIN;
        memmove(s->runs, s->runs + MAX_FANIN, s->nruns * sizeof *s->runs);
        s->runs[s->nruns++] = merged;
        s->spilled += merged.size;
    }
    return SL_OK;
}

sl_status sl_sorter_sort(sl_sorter *s, sl_error *err) {
    s->heaped = false;
    return sort_entries(s, err);
}

static sl_status next_merged(sl_sorter *s, sl_sort_record *out, sl_error *err) {
    assert(s->sorted || !s->n);
    if (!s->merging) {
        TRY(reduce_runs(s, err));
        s->merging = true;
        TRY(sl_merge_open(&s->merge, s->runs, s->nruns, s->entries, s->n, s->budget / 4, err));
    }
    return sl_merge_next(&s->merge, out, err);
}

/* Records lie where they were added, far from those next in order: they are fetched ahead. */
static void prefetch(const sl_sorter *s) {
    if (s->next + AHEAD >= s->n) return;
    const char *p = s->entries[s->next + AHEAD].bytes;
    for (int line = 0; line < 4; line++) __builtin_prefetch(p + 64 * line);
}

sl_status sl_sorter_next(sl_sorter *s, sl_sort_record *out, sl_error *err) {
    if (s->limit && s->given == s->limit) return SL_DONE;
    TRY(sl_sorter_sort(s, err));
    if (s->nruns) {
        TRY(next_merged(s, out, err));
    } else {
        if (s->next == s->n) return SL_DONE;
        prefetch(s);
        *out = sl_entry_record(&s->entries[s->next++]);
    }
    s->given++;
    return SL_OK;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------- */

sl_status sl_sorter_save(sl_sorter *s, sl_buf *out, sl_error *err) {
    char header[SL_RECORD_HEADER];
    sl_sort_record r;
    sl_status status;
    while ((status = sl_sorter_next(s, &r, err)) == SL_OK) {
        sl_record_header(&r, header);
        sl_buf_add(out, header, sizeof header);
        sl_buf_text(out, r.key);
        sl_buf_text(out, r.payload);
    }
    return status == SL_DONE ? sl_buf_check(out, err) : status;
}

/* The record at P as an entry; its size, or 0 when less than that is left. */
static size_t load_entry(sl_entry *e, const char *p, size_t left) {
    if (left < SL_RECORD_HEADER) return 0;
    *e = (sl_entry){.bytes = p + SL_RECORD_HEADER};
    memcpy(&e->key, p, 4);
    memcpy(&e->payload, p + 4, 4);
    memcpy(&e->ordinal, p + 8, 8);
    size_t size = SL_RECORD_HEADER + (size_t)e->key + e->payload;
    if (size > left) return 0;
    e->prefix = sl_key_prefix((sl_text){e->bytes, e->key});
    return size;
}

sl_status sl_sorter_load(sl_sorter *s, const char *data, size_t n, sl_error *err) {
    if (s->n || s->nruns) return sl_fail(err, SL_E_INTERNAL, "saved records go into an empty sorter only");
    if (!n) return SL_OK;
    if (!chunk_new(s, sizeof(chunk) + n)) return sl_oom(err);
    memcpy(s->at, data, n);
    while (s->at < s->end) {
        TRY(reserve_entries(s, s->n + 1, err));
        size_t size = load_entry(&s->entries[s->n], s->at, (size_t)(s->end - s->at));
        if (!size) return sl_fail(err, SL_E_INTERNAL, "saved records are damaged");
        s->at += size;
        s->n++;
    }
    s->live = n;
    s->heaped = false;
    s->sorted = true;
    return SL_OK;
}

uint64_t sl_sorter_spilled(const sl_sorter *s) {
    return s->spilled;
}
