/* test_json.c: the JSON format. Texts that must be accepted or refused are read bare, in arrays and as members; others are cut
 * everywhere, read by both scanners and compared with jansson. */
#include "json_fixture.h"

#include <jansson.h>

static void expect(const char *text, const char *items) {
    expect_run((run){.format = &sl_format_json}, text, items);
}

static void expect_at(const char *path, const char *text, const char *items) {
    expect_run((run){.format = &sl_format_json, .path = path}, text, items);
}

static void expect_riko(const char *path, const char *text, const char *items) {
    expect_run((run){.format = &sl_format_json, .path = path, .dialect = SL_RIKO}, text, items);
}

/* ---- forms of documents -------------------------------------------------------------------------------------- */

static void elements_of_an_array_become_items(void **state) {
    (void)state;
    expect("[]", "");
    expect(" [ \n ] \n", "");
    expect("[{\"a\":1}]", "{\"a\":1}\n");
    expect("[{\"a\":1},{\"a\":2}, {\"b\":null} ,\n{}]", "{\"a\":1}\n{\"a\":2}\n{\"b\":null}\n{}\n");
    expect("[1,\"x\",true,null,[2,null],{\"a\":{\"b\":[]}}]",
           "1\n\"x\"\ntrue\n[2,null]\n{\"a\":{\"b\":[]}}\n");
    expect("\xef\xbb\xbf[1]", "1\n");
    expect("[\"]\",\"\\\"]\",\"\\\\\",\"[{\"]", "\"]\"\n\"\\\"]\"\n\"\\\\\"\n\"[{\"\n");
}

static void values_one_after_another_become_items(void **state) {
    (void)state;
    expect("{\"a\":1}", "{\"a\":1}\n");
    expect("{\"a\":1}{\"a\":2}\n\n{\"b\":[1]}", "{\"a\":1}\n{\"a\":2}\n{\"b\":[1]}\n");
    expect("7", "7\n");
    expect("\"x\"", "\"x\"\n");
    expect("1 2\n3", "1\n2\n3\n");
    expect("{\"a\":1} [2] null 3", "{\"a\":1}\n[2]\n3\n");
}

static void a_path_leads_to_the_items(void **state) {
    (void)state;
    const char *doc =
        "{\"x\":[1,{\"items\":[9]}],\"value\":{\"n\":0,\"items\":[{\"A\":1},null,2],\"o\":{\"P\":{\"Q\":1}},"
        "\"s\":\"t\",\"z\":null,\"l\":[[5],[6,7]]},\"a.b\":[3]}";
    expect_at("value.items", doc, "{\"A\":1}\n2\n");
    expect_at("value.o", doc, "{\"P\":{\"Q\":1}}\n");
    expect_at("value.s", doc, "\"t\"\n");
    expect_at("value.n", doc, "0\n");
    expect_at("value.z", doc, "");
    expect_at("value.l.1", doc, "6\n7\n");
    expect_at("value.l.1.0", doc, "6\n");
    expect_at("x.1.items", doc, "9\n");
    expect_at("a.b", doc, "3\n");
    expect_at("1", "[[1],[2]]", "2\n");
    expect_at("\xc3\xa9", "{\"\\u00e9\":[1]}", "1\n");
}

static void a_path_to_nowhere_names_what_is_there(void **state) {
    (void)state;
    expect_at("value.Items", "{\"value\":{\"items\":[1],\"n\":{\"q\":1}},\"z\":1}",
              "!path 'value.Items' leads nowhere: no 'Items' in keys: items, n");
    expect_at("a.b", "{\"a\":5}", "!no 'b' in a single value");
    expect_at("a.b", "{\"a\":[5]}", "!no 'b' in an array");
    expect_at("a.3", "{\"a\":[5]}", "!no '3' in an array that is shorter");
    expect_at("a", "[]", "!no 'a' in an array");
}

