/* test_option.c: the parser of options: every type, in both dialects, and what is said of a wrong value. */
#include "plan_fixture.h"

typedef struct pair {
    sl_text key;
    sl_value value;
} pair;

typedef struct all {
    sl_text text, path;
    bool flag;
    int64_t number;
    uint64_t size;
    double seconds;
    int choice;
    char mark;
    sl_texts texts;
    sl_value value;
    sl_rules rules, parts;
} all;

static const char *const choices[] = {"asc", "desc", NULL};

static const sl_option pair_options[] = {
    {.name = "key",
     .type = SL_OPT_TEXT,
     .offset = offsetof(pair, key),
     .flags = SL_OPT_REQUIRED,
     .help = "its name"},
    {.name = "value", .type = SL_OPT_VALUE, .offset = offsetof(pair, value), .fallback = "none"},
    {.name = NULL},
};

static const sl_option part_options[] = {
    {.name = "value", .type = SL_OPT_VALUE, .offset = offsetof(pair, value)},
    {.name = NULL},
};

static const sl_option table[] = {
    {.name = "text", .type = SL_OPT_TEXT, .offset = offsetof(all, text), .fallback = "", .alias = "old_text"},
    {.name = "path", .type = SL_OPT_PATH, .offset = offsetof(all, path)},
    {.name = "flag", .type = SL_OPT_BOOL, .offset = offsetof(all, flag), .fallback = "true"},
    {.name = "number",
     .type = SL_OPT_INT,
     .offset = offsetof(all, number),
     .min = 1,
     .max = INT64_MAX,
     .fallback = "3",
     .unit = "items"},
    {.name = "size",
     .type = SL_OPT_SIZE,
     .offset = offsetof(all, size),
     .min = 1024,
     .max = 1 << 20,
     .unit = "bytes"},
    {.name = "seconds", .type = SL_OPT_SECONDS, .offset = offsetof(all, seconds), .fallback = "1.5"},
    {.name = "choice",
     .type = SL_OPT_ENUM,
     .offset = offsetof(all, choice),
     .names = choices,
     .fallback = "desc"},
    {.name = "mark", .type = SL_OPT_CHAR, .offset = offsetof(all, mark), .fallback = ","},
    {.name = "texts", .type = SL_OPT_TEXTS, .offset = offsetof(all, texts)},
    {.name = "value", .type = SL_OPT_VALUE, .offset = offsetof(all, value)},
    {.name = "rules",
     .type = SL_OPT_RULES,
     .offset = offsetof(all, rules),
     .rules = pair_options,
     .rule_size = sizeof(pair)},
    {.name = "part",
     .type = SL_OPT_RULES,
     .offset = offsetof(all, parts),
     .rules = part_options,
     .rule_size = sizeof(pair),
     .flags = SL_OPT_SCALARS},
    {.name = "secret", .type = SL_OPT_TEXT, .offset = offsetof(all, text), .flags = SL_OPT_HIDDEN},
    {.name = NULL},
};

typedef struct fixture {
    sl_arena arena;
    sl_error err;
    sl_text bad;
    all conf;
} fixture;

static sl_status parse(fixture *f, const char *json, bool nocase) {
    sl_value map;
    sl_arena_free(&f->arena);
    *f = (fixture){0};
    assert_int_equal(sl_json_parse(json, strlen(json), NULL, &f->arena, &map, &f->err), SL_OK);
    return sl_options_parse(table, map, nocase, &f->conf, &f->arena, &f->bad, &f->err);
}

static void parsed(fixture *f, const char *json) {
    if (parse(f, json, false) != SL_OK) fail_msg("%s: %s", json, f->err.text);
}

static void refused(const char *json, const char *key, const char *message) {
    fixture f = {0};
    assert_int_equal(parse(&f, json, false), SL_E_PLAN);
    assert_string_equal(f.err.text, message);
    assert_true(sl_text_is(f.bad, key));
    sl_arena_free(&f.arena);
}

