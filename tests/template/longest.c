/* longest: the longest text of a field. The third template of docs/adding-a-pipe.md: a fold, in the workers and then in the coordinator. */
#include <stdlib.h>

#include "base/error.h"
#include "base/unicode.h"
#include "plan/pipe.h"
#include "record/builder.h"

typedef struct conf {
    sl_text field;
} conf;

typedef struct partial {
    const conf *conf;
    bool any;         /* there is a text */
    sl_buf text;      /* the longest so far */
    uint32_t length;  /* of it, in characters */
    uint64_t ordinal; /* of its item: of two texts of one length the first in the input counts */
} partial;

/* ---- in the workers ----------------------------------------------------------------------------------------------------- */

static sl_status open_partial(const void *vconf, const sl_env *env, void **out, sl_error *err) {
    partial *p = *out = calloc(1, sizeof *p);
    (void)env;
    if (!p) return sl_oom(err);
    p->conf = vconf;
    return SL_OK;
}

static sl_status consider(partial *p, sl_text text, uint32_t length, uint64_t ordinal, sl_error *err) {
    if (p->any && (length < p->length || (length == p->length && ordinal > p->ordinal))) return SL_OK;
    sl_buf_clear(&p->text);
    sl_buf_text(&p->text, text);
    p->any = true;
    p->length = length;
    p->ordinal = ordinal;
    return sl_buf_check(&p->text, err);
}

static sl_status add_rows(partial *p, sl_batch *b, uint64_t ordinal, sl_error *err) {
    int column = sl_batch_find(b, p->conf->field, false);
    if (column < 0) return SL_OK;
    const sl_value *v = sl_column_read(b, (uint32_t)column, err);
    if (!v) return sl_oom(err);
    for (uint32_t i = 0; i < b->nsel; i++) {
        sl_value text = v[sl_batch_row(b, i)];
        if (!sl_is_text(text)) continue;
        TRY(consider(p, sl_bytes(text), sl_utf8_length(sl_bytes(text)), ordinal + i, err));
    }
    return SL_OK;
}

static sl_status add(void *vpartial, sl_batch *take, uint64_t ordinal, sl_error *err) {
    sl_status s = add_rows(vpartial, take, ordinal, err);
    sl_batch_free(&take);
    return s;
}

static void close_partial(void *vpartial) {
    partial *p = vpartial;
    if (!p) return;
    sl_buf_free(&p->text);
    free(p);
}

/* ---- from a worker process, and back ------------------------------------------------------------------------------------ */

static sl_status save(void *vpartial, sl_buf *out, sl_error *err) {
    const partial *p = vpartial;
    sl_buf_u32(out, p->any);
    sl_buf_u32(out, p->length);
    sl_buf_u64(out, p->ordinal);
    sl_buf_add(out, p->text.data, p->text.len);
    return sl_buf_check(out, err);
}

static sl_status load(const void *vconf, const sl_env *env, const char *data, size_t n, void **out,
                      sl_error *err) {
    TRY(open_partial(vconf, env, out, err));
    partial *p = *out;
    sl_cursor c = {.at = data, .end = data + n};
    p->any = sl_cursor_u32(&c);
    p->length = sl_cursor_u32(&c);
    p->ordinal = sl_cursor_u64(&c);
    sl_buf_add(&p->text, c.at, (size_t)(c.end - c.at));
    return c.failed ? sl_fail(err, SL_E_INTERNAL, "a partial result came in part")
                    : sl_buf_check(&p->text, err);
}

/* ---- in the coordinator ------------------------------------------------------------------------------------------------- */

static sl_status merge(void *vinto, void *vfrom, sl_error *err) {
    const partial *from = vfrom;
    if (!from->any) return SL_OK;
    return consider(vinto, sl_text_n(from->text.data, from->text.len), from->length, from->ordinal, err);
}

static sl_status put_result(const partial *p, sl_builder *to, sl_error *err) {
    TRY(sl_builder_row(to, err));
    sl_text text = sl_arena_text(sl_builder_arena(to), sl_text_n(p->text.data, p->text.len));
    if (!text.s) return sl_oom(err);
    TRY(sl_builder_put(to, SL_TEXT("longest"), sl_text_value(text), err));
    return sl_builder_flush(to, err);
}

static sl_status finish(void *vpartial, sl_out *out, sl_error *err) {
    const partial *p = vpartial;
    if (!p->any) return SL_DONE;
    sl_builder *to = sl_builder_new(0, NULL, sl_emit_batch, out);
    sl_status s = to ? put_result(p, to, err) : sl_oom(err);
    sl_builder_free(&to);
    return s == SL_OK ? SL_DONE : s;
}

static const sl_fold fold = {
    .open = open_partial,
    .add = add,
    .save = save,
    .load = load,
    .merge = merge,
    .finish = finish,
    .close = close_partial,
};

/* ---- conf --------------------------------------------------------------------------------------------------------------- */

static const sl_option options[] = {
    {.name = "field",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, field),
     .fallback = "content",
     .help = "name of the field"},
    {0},
};

const sl_pipe sl_pipe_longest = {
    .name = "longest",
    .kind = SL_KIND_OPERATOR,
    .summary = "Gives the longest text of a field",
    .details =
        "Counted in characters; of several as long the first. Values that are no texts are passed over, and "
        "without a text there is no result.",
    .example = "itembuilder attrs.key=content attrs.value=hello | longest",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "field",
    .fold = &fold,
};