static void what_stands_around_the_items_is_checked(void **state) {
    (void)state;
    expect_at("a", "{\"a\":[1],\"b\":[1,]}", "!expected a value, not ']'");
    expect_at("a", "{\"a\":[1],\"b\":{}", "!ends inside an object that began at line 1");
    expect_at("a", "{\"a\":[1]} 1", "!expected nothing more: the document has ended, not '1'");
    expect_at("b", "{\"a\":01,\"b\":[1]}", "!expected ',' or '}', not '1'");
    expect_at("b", "{\"a\":nul,\"b\":[1]}", "!expected a value, not ','");
    expect("[1] [2]", "!expected nothing more");
}

static void riko_paths_ignore_case_and_go_through_lists(void **state) {
    (void)state;
    const char *doc = "{\"a\":[{\"B\":[1,2]},{\"B\":[3]}],\"n\":null,\"s\":\"str\",\"o\":{\"Pp\":{\"Qq\":1},"
                      "\"PP\":[{\"R\":1}]},\"l\":[1,null,\"x\"]}";
    expect_riko("a", doc, "{\"B\":[1,2]}\n{\"B\":[3]}\n");
    expect_riko("A", doc, "{\"B\":[1,2]}\n{\"B\":[3]}\n");
    expect_riko("a.B", doc, "[1,2]\n[3]\n");
    expect_riko("l", doc, "1\n\"x\"\n");
    expect_riko("l.0", doc, "1\n");
    expect_riko("o", doc, "{\"pp\":[{\"R\":1}]}\n");
    expect_riko("o.pp.qq", "{\"O\":{\"Pp\":{\"Qq\":{\"Z\":1}}}}", "{\"z\":1}\n");
    expect_riko("zz", doc, "{\"content\":\"\"}\n");
    expect_riko("o.zz", doc, "{\"content\":\"\"}\n");
    expect_riko("s", doc, "{\"content\":\"str\"}\n");
    expect_riko("s.t", doc, "{\"content\":\"str\"}\n");
    expect_riko("n", doc, "");
    expect_riko("v", "{\"v\":{\"value\":[1,2]}}", "1\n2\n");
    expect_riko(NULL, "[{\"a.b\":1,\"C\":2}]", "{\"a\":{\"b\":1},\"C\":2}\n");
    expect_riko("a", "{\"a\":[1],}", "!expected a key in quotes");
}

/* ---- what is and is not JSON --------------------------------------------------------------------------------- */

static const char *const accepted[] = {"0",
                                       "-0",
                                       "1",
                                       "-1",
                                       "10",
                                       "0.5",
                                       "-0.5e10",
                                       "1E+2",
                                       "1e-2",
                                       "0e0",
                                       "123456789012345678901234567890",
                                       "\"\"",
                                       "\"\\u0041\\n\\t\\r\\b\\f\\/\\\\\\\"\"",
                                       "\"\\uD83D\\uDE00\"",
                                       "\"\x7f\"",
                                       "\"\xf0\x9f\x98\x80\"",
                                       "\"\xe2\x80\xa8\"",
                                       "\"\\ud800\"",
                                       "true",
                                       "false",
                                       "null",
                                       "[]",
                                       "{}",
                                       "[[]]",
                                       "[{}]",
                                       "{\"\":0}",
                                       "{\"a\":1,\"a\":2}",
                                       "[ 1 , 2 ]",
                                       "\t[\r\n1 ]",
                                       "{ \"a\" : [ ] ,\"b\" : { } }",
                                       "[[[[[[[[[[1]]]]]]]]]]",
                                       "{\"\\u0061\\\"\":1}",
                                       "1e400",
                                       "[1.7976931348623157e308]"};