static void options_have_their_defaults(void **state) {
    (void)state;
    fixture f = {0};
    parsed(&f, "{}");
    assert_true(f.conf.flag);
    assert_int_equal(f.conf.number, 3);
    assert_true(f.conf.seconds > 1.49 && f.conf.seconds < 1.51);
    assert_int_equal(f.conf.choice, 1);
    assert_int_equal(f.conf.mark, ',');
    assert_non_null(f.conf.text.s);
    assert_null(f.conf.path.s);
    assert_int_equal(f.conf.value.type, SL_MISSING);
    assert_false(f.conf.texts.given);
    parsed(&f, "{\"number\":null,\"texts\":null,\"value\":null,\"text\":null}");
    assert_int_equal(f.conf.number, 3);
    assert_false(f.conf.texts.given);
    assert_int_equal(f.conf.value.type, SL_NULL);
    assert_int_equal(sl_options_parse(NULL, sl_missing(), false, &f.conf, &f.arena, &f.bad, &f.err), SL_OK);
    sl_arena_free(&f.arena);
}

static void scalars_are_cast_to_the_type_of_the_option(void **state) {
    (void)state;
    fixture f = {0};
    parsed(&f, "{\"old_text\":5,\"path\":[\"a\",\"b\",0],\"flag\":\"FALSE\",\"number\":\"2.9\",\"size\":"
               "\"2K\",\"seconds\":\"500ms\","
               "\"choice\":\"ASC\",\"mark\":\"\\t\",\"texts\":\"x\",\"secret\":null}");
    assert_true(sl_text_is(f.conf.text, "5"));
    assert_true(sl_text_is(f.conf.path, "a.b.0"));
    assert_false(f.conf.flag);
    assert_int_equal(f.conf.number, 2);
    assert_int_equal(f.conf.size, 2048);
    assert_true(f.conf.seconds > 0.49 && f.conf.seconds < 0.51);
    assert_int_equal(f.conf.choice, 0);
    assert_int_equal(f.conf.mark, '\t');
    assert_true(f.conf.texts.given && f.conf.texts.n == 1 && sl_text_is(f.conf.texts.v[0], "x"));
    parsed(&f, "{\"mark\":\"tab\",\"texts\":[\"x\",2],\"seconds\":\"2m\",\"flag\":0,\"value\":[1]}");
    assert_int_equal(f.conf.mark, '\t');
    assert_true(f.conf.texts.n == 2 && sl_text_is(f.conf.texts.v[1], "2"));
    assert_true(f.conf.seconds > 119 && f.conf.seconds < 121);
    assert_false(f.conf.flag);
    assert_int_equal(f.conf.value.type, SL_LIST);
    sl_arena_free(&f.arena);
}

static void sizes_have_units(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},          {"12", 12},        {"1k", 1024},    {"1.5K", 1536},
                {"2MiB", 2 << 20}, {"3 MB", 3 << 20}, {"1g", 1 << 30}, {"1T", 1ULL << 40}};
    static const char *const bad[] = {"", "-1", "x", "1x", "K", "1KK", "9e30", "9999999T"};
    uint64_t n;
    for (size_t i = 0; i < SL_COUNT(good); i++) {
        assert_true(sl_size_parse(sl_text_of(good[i].text), &n));
        assert_true(n == good[i].bytes);
    }
    for (size_t i = 0; i < SL_COUNT(bad); i++) assert_false(sl_size_parse(sl_text_of(bad[i]), &n));
}

static void rules_are_one_or_a_list(void **state) {
    (void)state;
    fixture f = {0};
    parsed(&f, "{\"rules\":{\"key\":\"a\"}}");
    const pair *v = f.conf.rules.v;
    assert_int_equal(f.conf.rules.n, 1);
    assert_true(sl_text_is(v->key, "a") && sl_text_is(sl_bytes(v->value), "none"));
    parsed(&f, "{\"rules\":[{\"key\":\"a\",\"value\":1},{\"key\":\"b\",\"value\":[]}]}");
    v = f.conf.rules.v;
    assert_int_equal(f.conf.rules.n, 2);
    assert_true(v[0].value.as.i == 1 && v[1].value.type == SL_LIST);
    parsed(&f, "{\"rules\":[]}");
    assert_int_equal(f.conf.rules.n, 0);
    parsed(&f, "{\"part\":[\"x\",{\"value\":\"y\"},{\"z\":1},null]}");
    v = f.conf.parts.v;
    assert_int_equal(f.conf.parts.n, 4);
    assert_true(sl_text_is(sl_bytes(v[0].value), "x") && sl_text_is(sl_bytes(v[1].value), "y"));
    assert_int_equal(v[2].value.type, SL_MAP);
    assert_int_equal(v[3].value.type, SL_NULL);
    sl_arena_free(&f.arena);
}

