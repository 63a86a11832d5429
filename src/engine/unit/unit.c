/* unit.c: what travels between the coordinator and the workers, and the same as bytes, for worker processes on this machine (native
 * endianness). */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "engine/unit/unit.h"
#include "record/pack.h"

void sl_task_free(sl_task **tp) {
    sl_task *t = *tp;
    if (!t) return;
    sl_batch_free(&t->batch);
    sl_input_unref(&t->unit.input);
    free(t);
    *tp = NULL;
}

void sl_outcome_strip(sl_outcome *o) {
    for (uint32_t i = 0; i < o->nbatches; i++) sl_batch_free(&o->batches[i]);
    for (uint32_t i = 0; o->frames && !o->block && i < o->nframes; i++) sl_buf_free(&o->frames[i]);
    if (o->partial) o->fold->close(o->partial);
    o->partial = NULL;
    o->nbatches = 0;
}

void sl_outcome_free(sl_outcome **op) {
    sl_outcome *o = *op;
    if (!o) return;
    sl_outcome_strip(o);
    sl_input_unref(&o->block);
    sl_buf_free(&o->said);
    sl_buf_free(&o->shown);
    free(o->batches);
    free(o->frames);
    free(o->counts);
    sl_failures_free(&o->failures);
    free(o);
    *op = NULL;
}

sl_outcome *sl_outcome_new(const sl_walk_plan *plan, uint32_t branch) {
    sl_outcome *o = calloc(1, sizeof *o);
    if (!o) return NULL;
    o->branch = branch;
    assert(branch < plan->nbranches);
    o->ncounts = plan->branches[branch].nsteps + 1;
    o->fold = plan->fold ? plan->fold->pipe->fold : NULL;
    o->nframes = plan->ntargets;
    o->counts = calloc(o->ncounts, sizeof *o->counts);
    o->frames = calloc(o->nframes + 1, sizeof *o->frames);
    if (!o->counts || !o->frames) sl_outcome_free(&o);
    return o;
}

/* ---- tasks as bytes -------------------------------------------------------------------------------------------------- */

static void put_text(sl_buf *b, sl_text t) {
    sl_buf_u32(b, t.n);
    sl_buf_text(b, t);
}

static sl_text get_text(sl_cursor *c) {
    uint32_t n = sl_cursor_u32(c);
    const char *s = sl_cursor_bytes(c, n);
    return (sl_text){s, s ? n : 0};
}

/* Packed blocks want 8-byte alignment in the frame. */
static void pad8(sl_buf *b) {
    while (b->len % 8) sl_buf_byte(b, 0);
}

enum { HAS_INPUT = 1, HAS_BATCH = 2 };

static sl_status damaged(sl_error *err) {
    return sl_fail(err, SL_E_INTERNAL, "a frame between worker processes is damaged");
}

sl_status sl_task_save(const sl_task *t, sl_buf *frame, sl_error *err) {
    const sl_unit *u = &t->unit;
    assert(!t->seal); /* of shared memory only */
    sl_buf_u32(frame, t->branch);
    sl_buf_u32(frame, (u->input ? HAS_INPUT : 0u) | (t->batch ? HAS_BATCH : 0u));
    sl_buf_u64(frame, u->offset);
    sl_buf_u64(frame, u->length);
    sl_buf_u64(frame, u->line);
    sl_buf_u64(frame, u->index);
    sl_buf_u64(frame, u->bytes);
    put_text(frame, sl_text_of(u->path));
    if (u->path) sl_buf_add(frame, &u->file, sizeof u->file);
    put_text(frame, sl_text_of(u->source));
    put_text(frame, u->note);
    if (u->input) sl_buf_add(frame, u->input->data + u->offset, u->length);
    pad8(frame);
    if (t->batch) TRY(sl_batch_pack(t->batch, frame, err));
    return sl_buf_check(frame, err);
}

/* T as the worker keeps it: *LAST when that is the same text. NULL-terminated; .s is NULL for an empty text. */
static sl_status intern(sl_names *names, sl_text t, sl_text *last, sl_text *out, sl_error *err) {
    *out = (sl_text){0};
    if (!t.n) return SL_OK;
    if (!sl_text_eq(*last, t)) {
        sl_text own = sl_arena_text(&names->arena, t);
        if (!own.s) return sl_oom(err);
        *last = own;
    }
    *out = *last;
    return SL_OK;
}