static const char *const refused[] = {"01",
                                      "-",
                                      "-01",
                                      "1.",
                                      ".5",
                                      "1.e1",
                                      "1e",
                                      "1e+",
                                      "+1",
                                      "0x1",
                                      "1_0",
                                      "NaN",
                                      "Infinity",
                                      "-Infinity",
                                      "nan",
                                      "tru",
                                      "True",
                                      "nulll",
                                      "truefalse",
                                      "\"",
                                      "\"a",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\\",
                                      "\"\\\"",
                                      "\"\t\"",
                                      "\"\n\"",
                                      "\"\x01\"",
                                      "\"\x1f\"",
                                      "'a'",
                                      "[1,]",
                                      "[,1]",
                                      "[1,,2]",
                                      "[1 2]",
                                      "[",
                                      "[1",
                                      "[1,",
                                      "]",
                                      "[1]]",
                                      "[}",
                                      "[1}",
                                      "{",
                                      "{\"a\"",
                                      "{\"a\":",
                                      "{\"a\":1",
                                      "{\"a\":1,",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "{\"a\"}",
                                      "{\"a\" 1}",
                                      "{\"a\":1 \"b\":2}",
                                      "{a:1}",
                                      "{1:1}",
                                      "{\"a\":1]",
                                      "[{\"a\":1]}",
                                      "{\"a\":[1}}",
                                      "{\"a\"::1}",
                                      "[1]x",
                                      "[\"a\":1]",
                                      "{\"a\":1}}",
                                      "// c\n1",
                                      "[1]//",
                                      "/**/1",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xe2\x28\xa1\"",
                                      "\xf0\x9f\x98\x80",
                                      "[\"\xc3\"]",
                                      "",
                                      "  ",
                                      "\f1",
                                      "\xc2\xa0[]",
                                      "[1]\v",
                                      "{\"a\":\\u0031}"};

static void every_valid_text_is_accepted_and_every_other_refused(void **state) {
    (void)state;
    static const char *const wraps[][2] = {
        {"", ""}, {"[", "]"}, {"[{\"k\":", "}]"}, {"{\"k\":1}{\"k\":", "}"}};
    for (size_t w = 0; w < SL_COUNT(wraps); w++) {
        for (size_t i = 0; i < SL_COUNT(accepted) + SL_COUNT(refused); i++) {
            bool good = i < SL_COUNT(accepted);
            const char *text = good ? accepted[i] : refused[i - SL_COUNT(accepted)];
            bool closes = w && (strchr(text, ']') || strchr(text, '}') || !strcmp(text, "  "));
            if (!good && (closes || !*text) && w) continue; /* may be well-formed within another document */
            char doc[200];
            snprintf(doc, sizeof doc, "%s%s%s", wraps[w][0], text, wraps[w][1]);
            for (size_t piece = 0; piece < 8; piece++) {
                run r = {.format = &sl_format_json, .piece = piece};
                sl_status status = run_text(&r, doc, strlen(doc));
                if ((status == SL_OK) != good) fail_msg("%s: status %d %s", doc, status, r.err.text);
                assert_true(status == SL_OK || status == SL_E_DATA);
                run_free(&r);
            }
        }
    }
}

static void escapes_and_large_numbers_are_decoded(void **state) {
    (void)state;
    expect("[\"\\u0041\\ud83d\\ude00\\n\"]", "\"A\xf0\x9f\x98\x80\\n\"\n");
    expect("[{\"\\u0061\":1,\"a\":\"\\/\"}]", "{\"a\":\"/\"}\n");
    expect("[123456789012345678901234567890, -9223372036854775808, 9223372036854775808]",
           "123456789012345678901234567890\n-9223372036854775808\n9223372036854775808\n");
    expect("[{\"m\":{\"b\":1,\"a\":2,\"b\":3}}]", "{\"m\":{\"b\":3,\"a\":2}}\n");
    expect("[{\"b\":1,\"a\":2,\"b\":3}]", "{\"b\":3,\"a\":2}\n");
}

static void wide_marks_are_refused(void **state) {
    (void)state;
    expect("\xff\xfe[", "!UTF-16");
    expect("\xfe\xff[", "!UTF-16");
}

/* ---- places of failures -------------------------------------------------------------------------------------- */

static void expect_place(const char *text, uint64_t line, uint64_t column) {
    run r = {.format = &sl_format_json};
    assert_int_equal(run_text(&r, text, strlen(text)), SL_E_DATA);
    assert_int_equal(r.err.line, line);
    if (column) assert_int_equal(r.err.column, column);
    assert_string_equal(r.err.source, r.err.source[0] ? "doc" : "");
    run_free(&r);
}

