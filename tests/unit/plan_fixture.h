/* plan_fixture.h: a plan over a few pipes of its own, small enough that tests see every option. */
#ifndef SL_TESTS_PLAN_FIXTURE_H
#define SL_TESTS_PLAN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "plan/internal.h"
#include "record/cast.h"

typedef struct fake_rule {
    sl_text field;
    int op;
    sl_value value;
} fake_rule;

typedef struct fake_conf {
    sl_text url, path;
    sl_rules rules;
    int64_t count;
    sl_value content;
    int prepared, *destroyed;
} fake_conf;

static const char *const fake_ops[] = {"is", "eq", "contains", "less", NULL};

static const sl_option fake_rule_options[] = {
    {.name = "field", .type = SL_OPT_PATH, .offset = offsetof(fake_rule, field), .flags = SL_OPT_REQUIRED, .help = "a field"},
    {.name = "op", .type = SL_OPT_ENUM, .offset = offsetof(fake_rule, op), .fallback = "is", .names = fake_ops},
    {.name = "value", .type = SL_OPT_VALUE, .offset = offsetof(fake_rule, value)},
    {.name = NULL},
};

static const sl_option fake_source_options[] = {
    {.name = "url", .type = SL_OPT_TEXT, .offset = offsetof(fake_conf, url), .flags = SL_OPT_REQUIRED, .help = "file or URL"},
    {.name = "path", .type = SL_OPT_PATH, .offset = offsetof(fake_conf, path)},
    {.name = NULL},
};

static const sl_option fake_filter_options[] = {
    {.name = "rule",
     .type = SL_OPT_RULES,
     .offset = offsetof(fake_conf, rules),
     .rules = fake_rule_options,
     .rule_size = sizeof(fake_rule),
     .flags = SL_OPT_REQUIRED,
     .help = "what to keep"},
    {.name = NULL},
};

static const sl_option fake_count_options[] = {
    {.name = "count",
     .type = SL_OPT_INT,
     .offset = offsetof(fake_conf, count),
     .fallback = "7",
     .min = 0,
     .max = 100,
     .unit = "items",
     .alias = "number"},
    {.name = "content", .type = SL_OPT_VALUE, .offset = offsetof(fake_conf, content)},
    {.name = NULL},
};

static inline sl_status fake_prepare(void *conf, const sl_step_info *info, sl_error *err) {
    ((fake_conf *)conf)->prepared++;
    return info->env ? SL_OK : sl_fail(err, SL_E_INTERNAL, "no env");
}

static const sl_pipe fake_pipes[] = {
    {.name = "fetchdata", .kind = SL_KIND_SOURCE, .options = fake_source_options, .main = "url"},
    {.name = "csv", .kind = SL_KIND_SOURCE, .options = fake_source_options, .main = "url"},
    {.name = "filter", .kind = SL_KIND_OPERATOR, .options = fake_filter_options},
    {.name = "sort", .kind = SL_KIND_OPERATOR, .options = fake_filter_options},
    {.name = "truncate", .kind = SL_KIND_OPERATOR, .options = fake_count_options, .main = "count"},
    {.name = "strconcat", .kind = SL_KIND_PROCESSOR, .options = fake_count_options, .main = "content"},
    {.name = "join", .kind = SL_KIND_OPERATOR, .flags = SL_PIPE_OTHER},
    {.name = "union", .kind = SL_KIND_OPERATOR, .flags = SL_PIPE_OTHERS},
    {.name = "split", .kind = SL_KIND_SPLITTER},
};

/* The fakes with the parts that all of them share. */
static inline const sl_pipe *fake_named(sl_text name) {
    static sl_pipe all[SL_COUNT(fake_pipes)];
    for (size_t i = 0; i < SL_COUNT(fake_pipes); i++) {
        if (!sl_text_is(name, fake_pipes[i].name)) continue;
        all[i] = fake_pipes[i];
        all[i].conf_size = sizeof(fake_conf);
        all[i].prepare = fake_prepare;
        return &all[i];
    }
    return NULL;
}

static inline sl_plan *fake_plan(void) {
    sl_plan *p = sl_plan_new();
    assert_non_null(p);
    p->lookup = fake_named;
    return p;
}

/* Reads and prepares; the first failure is in ERR. */
static inline sl_status load(sl_plan *p, const char *json, sl_error *err) {
    sl_env env = {.now = 1700000000};
    sl_status s = sl_plan_parse(p, json, strlen(json), "p.json", NULL, err);
    return s == SL_OK ? sl_plan_prepare(p, &env, err) : s;
}

static inline sl_plan *loaded(const char *json) {
    sl_error err = {0};
    char text[1200];
    sl_plan *p = fake_plan();
    if (load(p, json, &err) != SL_OK) fail_msg("%s\n%s", json, sl_error_format(&err, text, sizeof text));
    return p;
}

static inline sl_node *node_of(const sl_plan *p, const char *id) {
    for (uint32_t i = 0; i < p->nnodes; i++)
        if (sl_text_is(p->nodes[i]->id, id)) return p->nodes[i];
    return NULL;
}

/* The graph in one line: "sw-1 sw-2<sw-1 _OUTPUT<sw-2": i, o, u and t stand before what comes in on other ports. */
static inline const char *graph_of(const sl_plan *p, char out[1024]) {
    static const char *const ports[] = {"<", "<o:", "<u:", "<t:"};
    size_t n = 0;
    for (uint32_t i = 0; i < p->nnodes; i++) {
        const sl_node *node = p->nodes[i];
        n += (size_t)snprintf(out + n, 1024 - n, "%s%.*s", i ? " " : "", (int)node->id.n, node->id.s);
        for (uint32_t k = 0; k < node->ninputs; k++)
            n += (size_t)snprintf(out + n, 1024 - n, "%s%.*s", ports[node->inputs[k].port], (int)node->inputs[k].from->id.n,
                                  node->inputs[k].from->id.s);
    }
    return out;
}

static inline void assert_graph(const sl_plan *p, const char *expected) {
    char out[1024];
    assert_string_equal(graph_of(p, out), expected);
}

static inline void assert_loads(const char *json, const char *expected) {
    sl_plan *p = loaded(json);
    assert_graph(p, expected);
    sl_plan_free(&p);
}

/* The whole message that JSON gives. */
static inline void assert_refused(const char *json, const char *message) {
    sl_error err = {0};
    char text[1200];
    sl_plan *p = fake_plan();
    assert_int_not_equal(load(p, json, &err), SL_OK);
    assert_string_equal(sl_error_format(&err, text, sizeof text), message);
    assert_int_equal(sl_exit_code(err.code), 2);
    sl_plan_free(&p);
}

static inline void assert_json(sl_value v, const char *expected) {
    sl_buf out = {0};
    sl_json_write(v, &out);
    assert_string_equal(sl_buf_cstr(&out), expected);
    sl_buf_free(&out);
}

#endif
