/* blank: words that stand for nothing become null. The second template of docs/adding-a-pipe.md: an operator, column by column. */
#include "base/error.h"
#include "plan/pipe.h"

typedef struct conf {
    sl_texts fields, words;
} conf;

/* ---- computing ---------------------------------------------------------------------------------------------------------- */

static bool says_nothing(const conf *c, sl_value v) {
    if (!sl_is_text(v)) return false;
    for (uint32_t i = 0; i < c->words.n; i++)
        if (sl_text_eq(sl_bytes(v), c->words.v[i])) return true;
    return v.n == 0;
}

/* Null in the place of the words, in one column. */
static sl_status clear(const conf *c, sl_batch *b, uint32_t column, sl_error *err) {
    const sl_value *seen = sl_column_read(b, column, err);
    sl_value *v = NULL;
    if (!seen) return sl_oom(err);
    for (uint32_t i = 0; i < b->nsel; i++) {
        uint32_t row = sl_batch_row(b, i);
        if (!says_nothing(c, seen[row])) continue;
        if (!v) seen = v = sl_column_values(b, column, err);
        if (!v) return sl_oom(err);
        v[row] = sl_null();
    }
    if (v) sl_batch_touched(b);
    return SL_OK;
}

static sl_status clear_named(const conf *c, sl_batch *b, sl_error *err) {
    for (uint32_t i = 0; i < c->fields.n; i++) {
        int column = sl_batch_find(b, c->fields.v[i], false);
        if (column >= 0) TRY(clear(c, b, (uint32_t)column, err));
    }
    return SL_OK;
}

static sl_status apply(const void *vconf, void *state, sl_batch *take, sl_out *out, sl_error *err) {
    (void)state;
    sl_status s = clear_named(vconf, take, err);
    if (s == SL_OK) return sl_emit(out, take, err);
    sl_batch_free(&take);
    return s;
}

/* ---- conf --------------------------------------------------------------------------------------------------------------- */

static const sl_option options[] = {
    {.name = "fields",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(conf, fields),
     .flags = SL_OPT_REQUIRED,
     .help = "names of the fields, one or a list"},
    {.name = "words",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(conf, words),
     .help = "what stands for nothing beside the empty text, such as n/a"},
    {0},
};

const sl_pipe sl_pipe_blank = {
    .name = "blank",
    .kind = SL_KIND_OPERATOR,
    .summary = "Makes words that stand for nothing null",
    .details = "A value is one of the words as a whole, spelled exactly so. Other values stay as they are.",
    .example = "itembuilder attrs.key=town attrs.value=n/a | blank town words=n/a",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "fields",
    .flags = SL_PIPE_HEADINGS,
    .apply = apply,
};