static void errors_have_line_and_column(void **state) {
    (void)state;
    expect_place("[\n{\"a\":1},\n{\"a\":x}]", 3, 6);
    expect_place("[{\"a\":1},\n{\"a\":2,\n\n\"b\":01}]", 4, 6);
    expect_place("[1\n]\n\n x", 4, 2);
    expect_place("[{\"a\":\n1},{\"a\":\n1},{\"a\":\nx}]", 4, 1);
    expect("[{\"a\":1,\"b\":x}]", "!expected a value, not 'x', after {\"a\":1,\"b\":");
    expect_place("[\"a\",\n\"\xff\"]", 2, 0);
    expect("{\"a\":[\n{\"b\":1}", "!ends inside an object that began at line 1");
    expect("\n[\n{\"b\":1},", "!ends inside an array that began at line 2");
    expect_at("a", "{\n\"a\":\n[1", "!ends inside an array that began at line 3");
}

/* ---- depth --------------------------------------------------------------------------------------------------- */

static sl_status read_nested(unsigned depth, char open, char shut, const char *path, sl_error *err) {
    sl_buf b = {0};
    sl_buf_str(&b, path ? "{\"skip\":" : "[");
    for (unsigned i = 0; i < depth; i++) sl_buf_str(&b, open == '[' ? "[" : "{\"a\":");
    sl_buf_str(&b, "1");
    for (unsigned i = 0; i < depth; i++) sl_buf_byte(&b, shut);
    sl_buf_str(&b, path ? ",\"a\":[]}" : "]");
    run r = {.format = &sl_format_json, .path = path};
    sl_status status = run_text(&r, b.data, b.len);
    *err = r.err;
    run_free(&r);
    sl_buf_free(&b);
    return status;
}

static void a_thousand_levels_are_read_and_no_more(void **state) {
    (void)state;
    sl_error err;
    for (int object = 0; object < 2; object++) {
        char open = object ? '{' : '[', shut = object ? '}' : ']';
        assert_int_equal(read_nested(1000, open, shut, NULL, &err), SL_OK);
        assert_int_equal(read_nested(1001, open, shut, NULL, &err), SL_E_DATA);
        assert_non_null(strstr(err.text, "1000 levels"));
        assert_int_equal(read_nested(999, open, shut, "a", &err), SL_OK);
        assert_int_equal(read_nested(1000, open, shut, "a", &err), SL_E_DATA);
        assert_int_equal(read_nested(1000000, open, shut, NULL, &err), SL_E_DATA);
    }
}

/* ---- columns ------------------------------------------------------------------------------------------------- */

static void keys_come_and_go(void **state) {
    (void)state;
    expect("[{\"a\":1,\"b\":2},{\"a\":3,\"c\":4,\"b\":5},{\"b\":6},{\"b\":7,\"a\":8},{},{\"c\":9, "
           "\"b\":1,\"c\":2}]",
           "{\"a\":1,\"b\":2}\n{\"a\":3,\"c\":4,\"b\":5}\n{\"b\":6}\n{\"b\":7,\"a\":"
           "8}\n{}\n{\"c\":2,\"b\":1}\n");
    expect("[{\"a\":1},{\"a\":1{\"a\":2}}]", "!expected ',' or '}'");
    expect("[{\"a\":1,\"b\":2},{\"b\":1},{\"a\":1{\"b\":2}}]", "!expected ',' or '}'");
}

/* Objects that share no keys stay within memory; many keys in one object stay fast. */
static void keys_without_end(void **state) {
    (void)state;
    sl_buf doc = {0}, want = {0};
    sl_buf_byte(&doc, '[');
    for (int i = 0; i < 6000; i++) {
        sl_buf_printf(&doc, "%s{\"k%d\":%d,\"same\":\"x\"}", i ? "," : "", i, i);
        sl_buf_printf(&want, "{\"k%d\":%d,\"same\":\"x\"}\n", i, i);
    }
    for (int i = 0; i < 100000; i++) {
        sl_buf_printf(&doc, i ? ",\"w%d\":%d" : ",{\"w%d\":%d", i, i);
        sl_buf_printf(&want, i ? ",\"w%d\":%d" : "{\"w%d\":%d", i, i);
    }
    sl_buf_str(&doc, "}]");
    sl_buf_str(&want, "}\n");
    run r = {.format = &sl_format_json};
    assert_int_equal(run_text(&r, doc.data, doc.len), SL_OK);
    assert_string_equal(sl_buf_cstr(&r.out), sl_buf_cstr(&want));
    run_free(&r);
    sl_buf_free(&doc);
    sl_buf_free(&want);
}