static sl_status load_names(sl_cursor *c, sl_names *names, sl_unit *u, sl_error *err) {
    sl_text path, source;
    TRY(intern(names, get_text(c), &names->path, &path, err));
    const char *file = path.s ? sl_cursor_bytes(c, sizeof u->file) : NULL;
    if (file) memcpy(&u->file, file, sizeof u->file);
    TRY(intern(names, get_text(c), &names->source, &source, err));
    TRY(intern(names, get_text(c), &names->note, &u->note, err));
    u->path = path.s;
    u->source = source.s;
    return SL_OK;
}

/* An input over the rest of a frame, copied out of it with padding behind. */
static sl_input *rest_of(sl_cursor *c, size_t n) {
    const char *bytes = sl_cursor_bytes(c, n);
    return bytes ? sl_input_copy(bytes, n) : NULL;
}

static void skip_padding(sl_cursor *c, const char *begin) {
    while ((c->at - begin) % 8 && c->at < c->end) c->at++;
}

sl_status sl_task_load(const char *data, size_t n, sl_names *names, sl_task **out, sl_error *err) {
    sl_cursor c = {.at = data, .end = data + n};
    sl_task *t = *out = calloc(1, sizeof *t);
    if (!t) return sl_oom(err);
    sl_unit *u = &t->unit;
    t->branch = sl_cursor_u32(&c);
    uint32_t has = sl_cursor_u32(&c);
    u->offset = sl_cursor_u64(&c);
    u->length = sl_cursor_u64(&c);
    u->line = sl_cursor_u64(&c);
    u->index = sl_cursor_u64(&c);
    u->bytes = sl_cursor_u64(&c);
    TRY(load_names(&c, names, u, err));
    if (c.failed) return damaged(err);
    if (has & HAS_INPUT) {
        u->input = rest_of(&c, u->length);
        u->offset = 0;
        if (!u->input) return sl_oom(err);
    }
    if (!(has & HAS_BATCH)) return SL_OK;
    skip_padding(&c, data);
    sl_input *in = rest_of(&c, (size_t)(c.end - c.at));
    if (!in) return sl_oom(err);
    size_t used;
    sl_status s = sl_batch_unpack(in, 0, in->len, &used, &t->batch, err);
    sl_input_unref(&in);
    return s;
}

/* ---- outcomes as bytes ------------------------------------------------------------------------------------------------------ */

static void save_block(const sl_buf *from, sl_buf *frame) {
    sl_buf_u64(frame, from->failed ? 0 : from->len);
    if (!from->failed) sl_buf_add(frame, from->data, from->len);
}

static bool load_block(sl_buf *into, sl_cursor *c) {
    uint64_t n = sl_cursor_u64(c);
    const char *bytes = sl_cursor_bytes(c, n);
    if (bytes) sl_buf_add(into, bytes, n);
    return bytes && !into->failed;
}

static sl_status save_partial(const sl_outcome *o, sl_buf *frame, sl_error *err) {
    size_t at = frame->len;
    sl_buf_u64(frame, 0);
    if (!o->partial) return SL_OK;
    TRY(o->fold->save(o->partial, frame, err));
    TRY(sl_buf_check(frame, err));
    uint64_t n = frame->len - at - 8;
    memcpy(frame->data + at, &n, sizeof n);
    return SL_OK;
}

sl_status sl_outcome_save(sl_outcome *o, sl_buf *frame, sl_error *err) {
    assert(!o->block && !o->saved.n); /* of the coordinator only */
    sl_buf_u32(frame, o->branch);
    sl_buf_u32(frame, o->enough);
    sl_buf_u64(frame, o->quarantined);
    sl_buf_u64(frame, o->bytes);
    save_block(&o->shown, frame);
    save_block(&o->said, frame);
    sl_failures_save(&o->failures, frame);
    sl_buf_u32(frame, o->nbatches);
    sl_buf_u32(frame, o->ncounts);
    sl_buf_add(frame, o->counts, o->ncounts * sizeof *o->counts);
    for (uint32_t i = 0; i < o->nframes; i++) {
        sl_buf_u64(frame, o->frames[i].len);
        sl_buf_add(frame, o->frames[i].data, o->frames[i].len);
    }
    TRY(save_partial(o, frame, err));
    for (uint32_t i = 0; i < o->nbatches; i++) {
        pad8(frame);
        TRY(sl_batch_pack(o->batches[i], frame, err));
    }
    return sl_buf_check(frame, err);
}