static void riko_is_lenient(void **state) {
    (void)state;
    fixture f = {0};
    assert_int_equal(parse(&f, "{\"NUMBER\":\"7\",\"Rules\":{\"KEY\":\"k\"},\"flag\":\"no\"}", true), SL_OK);
    assert_int_equal(f.conf.number, 7);
    assert_int_equal(f.conf.rules.n, 1);
    assert_true(f.conf.flag);
    assert_int_equal(parse(&f, "{\"NUMBER\":\"7\"}", false), SL_E_PLAN);
    sl_arena_free(&f.arena);
}

typedef struct loose {
    int choice;
    sl_text text;
} loose;

/* Rows that are loose, in a table that is open, are so under riko's dialect alone. */
static void riko_passes_over(void **state) {
    (void)state;
    static const sl_option loose_table[] = {
        {.name = "choice",
         .type = SL_OPT_ENUM,
         .offset = offsetof(loose, choice),
         .names = choices,
         .fallback = "desc",
         .flags = SL_OPT_LOOSE},
        {.name = "text", .type = SL_OPT_TEXT, .offset = offsetof(loose, text)},
        {.flags = SL_OPT_OPEN},
    };
    static const char *const confs[] = {"{\"choice\":\"up\",\"text\":\"t\"}", "{\"other\":1,\"text\":\"t\"}"};
    for (size_t i = 0; i < SL_COUNT(confs); i++) {
        sl_arena arena = {0};
        sl_value map;
        loose c = {0};
        assert_int_equal(sl_json_parse(confs[i], strlen(confs[i]), NULL, &arena, &map, NULL), SL_OK);
        assert_int_equal(sl_options_parse(loose_table, map, false, &c, &arena, NULL, NULL), SL_E_PLAN);
        assert_int_equal(sl_options_parse(loose_table, map, true, &c, &arena, NULL, NULL), SL_OK);
        assert_int_equal(c.choice, 1);
        assert_true(sl_text_is(c.text, "t"));
        sl_arena_free(&arena);
    }
}

static void what_only_the_item_decides_is_left_open(void **state) {
    (void)state;
    fixture f = {0};
    sl_pair inner[] = {{SL_TEXT("key"), sl_missing()}};
    sl_pair outer[] = {{SL_TEXT("rules"), sl_map(inner, 1)},
                       {SL_TEXT("number"), sl_missing()},
                       {SL_TEXT("zz"), sl_missing()}};
    assert_int_equal(sl_options_parse(table, sl_map(outer, 2), false, &f.conf, &f.arena, &f.bad, &f.err),
                     SL_OK);
    assert_int_equal(f.conf.rules.n, 1);
    assert_int_equal(sl_options_parse(table, sl_map(outer, 3), false, &f.conf, &f.arena, &f.bad, &f.err),
                     SL_E_PLAN);
    sl_arena_free(&f.arena);
}

static void mistakes_name_the_key_and_what_was_expected(void **state) {
    (void)state;
    refused("{\"numbr\":1}", "numbr", "unknown key 'numbr', did you mean 'number'?");
    refused("{\"zzzzzz\":1}", "zzzzzz",
            "unknown key 'zzzzzz', expected one of: text, path, flag, number, size, seconds, choice, mark, "
            "texts, value, rules, part");
    refused("{\"secrt\":1}", "secrt",
            "unknown key 'secrt', expected one of: text, path, flag, number, size, seconds, choice, mark, "
            "texts, value, rules, part");
    refused("[]", "", "expected an object of options, got list");
    refused("{\"text\":{}}", "text", "key 'text' must be text, got map");
    refused("{\"flag\":\"maybe\"}", "flag", "key 'flag' must be true or false, got 'maybe'");
    refused("{\"number\":0}", "number", "key 'number' must be at least 1 items, got 0");
    refused("{\"number\":\"x\"}", "number", "key 'number' must be a whole number, got 'x'");
    refused("{\"number\":[1]}", "number", "key 'number' must be a whole number, got list");
    refused("{\"size\":\"1x\"}", "size", "key 'size' must be a size such as 1048576, 256M or 1G, got '1x'");
    refused("{\"size\":1}", "size", "key 'size' must be 1024 to 1048576 bytes, got 1");
    refused("{\"seconds\":\"3y\"}", "seconds",
            "key 'seconds' must be a time such as 1.5, 30s, 500ms or 2m, got '3y'");
    refused("{\"choice\":\"des\"}", "choice",
            "key 'choice' must be one of asc, desc, got 'des', did you mean 'desc'?");
    refused("{\"mark\":\"ab\"}", "mark", "key 'mark' must be one byte, or tab, got 'ab'");
    refused("{\"rules\":3}", "rules", "key 'rules' must be an object or a list of objects, got 3");
    refused("{\"rules\":[{\"key\":1},{\"ky\":2}]}", "rules.1.ky", "unknown key 'ky', did you mean 'key'?");
    refused("{\"rules\":{\"value\":2}}", "rules", "missing key 'key': its name");
    refused("{\"rules\":[{\"value\":2}]}", "rules.0", "missing key 'key': its name");
}