static void a_record_has_a_limit(void **state) {
    (void)state;
    size_t n = ((size_t)64 << 20) + 100;
    sl_input *in = sl_input_new(n);
    assert_non_null(in);
    memset(in->data, 'x', n);
    memcpy(in->data, "[\"", 2);
    sl_json_conf conf = {.joined = SL_TEXT("")};
    void *splitter;
    sl_error err = {0};
    sl_cut cut = {0};
    assert_int_equal(sl_json_split_new(&conf, &splitter, &err), SL_OK);
    assert_int_equal(sl_json_split(splitter, in->data, n, false, &cut, &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "64 MiB"));
    sl_json_split_free(splitter);
    sl_input_unref(&in);
}

/* ---- vector code against portable code ----------------------------------------------------------------------- */

static void scanners_agree(void **state) {
    (void)state;
    static const char alphabet[] = "\"\\{}[],\n a\"\\\\";
    char data[700 + SL_PADDING];
    for (uint64_t seed = 1; seed < 4000; seed++) {
        uint64_t s = seed;
        size_t n = pick(&s, 700), kinds = 2 + pick(&s, sizeof alphabet - 2);
        for (size_t i = 0; i < sizeof data; i++) data[i] = alphabet[pick(&s, (uint32_t)kinds)];
        if (pick(&s, 2)) memset(data, '{', 100);
        char separator = pick(&s, 2) ? ',' : '\n';
        sl_json_scan a = {.separator = separator}, b = a;
        size_t from = pick(&s, 64), stop = from + pick(&s, 64) + 64;
        if (from > n) continue;
        if (stop > n) stop = n;
        size_t x = sl_json_scan_bytes(&a, data, from, stop, false, false);
        size_t y = sl_json_scan_bytes(&b, data, from, stop, false, true);
        assert_int_equal(x, y);
        if (!a.ended) x = sl_json_scan_bytes(&a, data, x, n, true, false);
        if (!b.ended) y = sl_json_scan_bytes(&b, data, y, n, true, true);
        assert_int_equal(x, y);
        assert_true(a.cut == b.cut && a.shut == b.shut && a.ended == b.ended && a.at == b.at);
        assert_true(a.depth == b.depth && a.inside == b.inside && a.escaped == b.escaped);
    }
}

/* ---- against jansson ----------------------------------------------------------------------------------------- */

/* Mostly none, so that rows look alike often enough for keys to be predicted, and differ often enough. */
static void space(sl_buf *b, uint64_t *s) {
    static const char *const spaces[] = {" ", "\n", " \t", "\r\n"};
    if (!pick(s, 12)) sl_buf_str(b, spaces[pick(s, 4)]);
}

static void random_string(sl_buf *b, uint64_t *s) {
    static const char *const parts[] = {"a",        "b",       "long enough to fill more than one vector",
                                        "\\n",      "\\\"",    "\\\\",
                                        "\xc3\xa9", "\\u00e9", "\\uD83D\\uDE00",
                                        "{",        "]",       ",",
                                        ":",        " "};
    sl_buf_byte(b, '"');
    for (uint32_t n = pick(s, 4); n; n--) sl_buf_str(b, parts[pick(s, SL_COUNT(parts))]);
    sl_buf_byte(b, '"');
}

static void random_value(sl_buf *b, uint64_t *s, int depth);

