/* Pipes that read no files: any conf is compiled or refused, any items give results or an error, and both are the same whether the items come in
 * one batch or each in its own. Texts that were UTF-8 give texts that are.
 *
 *     byte 0: the pipe   byte 1: dialect and call options   a line: the conf   the rest: an item, or a list of items
 *
 * With SLUICE_FUZZ_PIPE=NAME in the environment all of a search goes to that pipe. */
#include "base/unicode.h"
#include "engine/unit/processor.h"
#include "fuzz.h"
#include "plan/plan.h"
#include "record/builder.h"

static const char *const pipes[] = {
    "currencyformat", "datebuilder", "dateformat",    "hash",      "refind",   "regex",
    "rename",         "simplemath",  "slugify",       "strconcat", "strfind",  "strreplace",
    "strtransform",   "subelement",  "substr",        "tokenizer", "typecast", "urlbuilder",
    "urlparse",       "itembuilder", "rssitembuilder"};

enum {
    RIKO = 1,
    EMIT = 2,
    NO_EMIT = 4,
    FIRST = 8,
    ALL = 16,
    FIELD = 32,
    ASSIGN = 64,
    SKIP = 128,
    NOW = 1700000000
};

/* What came of some items. */
typedef struct outcome {
    sl_buf lines;
    sl_status status;
    sl_error err;
} outcome;

/* ---- looking at results ---------------------------------------------------------------------------------------------------- */

static void whole_text(sl_text t) {
    FUZZ_CHECK(sl_utf8_valid_prefix(t.n ? t.s : "", t.n) == t.n);
}

static void whole_value(sl_value v) {
    FUZZ_CHECK(!(v.type != SL_TIME && v.type != SL_MISSING && (v.flags & SL_RAW)));
    if (sl_is_text(v)) whole_text(sl_bytes(v));
    for (uint32_t i = 0; v.type == SL_LIST && i < v.n; i++) {
        FUZZ_CHECK(v.as.list[i].type != SL_MISSING);
        whole_value(v.as.list[i]);
    }
    for (uint32_t i = 0; v.type == SL_MAP && i < v.n; i++) {
        whole_text(v.as.map[i].key);
        whole_value(v.as.map[i].value);
    }
}

typedef struct collector {
    sl_out out; /* first: sl_out * is collector * */
    outcome *to;
} collector;

static sl_status collect(sl_out *out, sl_batch *take, sl_error *err) {
    outcome *o = ((collector *)(void *)out)->to;
    for (uint32_t i = 0; i < take->nsel; i++) {
        sl_value item;
        FUZZ_CHECK(sl_batch_item(take, sl_batch_row(take, i), &item, err) == SL_OK);
        whole_value(item);
        sl_json_write(take->bare && item.n ? item.as.map[0].value : item, &o->lines);
        sl_buf_byte(&o->lines, '\n');
    }
    sl_batch_free(&take);
    return SL_OK;
}

/* ---- running --------------------------------------------------------------------------------------------------------------- */

/* The step of one worker, as the engine makes it. */
typedef struct step {
    const sl_node *node;
    sl_processor *processor; /* NULL: works on whole batches */
    void *state;
    collector to;
} step;

static sl_status start_step(step *s, sl_error *err) {
    const sl_pipe *pipe = s->node->pipe;
    if (!pipe->apply || s->node->dynamic || s->node->emit == 0 || s->node->skip.n)
        return sl_processor_new(s->node, NULL, NULL, &s->processor, err);
    return pipe->start ? pipe->start(s->node->compiled, &s->state, err) : SL_OK;
}

static void stop_step(step *s) {
    if (s->state && s->node->pipe->stop) s->node->pipe->stop(s->state);
    sl_processor_free(&s->processor);
}

static sl_status run_batch(void *to, sl_batch *take, sl_error *err) {
    step *s = to;
    take->bare = false;
    if (s->processor) return sl_processor_run(s->processor, take, &s->to.out, err);
    return s->node->pipe->apply(s->node->compiled, s->state, take, &s->to.out, err);
}

