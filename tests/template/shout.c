/* shout: a text in capitals, with marks behind it. The template of docs/adding-a-pipe.md: a processor, item by item. */
#include "base/error.h"
#include "operators/text/text.h"
#include "plan/pipe.h"

typedef enum silence { PASS, FAIL } silence;

typedef struct conf {
    sl_text mark;
    int64_t times;
    int silence;
    sl_text tail; /* prepared: `mark`, `times` times */
} conf;

/* ---- computing ---------------------------------------------------------------------------------------------------------- */

static sl_status join(sl_text words, sl_text tail, sl_arena *arena, sl_text *out, sl_error *err) {
    uint64_t n = (uint64_t)words.n + tail.n;
    if (n > UINT32_MAX) return sl_fail(err, SL_E_MEMORY, "the text is longer than 4 GiB");
    char *bytes = sl_arena_alloc(arena, n);
    if (!bytes) return sl_oom(err);
    if (words.n) memcpy(bytes, words.s, words.n);
    memcpy(bytes + words.n, tail.s, tail.n);
    *out = sl_text_n(bytes, n);
    return SL_OK;
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    sl_arena *arena = sl_results_arena(results);
    sl_text words = sl_bytes(field);
    (void)state, (void)item;
    if (!words.n && c->silence == FAIL)
        return sl_fail(err, SL_E_DATA,
                       "there is nothing to shout: the text is empty; 'silence' pass lets it through");
    TRY(sl_case_map(words, SL_UPPER, arena, &words, err));
    TRY(join(words, c->tail, arena, &words, err));
    return sl_result(results, sl_text_value(words), err);
}

/* ---- conf --------------------------------------------------------------------------------------------------------------- */

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    if (!c->mark.n) return sl_fail(err, SL_E_PLAN, "'mark' is empty: give the text to end with, such as !");
    c->tail = SL_TEXT("");
    for (int64_t i = 0; i < c->times; i++) TRY(join(c->tail, c->mark, info->arena, &c->tail, err));
    return SL_OK;
}

static const char *const silence_names[] = {"pass", "fail", NULL};

static const sl_option options[] = {
    {.name = "mark",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, mark),
     .fallback = "!",
     .help = "what stands behind the text"},
    {.name = "times",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, times),
     .fallback = "1",
     .min = 1,
     .max = 10,
     .unit = "marks",
     .help = "how often it stands there"},
    {.name = "silence",
     .type = SL_OPT_ENUM,
     .offset = offsetof(conf, silence),
     .fallback = "pass",
     .names = silence_names,
     .help = "what becomes of an empty text: pass gives the marks alone, fail ends the run"},
    {0},
};

const sl_pipe sl_pipe_shout = {
    .name = "shout",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Writes a text in capitals, with marks behind it",
    .details =
        "Capitals follow Unicode, so that one letter may become two. A field that is absent is an empty "
        "text.",
    .example = "itembuilder attrs.key=content attrs.value='straße' | shout times=2",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "mark",
    .field = "content",
    .cast = SL_CAST_TEXT,
    .prepare = prepare,
    .each = each,
};