static void assert_described(unsigned i, const char *expected) {
    sl_buf out = {0};
    sl_option_describe(&table[i], &out);
    assert_string_equal(sl_buf_cstr(&out), expected);
    sl_buf_free(&out);
}

static const sl_option more_options[] = {
    {.name = "quote", .type = SL_OPT_CHAR, .alias = "quotechar", .fallback = "'"},
    {.name = "text", .type = SL_OPT_BOOL},
    {.name = NULL},
};
static const sl_option other_options[] = {
    {.name = "quote", .type = SL_OPT_INT},
    {.name = "width", .type = SL_OPT_INT},
    {.name = NULL},
};

static const sl_option *more(unsigned i) {
    return i == 0 ? more_options : i == 1 ? other_options : NULL;
}

static const sl_option further_table[] = {
    {.name = "text", .type = SL_OPT_TEXT, .offset = offsetof(all, text)},
    {.name = "*", .type = SL_OPT_FURTHER, .offset = offsetof(all, value), .further = more},
    {.name = NULL},
};

static void expect_further(const char *json, bool nocase, const char *text, const char *keys) {
    sl_arena arena = {0};
    sl_error err = {0};
    all conf = {0};
    sl_buf found = {0};
    sl_value map;
    assert_int_equal(sl_json_parse(json, strlen(json), NULL, &arena, &map, &err), SL_OK);
    assert_int_equal(sl_options_parse(further_table, map, nocase, &conf, &arena, NULL, &err), SL_OK);
    assert_true(sl_text_is(conf.text, text));
    for (uint32_t i = 0; i < conf.value.n; i++) {
        sl_pair one = conf.value.as.map[i];
        sl_text v = sl_bytes(one.value);
        sl_buf_printf(&found, "%.*s=%.*s ", (int)one.key.n, one.key.s, (int)v.n, v.s);
    }
    assert_string_equal(sl_buf_cstr(&found), keys);
    sl_buf_free(&found);
    sl_arena_free(&arena);
}

/* Keys of other tables are handed on as they came, under the names of their rows; the table's own go before them. */
static void keys_of_further_tables_are_handed_on(void **state) {
    (void)state;
    expect_further("{}", false, "", "");
    expect_further("{\"text\":\"a\",\"width\":\"x\",\"quotechar\":\"q\"}", false, "a", "width=x quote=q ");
    expect_further("{\"quote\":\"a\",\"quotechar\":\"b\",\"width\":null}", false, "", "quote=b ");
    expect_further("{\"WIDTH\":\"1\",\"Text\":\"a\"}", true, "a", "width=1 ");
    static const char *const names[] = {"text", "quote", "width"};
    sl_option_walk w = {.table = further_table};
    for (unsigned i = 0; i < SL_COUNT(names); i++) assert_string_equal(sl_option_next(&w)->name, names[i]);
    assert_null(sl_option_next(&w));
    assert_null(sl_option_next(&w));
    assert_ptr_equal(sl_option_named(further_table, SL_TEXT("quotechar"), false), more_options);
    assert_null(sl_option_named(further_table, SL_TEXT("*"), false));
}

static void unknown_keys_are_compared_with_further_tables(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_error err = {0};
    all conf = {0};
    sl_value map;
    const char *json = "{\"widht\":1}";
    assert_int_equal(sl_json_parse(json, strlen(json), NULL, &arena, &map, &err), SL_OK);
    assert_int_equal(sl_options_parse(further_table, map, false, &conf, &arena, NULL, &err), SL_E_PLAN);
    assert_string_equal(err.text, "unknown key 'widht', did you mean 'width'?");
    sl_arena_free(&arena);
}

static void options_describe_themselves(void **state) {
    (void)state;
    assert_described(0, "TEXT = \"\"");
    assert_described(3, "INT = 3, at least 1, items");
    assert_described(4, "SIZE, 1024 to 1048576, bytes");
    assert_described(6, "asc|desc = desc");
    assert_described(10, "{key, value}, one or a list");
}