static sl_status feed(step *s, const sl_value *items, uint32_t n, bool together, sl_error *err) {
    sl_builder *b = sl_builder_new(together ? 0 : 1, NULL, run_batch, s);
    FUZZ_CHECK(b);
    sl_status status = start_step(s, err);
    for (uint32_t i = 0; i < n && status == SL_OK; i++) status = sl_builder_add(b, items[i], err);
    if (status == SL_OK) status = sl_builder_flush(b, err);
    sl_builder_free(&b);
    stop_step(s);
    return status;
}

static outcome run(const sl_node *node, const sl_value *items, uint32_t n, bool together) {
    outcome o = {0};
    step s = {.node = node, .to = {{collect}, &o}};
    o.status = feed(&s, items, n, together, &o.err);
    fuzz_agree(o.status, &o.err);
    return o;
}

/* Of a run that fails the items before the failure depend on the batches. */
static void compare(const sl_node *node, sl_value items) {
    const sl_value *v = items.type == SL_LIST ? items.as.list : &items;
    uint32_t n = items.type == SL_LIST ? items.n : 1;
    outcome whole = run(node, v, n, true), apart = run(node, v, n, false);
    FUZZ_CHECK(whole.status == apart.status && strcmp(whole.err.text, apart.err.text) == 0);
    FUZZ_CHECK(whole.status ||
               (whole.lines.len == apart.lines.len &&
                (!whole.lines.len || memcmp(whole.lines.data, apart.lines.data, whole.lines.len) == 0)));
    sl_buf_free(&whole.lines);
    sl_buf_free(&apart.lines);
}

/* ---- the step ---------------------------------------------------------------------------------------------------------------- */

static void set_calls(sl_node *node, unsigned flags) {
    if (flags & (EMIT | NO_EMIT)) node->emit = (flags & EMIT) != 0;
    if (flags & (FIRST | ALL)) node->count = flags & FIRST ? 1 : 2;
    if (flags & FIELD) node->field = SL_TEXT("a.b");
    if (flags & ASSIGN) node->assign = SL_TEXT("a.c");
}

static sl_status set_skip(sl_plan *p, sl_error *err) {
    static const char rule[] = "{\"field\": \"content\", \"text\": \"a\"}";
    return sl_json_parse(rule, sizeof rule - 1, "skip", &p->arena, &p->tail->skip_if, err);
}

static sl_status make_plan(sl_plan *p, const char *pipe, unsigned flags, sl_text conf, sl_error *err) {
    const sl_env env = {.now = NOW, .workers = 1};
    sl_value map;
    TRY(sl_plan_set(p, SL_TEXT("dialect"), flags & RIKO ? SL_TEXT("riko") : SL_TEXT("native"), true, err));
    TRY(sl_json_parse(conf.s, conf.n, "conf", &p->arena, &map, err));
    TRY(sl_plan_add_value(p, sl_text_of(pipe), map, err));
    set_calls(p->tail, flags);
    if (flags & SKIP) TRY(set_skip(p, err));
    return sl_plan_prepare(p, &env, err);
}

static const char *choose_pipe(uint8_t byte) {
    const char *only = getenv("SLUICE_FUZZ_PIPE");
    return only ? only : pipes[byte % SL_COUNT(pipes)];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    const char *pipe = choose_pipe(fuzz_byte(&in));
    unsigned flags = fuzz_byte(&in);
    sl_text conf = fuzz_line(&in), rest = fuzz_rest(&in);
    sl_plan *p = sl_plan_new();
    sl_arena arena = {0};
    sl_value items;
    sl_error err = {0};
    FUZZ_CHECK(p);
    sl_status status = make_plan(p, pipe, flags, conf, &err);
    FUZZ_CHECK(status == err.code && status != SL_E_INTERNAL);
    if (!status && sl_json_parse(rest.s, rest.n, "items", &arena, &items, NULL) == SL_OK)
        compare(p->output->inputs[0].from, items);
    sl_arena_free(&arena);
    sl_plan_free(&p);
    return 0;
}