static void random_container(sl_buf *b, uint64_t *s, int depth, bool object) {
    static const char *const keys[] = {"\"a\"", "\"b\"", "\"c\"", "\"d.e\"", "\"\\u0061\"", "\"\""};
    sl_buf_byte(b, object ? '{' : '[');
    space(b, s);
    for (uint32_t i = 0, n = pick(s, depth ? 5 : 9); i < n; i++) {
        if (i) sl_buf_byte(b, ',');
        space(b, s);
        if (object) {
            sl_buf_str(b, keys[pick(s, 4) ? i : pick(s, SL_COUNT(keys))]);
            space(b, s);
            sl_buf_byte(b, ':');
            space(b, s);
        }
        random_value(b, s, depth + 1);
        space(b, s);
    }
    sl_buf_byte(b, object ? '}' : ']');
}

static void random_value(sl_buf *b, uint64_t *s, int depth) {
    static const char *const words[] = {"true", "false", "null", "0",    "-1",  "12.5",
                                        "1e3",  "-0.25", "7E-2", "1234", "-12", "9007199254740993"};
    uint32_t kind = pick(s, depth < 2 ? 8 : depth > 5 ? 9 : 12);
    if (!depth) kind = 10; /* the document is an array */
    if (kind == 10 || (depth < 2 && kind == 2)) {
        random_container(b, s, depth, false);
    } else if (kind == 11 || (depth == 1 && kind > 2)) {
        random_container(b, s, depth, true);
    } else if (kind < 5) {
        random_string(b, s);
    } else {
        sl_buf_str(b, words[pick(s, SL_COUNT(words))]);
    }
}

static void mutate(sl_buf *b, uint64_t *s) {
    static const char bytes[] = "\"\\{}[],: \n01.eE+-tfn\x01\xff\xc3";
    for (uint32_t n = 1 + pick(s, 2); n && b->len > 2; n--) {
        size_t at = 1 + pick(s, (uint32_t)b->len - 1);
        switch (pick(s, 3)) {
        case 0: b->data[at] = bytes[pick(s, sizeof bytes - 1)]; break;
        case 1: memmove(b->data + at, b->data + at + 1, --b->len - at); break;
        default: b->len = at; break;
        }
    }
}

static sl_value from_jansson(json_t *j, sl_arena *arena) {
    switch (json_typeof(j)) {
    case JSON_TRUE: return sl_bool(true);
    case JSON_FALSE: return sl_bool(false);
    case JSON_NULL: return sl_null();
    case JSON_INTEGER: return sl_int(json_integer_value(j));
    case JSON_REAL: return sl_float(json_real_value(j));
    case JSON_STRING: return sl_text_value(sl_text_n(json_string_value(j), json_string_length(j)));
    case JSON_ARRAY: {
        sl_value *v = sl_arena_calloc(arena, json_array_size(j) + 1, sizeof *v);
        assert_non_null(v);
        for (size_t i = 0; i < json_array_size(j); i++) v[i] = from_jansson(json_array_get(j, i), arena);
        return sl_list(v, (uint32_t)json_array_size(j));
    }
    default: {
        sl_pair *p = sl_arena_calloc(arena, json_object_size(j) + 1, sizeof *p);
        assert_non_null(p);
        uint32_t n = 0;
        const char *key;
        json_t *member;
        json_object_foreach(j, key, member) p[n++] = (sl_pair){sl_text_of(key), from_jansson(member, arena)};
        return sl_map(p, n);
    }
    }
}

