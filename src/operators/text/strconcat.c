/* strconcat: one text out of parts. */
#include "base/error.h"
#include "plan/pipe.h"

typedef struct conf {
    sl_value part;
} conf;

static sl_status append(sl_value part, sl_arena *arena, sl_text *texts, uint64_t *total, sl_error *err) {
    *texts = (sl_text){0};
    if (sl_truthy(part)) TRY(sl_to_text(part, "", arena, texts, err));
    *total += texts->n;
    return SL_OK;
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_arena *arena = sl_results_arena(results);
    bool many = c->part.type == SL_LIST;
    const sl_value *parts = many ? c->part.as.list : &c->part;
    uint32_t n = many ? c->part.n : 1;
    uint64_t total = 0;
    (void)state, (void)field, (void)item;
    sl_text *texts = sl_arena_alloc(arena, n * sizeof *texts);
    if (!texts) return sl_oom(err);
    for (uint32_t i = 0; i < n; i++) TRY(append(parts[i], arena, &texts[i], &total, err));
    if (total > UINT32_MAX) return sl_fail(err, SL_E_MEMORY, "the text is longer than 4 GiB");
    char *bytes = sl_arena_alloc(arena, total), *at = bytes;
    if (!bytes) return sl_oom(err);
    for (uint32_t i = 0; i < n; i++) {
        if (texts[i].n) memcpy(at, texts[i].s, texts[i].n);
        at += texts[i].n;
    }
    return sl_result(results, sl_text_value(sl_text_n(bytes, total)), err);
}

static const sl_option options[] = {
    {.name = "part",
     .type = SL_OPT_VALUE,
     .offset = offsetof(conf, part),
     .flags = SL_OPT_REQUIRED,
     .help = "a part or a list of parts; {\"subkey\": FIELD} is a field's value"},
    {0},
};

const sl_pipe sl_pipe_strconcat = {
    .name = "strconcat",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Joins parts into one text",
    .details = "Parts are texts, or fields of the item. Parts that are null, empty, zero or false are left "
               "out; others are joined in their text form.",
    .example = "itembuilder attrs.key=a attrs.value=x | strconcat part.0=pre- part.1.subkey=a @assign=joined",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "part",
    .flags = SL_PIPE_NO_FIELD,
    .cast = SL_CAST_PASS,
    .each = each,
};