static void the_registry_is_in_order(void **state) {
    (void)state;
    sl_error err = {0};
    const sl_pipe *before = sl_pipe_at(0);
    assert_non_null(before);
    for (unsigned i = 1; sl_pipe_at(i); i++) {
        assert_true(strcmp(before->name, sl_pipe_at(i)->name) < 0);
        before = sl_pipe_at(i);
        assert_ptr_equal(sl_pipe_named(sl_text_of(before->name)), before);
    }
    assert_ptr_equal(sl_pipe_named(SL_TEXT("stringtokenizer")), sl_pipe_named(SL_TEXT("tokenizer")));
    assert_null(sl_pipe_named(SL_TEXT("nosuchpipe")));
    assert_string_equal(sl_pipe_suggest(SL_TEXT("trunkate")), "truncate");
    assert_null(sl_describe_pipes("trunkate", &err));
    assert_string_equal(err.text, "unknown pipe 'trunkate', did you mean 'truncate'?");
}

static void expect_description(const char *name, const char *file, const char *want, const char *pipe) {
    sl_arena arena = {0};
    sl_error err = {0};
    sl_value v;
    char *text = sl_describe_formats(name, file, &err);
    assert_non_null(text);
    assert_int_equal(sl_json_parse(text, strlen(text), NULL, &arena, &v, &err), SL_OK);
    assert_true(sl_text_is(sl_bytes(sl_map_get_z(v, "name")), want));
    assert_true(sl_text_is(sl_bytes(sl_map_get_z(v, "pipe")), pipe));
    assert_int_equal(sl_map_get_z(v, "options").type, SL_LIST);
    free(text);
    sl_arena_free(&arena);
}

static void formats_describe_themselves(void **state) {
    (void)state;
    sl_error err = {0};
    expect_description("ndjson", NULL, "jsonl", "fetchdata");
    expect_description("TSV", "x.json", "tsv", "csv");
    expect_description(NULL, "https://h/x.log.gz?a=b.csv", "text", "fetchtext");
    expect_description(NULL, "x.html", "html", "fetchdata");
    assert_null(sl_describe_formats("xls", "x.csv", &err));
    assert_int_equal(err.code, SL_E_USAGE);
    assert_null(sl_describe_formats(NULL, "csv", NULL));
    char *text = sl_describe_formats(NULL, NULL, &err);
    assert_non_null(text);
    for (unsigned i = 0; i < 3; i++)
        assert_non_null(strstr(text, (const char *const[]){"csv", "feed", "html"}[i]));
    free(text);
}

static void pipes_describe_themselves(void **state) {
    (void)state;
    sl_error err = {0};
    sl_value all_pipes, one;
    sl_arena arena = {0};
    char *text = sl_describe_pipes(NULL, &err), *filter = sl_describe_pipes("filter", &err);
    assert_non_null(text);
    assert_non_null(filter);
    assert_int_equal(sl_json_parse(text, strlen(text), NULL, &arena, &all_pipes, &err), SL_OK);
    assert_int_equal(sl_json_parse(filter, strlen(filter), NULL, &arena, &one, &err), SL_OK);
    for (uint32_t i = 0; i < all_pipes.n; i++) {
        sl_value p = all_pipes.as.list[i];
        assert_true(sl_text_is(sl_bytes(sl_map_get_z(p, "name")), sl_pipe_at(i)->name));
        assert_true(sl_is_text(sl_map_get_z(p, "kind")));
        assert_int_equal(sl_map_get_z(p, "options").type, SL_LIST);
    }
    assert_null(sl_pipe_at(all_pipes.n));
    assert_true(sl_text_is(sl_bytes(sl_map_get_z(one, "name")), "filter"));
    free(text);
    free(filter);
    sl_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_have_their_defaults),
        cmocka_unit_test(scalars_are_cast_to_the_type_of_the_option),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(rules_are_one_or_a_list),
        cmocka_unit_test(riko_is_lenient),
        cmocka_unit_test(riko_passes_over),
        cmocka_unit_test(what_only_the_item_decides_is_left_open),
        cmocka_unit_test(mistakes_name_the_key_and_what_was_expected),
        cmocka_unit_test(keys_of_further_tables_are_handed_on),
        cmocka_unit_test(unknown_keys_are_compared_with_further_tables),
        cmocka_unit_test(options_describe_themselves),
        cmocka_unit_test(the_registry_is_in_order),
        cmocka_unit_test(formats_describe_themselves),
        cmocka_unit_test(pipes_describe_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