/* What the elements of the array are as items; false: jansson refuses the text. *EXCUSED: for a reason of its own. */
static bool oracle(const sl_buf *doc, sl_buf *items, bool *excused) {
    json_error_t e;
    json_t *j = json_loadb(doc->data, doc->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
    enum json_error_code code = j ? json_error_unknown : json_error_code(&e);
    *excused = !j && (code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
                      strstr(e.text, "surrogate") || strstr(e.text, "invalid Unicode"));
    if (!j) return false;
    sl_arena arena = {0};
    sl_value v = from_jansson(j, &arena);
    for (uint32_t i = 0; i < v.n; i++) {
        if (v.as.list[i].type == SL_NULL) continue;
        sl_json_write(v.as.list[i], items);
        sl_buf_byte(items, '\n');
    }
    sl_arena_free(&arena);
    json_decref(j);
    return true;
}

/* Numbers keep their spelling, which jansson does not know: so it reads what came out, too. */
static bool same_items(const sl_buf *out, const sl_buf *items) {
    sl_buf list = {0}, again = {0};
    bool excused;
    sl_buf_byte(&list, '[');
    for (size_t i = 0; i + 1 < out->len; i++) sl_buf_byte(&list, out->data[i] == '\n' ? ',' : out->data[i]);
    sl_buf_byte(&list, ']');
    bool same = oracle(&list, &again, &excused) && again.len == items->len &&
                (!again.len || memcmp(again.data, items->data, again.len) == 0);
    sl_buf_free(&list);
    sl_buf_free(&again);
    return same;
}

static void compare(const sl_buf *doc, size_t piece, uint64_t seed, int *good) {
    sl_buf items = {0};
    bool excused;
    bool accepts = oracle(doc, &items, &excused);
    run r = {.format = &sl_format_json, .piece = piece};
    sl_status status = run_text(&r, doc->data, doc->len);
    if (!excused && (status == SL_OK) != accepts)
        fail_msg("seed %llu: status %d (%s) for %.*s", (unsigned long long)seed, status, r.err.text,
                 (int)doc->len, doc->data);
    if (accepts && !same_items(&r.out, &items))
        fail_msg("seed %llu: %.*s gives %s, not %s", (unsigned long long)seed, (int)doc->len, doc->data,
                 sl_buf_cstr(&r.out), sl_buf_cstr(&items));
    *good += accepts;
    run_free(&r);
    sl_buf_free(&items);
}

static void jansson_agrees(void **state) {
    (void)state;
    int good = 0, mutated_good = 0;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t s = seed;
        sl_buf doc = {0};
        random_value(&doc, &s, 0);
        compare(&doc, pick(&s, 3) ? pick(&s, 90) : 0, seed, &good);
        mutate(&doc, &s);
        compare(&doc, pick(&s, 90), seed, &mutated_good);
        sl_buf_free(&doc);
    }
    assert_int_equal(good, 3000);
    assert_in_range(mutated_good, 100, 2500);
}

static void pieces_change_nothing(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t s = seed;
        sl_buf doc = {0};
        while (doc.len < 300) {
            sl_buf_clear(&doc);
            sl_buf_str(&doc, "{\"x\":");
            random_value(&doc, &s, 0);
            sl_buf_str(&doc, ",\"y\":");
            random_value(&doc, &s, 0);
            sl_buf_byte(&doc, '}');
        }
        run whole = {.format = &sl_format_json, .path = "y"};
        assert_int_equal(run_text(&whole, doc.data, doc.len), SL_OK);
        for (size_t piece = 1; piece < doc.len; piece += 1 + piece / 100) {
            run r = {.format = &sl_format_json, .path = "y", .piece = piece};
            assert_int_equal(run_text(&r, doc.data, doc.len), SL_OK);
            assert_string_equal(sl_buf_cstr(&r.out), sl_buf_cstr(&whole.out));
            run_free(&r);
        }
        run_free(&whole);
        sl_buf_free(&doc);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_of_an_array_become_items),
        cmocka_unit_test(values_one_after_another_become_items),
        cmocka_unit_test(a_path_leads_to_the_items),
        cmocka_unit_test(a_path_to_nowhere_names_what_is_there),
        cmocka_unit_test(riko_paths_ignore_case_and_go_through_lists),
        cmocka_unit_test(what_stands_around_the_items_is_checked),
        cmocka_unit_test(every_valid_text_is_accepted_and_every_other_refused),
        cmocka_unit_test(escapes_and_large_numbers_are_decoded),
        cmocka_unit_test(errors_have_line_and_column),
        cmocka_unit_test(wide_marks_are_refused),
        cmocka_unit_test(a_thousand_levels_are_read_and_no_more),
        cmocka_unit_test(keys_come_and_go),
        cmocka_unit_test(keys_without_end),
        cmocka_unit_test(a_record_has_a_limit),
        cmocka_unit_test(scanners_agree),
        cmocka_unit_test(jansson_agrees),
        cmocka_unit_test(pieces_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
