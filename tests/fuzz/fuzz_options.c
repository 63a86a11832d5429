/* Options: a conf of any JSON by a table that has every type; what is accepted lies within the table's limits. */
#include "fuzz.h"
#include "options/option.h"
#include "plan/plan.h"

typedef struct rule {
    sl_text field;
    int op;
    sl_value value;
} rule;

typedef struct conf {
    sl_text text, path;
    bool flag;
    int64_t number, small;
    uint64_t size;
    double seconds;
    int choice;
    char letter;
    sl_texts texts;
    sl_value any;
    sl_rules rules;
} conf;

static const char *const ops[] = {"is", "contains", "greater", NULL};

static const sl_option rule_options[] = {
    {.name = "field", .type = SL_OPT_PATH, .offset = offsetof(rule, field), .flags = SL_OPT_REQUIRED},
    {.name = "op", .type = SL_OPT_ENUM, .offset = offsetof(rule, op), .fallback = "is", .names = ops},
    {.name = "value", .type = SL_OPT_VALUE, .offset = offsetof(rule, value)},
    {.name = NULL},
};

static const sl_option options[] = {
    {.name = "text", .type = SL_OPT_TEXT, .offset = offsetof(conf, text), .alias = "old"},
    {.name = "path", .type = SL_OPT_PATH, .offset = offsetof(conf, path), .fallback = "content"},
    {.name = "flag", .type = SL_OPT_BOOL, .offset = offsetof(conf, flag), .fallback = "true"},
    {.name = "number", .type = SL_OPT_INT, .offset = offsetof(conf, number)},
    {.name = "small",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, small),
     .fallback = "3",
     .min = 1,
     .max = 9},
    {.name = "size", .type = SL_OPT_SIZE, .offset = offsetof(conf, size), .fallback = "256M"},
    {.name = "seconds", .type = SL_OPT_SECONDS, .offset = offsetof(conf, seconds), .fallback = "30s"},
    {.name = "choice", .type = SL_OPT_ENUM, .offset = offsetof(conf, choice), .fallback = "is", .names = ops},
    {.name = "letter", .type = SL_OPT_CHAR, .offset = offsetof(conf, letter), .fallback = ","},
    {.name = "texts", .type = SL_OPT_TEXTS, .offset = offsetof(conf, texts)},
    {.name = "any", .type = SL_OPT_VALUE, .offset = offsetof(conf, any)},
    {.name = "rule",
     .type = SL_OPT_RULES,
     .offset = offsetof(conf, rules),
     .rules = rule_options,
     .rule_size = sizeof(rule),
     .flags = SL_OPT_SCALARS},
    {.name = NULL},
};

static void within_limits(const conf *c) {
    FUZZ_CHECK(c->small >= 1 && c->small <= 9);
    FUZZ_CHECK(c->choice >= 0 && c->choice < 3);
    FUZZ_CHECK(c->seconds >= 0);
    for (uint32_t i = 0; i < c->texts.n; i++) FUZZ_CHECK(c->texts.v[i].s || !c->texts.v[i].n);
    for (uint32_t i = 0; i < c->rules.n; i++) {
        const rule *r = &((const rule *)c->rules.v)[i];
        FUZZ_CHECK(r->field.s && r->op >= 0 && r->op < 3);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    bool nocase = fuzz_byte(&in) & 1;
    sl_arena arena = {0};
    sl_value map;
    uint64_t bytes;
    sl_text rest = fuzz_rest(&in);
    (void)sl_size_parse(rest, &bytes);
    if (sl_json_parse(rest.s, rest.n, "conf", &arena, &map, NULL) == SL_OK && map.type == SL_MAP) {
        conf c = {0};
        sl_error err = {0};
        sl_text bad = {0};
        sl_status status = sl_options_parse(options, map, nocase, &c, &arena, &bad, &err);
        fuzz_agree(status, &err);
        FUZZ_CHECK(status == SL_OK || status == SL_E_PLAN);
        bool whole = strstr(err.text, "missing key") || strstr(err.text, "an object of options");
        FUZZ_CHECK(status == SL_OK || bad.s || whole);
        if (!status) within_limits(&c);
    }
    sl_arena_free(&arena);
    return 0;
}