static void free_block(sl_input *in) {
    free(in->data);
    free(in);
}

/* An input that owns the malloc'ed DATA, with the padding every input has; frees it when memory is out. */
static sl_input *adopt(char *data, size_t n) {
    sl_input *in = calloc(1, sizeof *in);
    char *padded = in ? realloc(data, n + SL_PADDING) : NULL;
    if (!padded) {
        free(in);
        free(data);
        return NULL;
    }
    memset(padded + n, 0, SL_PADDING);
    in->data = padded;
    in->len = in->cap = n;
    in->release = free_block;
    atomic_init(&in->refs, 1);
    return in;
}

/* The frames stay where they are: a copy would be the coordinator's largest work. */
static sl_status load_frames(sl_outcome *o, sl_input *in, sl_cursor *c, sl_error *err) {
    o->block = sl_input_ref(in);
    for (uint32_t i = 0; i < o->nframes; i++) {
        uint64_t n = sl_cursor_u64(c);
        const char *bytes = sl_cursor_bytes(c, n);
        if (!bytes) return damaged(err);
        o->frames[i] = (sl_buf){.data = in->data + (bytes - in->data), .len = n};
    }
    return SL_OK;
}

/* The partial stays packed until its turn to be merged comes: so there is never more than one beside the merged one. */
static sl_status find_partial(sl_outcome *o, sl_cursor *c, sl_error *err) {
    uint64_t n = sl_cursor_u64(c);
    if (!n) return SL_OK;
    const char *bytes = sl_cursor_bytes(c, n);
    if (!bytes) return damaged(err);
    o->saved = (sl_text){bytes, (uint32_t)n}; /* a frame is at most 1 GiB */
    return SL_OK;
}

static sl_status load_batches(sl_outcome *o, sl_input *in, sl_cursor *c, uint32_t n, sl_error *err) {
    o->batches = calloc(n + 1, sizeof *o->batches);
    if (!o->batches) return sl_oom(err);
    for (; o->nbatches < n; o->nbatches++) {
        skip_padding(c, in->data);
        size_t at = (size_t)(c->at - in->data), used;
        TRY(sl_batch_unpack(in, at, in->len - at, &used, &o->batches[o->nbatches], err));
        c->at += used;
    }
    return SL_OK;
}

static sl_status load_counts(sl_outcome *o, sl_cursor *c, sl_error *err) {
    o->ncounts = sl_cursor_u32(c);
    const char *counts = sl_cursor_bytes(c, o->ncounts * sizeof *o->counts);
    if (!counts) return damaged(err);
    o->counts = calloc(o->ncounts + 1, sizeof *o->counts);
    if (!o->counts) return sl_oom(err);
    memcpy(o->counts, counts, o->ncounts * sizeof *o->counts);
    return SL_OK;
}

static sl_status load_outcome(const sl_walk_plan *plan, sl_input *in, sl_outcome *o, sl_error *err) {
    sl_cursor c = {.at = in->data, .end = in->data + in->len};
    o->branch = sl_cursor_u32(&c);
    o->enough = sl_cursor_u32(&c);
    o->quarantined = sl_cursor_u64(&c);
    o->bytes = sl_cursor_u64(&c);
    if (!load_block(&o->shown, &c) || !load_block(&o->said, &c) || !sl_failures_load(&o->failures, &c))
        return damaged(err);
    uint32_t nbatches = sl_cursor_u32(&c);
    o->nframes = plan->ntargets;
    o->frames = calloc(o->nframes + 1, sizeof *o->frames);
    if (!o->frames) return sl_oom(err);
    TRY(load_counts(o, &c, err));
    TRY(load_frames(o, in, &c, err));
    TRY(find_partial(o, &c, err));
    return load_batches(o, in, &c, nbatches, err);
}

sl_status sl_outcome_load(const sl_walk_plan *plan, char *data_take, size_t n, sl_outcome **out,
                          sl_error *err) {
    sl_input *in = adopt(data_take, n);
    sl_outcome *o = *out = calloc(1, sizeof *o);
    sl_status s = in && o ? load_outcome(plan, in, o, err) : sl_oom(err);
    sl_input_unref(&in);
    return s;
}
