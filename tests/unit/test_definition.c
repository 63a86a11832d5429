/* test_definition.c: definitions in all accepted forms, and the message, line and column for each mistake in one. Definitions
 * are also cut and broken at every byte, as what people type is. */
#include "plan_fixture.h"

/* ---- forms ------------------------------------------------------------------------------------------------------- */

static void bare_list_is_a_chain(void **state) {
    (void)state;
    assert_loads("[{\"type\":\"csv\",\"conf\":{\"url\":\"a\"}},{\"type\":\"truncate\"}]",
                 "sw-1 sw-2<sw-1 _OUTPUT<sw-2");
    assert_loads("{\"modules\":[{\"type\":\"csv\",\"conf\":{\"url\":\"a\"}},{\"type\":\"truncate\"},{"
                 "\"type\":\"output\"}]}",
                 "sw-1 sw-2<sw-1 _OUTPUT<sw-2");
    assert_loads("{\"modules\":{\"type\":\"csv\",\"conf\":{\"url\":\"a\"}}}", "sw-1 _OUTPUT<sw-1");
}

static void pairs_name_their_ends(void **state) {
    (void)state;
    assert_loads(
        "{\"modules\":[{\"id\":\"last\",\"type\":\"truncate\"},{\"type\":\"csv\",\"conf\":{\"url\":\"a\"}}],"
        "\"wires\":[[\"sw-2\",\"last\"]]}",
        "sw-2 last<sw-2 _OUTPUT<last");
    assert_loads("{\"modules\":[{\"type\":\"csv\",\"conf\":{\"url\":\"a\"}},{\"type\":\"truncate\"},{"
                 "\"type\":\"split\"}],"
                 "\"wires\":[[\"sw-1\",\"sw-2\"],[\"sw-1\",\"sw_3\"]]}",
                 "sw-1 sw-2<sw-1 _OUTPUT<sw-2");
    assert_loads("{\"modules\":[{\"id\":\"a\",\"type\":\"csv\",\"conf\":{\"url\":\"a\"}},"
                 "{\"id\":\"b\",\"type\":\"csv\",\"conf\":{\"url\":\"b\"}},{\"id\":\"j\",\"type\":\"join\"}],"
                 "\"wires\":[[\"a\",\"j\"],[\"b\",\"j\",\"other\"]]}",
                 "a b j<a<o:b _OUTPUT<j");
}

#define FULL(modules, wires)                                                                                 \
    "{\"modules\":[" modules "{\"id\":\"_OUTPUT\",\"type\":\"output\",\"conf\":null}],\"wires\":[" wires     \
    "],"                                                                                                     \
    "\"layout\":[1],\"terminaldata\":{}}"
#define SOURCE(id)                                                                                           \
    "{\"id\":\"" id "\",\"type\":\"csv\",\"conf\":{\"URL\":{\"type\":\"text\",\"value\":\"" id "\"}}},"
#define WIRE(id, from, to, port)                                                                             \
    "{\"id\":\"" id "\",\"src\":{\"id\":\"_OUTPUT\",\"moduleid\":\"" from "\"},\"tgt\":{\"id\":\"" port      \
    "\",\"moduleid\":\"" to "\"}}"

static void full_format_knows_its_ports(void **state) {
    (void)state;
    sl_plan *p =
        loaded(FULL(SOURCE("sw-1") SOURCE("2b") SOURCE("c") "{\"id\":\"u\",\"type\":\"union\",\"conf\":{}},",
                    WIRE("1", "c", "u", "_OTHER9") "," WIRE("2", "_2b", "u", "_OTHER1") "," WIRE(
                        "3", "sw_1", "u", "_INPUT") "," WIRE("4", "u", "_OUTPUT", "_INPUT")));
    assert_graph(p, "sw-1 c 2b u<sw-1<u:c<u:2b _OUTPUT<u");
    assert_int_equal(p->settings.dialect, SL_RIKO);
    assert_int_equal(node_of(p, "u")->nconsumers, 1);
    assert_json(node_of(p, "c")->conf, "{\"url\":\"c\"}");
    sl_plan_free(&p);
}

static void first_input_wins_and_the_unreachable_goes(void **state) {
    (void)state;
    assert_loads(FULL(SOURCE("a") SOURCE("b")
                          SOURCE("lost") "{\"id\":\"t\",\"type\":\"truncate\",\"conf\":{}},"
                                         "{\"id\":\"x\",\"type\":\"nosuch\",\"conf\":{}},",
                      WIRE("1", "a", "t", "_INPUT") "," WIRE("2", "b", "t", "_INPUT") "," WIRE(
                          "3", "lost", "x", "_INPUT") "," WIRE("4", "t", "_OUTPUT", "_INPUT")),
                 "a t<a _OUTPUT<t");
}

static void split_and_join_share_streams(void **state) {
    (void)state;
    sl_plan *p =
        loaded(FULL(SOURCE("a") "{\"id\":\"s\",\"type\":\"split\",\"conf\":{}},"
                                "{\"id\":\"t\",\"type\":\"truncate\",\"conf\":{}},{\"id\":\"j\",\"type\":"
                                "\"join\",\"conf\":{}},",
                    WIRE("1", "a", "s", "_INPUT") "," WIRE("2", "s", "t", "_INPUT") "," WIRE(
                        "3", "s", "j", "_INPUT") "," WIRE("4", "t", "j",
                                                          "_OTHER") "," WIRE("5", "j", "_OUTPUT", "_INPUT")));
    assert_graph(p, "a s<a t<s j<s<o:t _OUTPUT<j");
    assert_int_equal(node_of(p, "s")->nconsumers, 2);
    sl_plan_free(&p);
}

static void terminals_make_confs_dynamic(void **state) {
    (void)state;
    sl_plan *p = loaded(FULL(SOURCE("a") SOURCE("b")
                                 SOURCE("unused") "{\"id\":\"t\",\"type\":\"truncate\",\"conf\":{\"COUNT\":{"
                                                  "\"terminal\":\"1-n\",\"type\":\"int\"},"
                                                  "\"content\":{\"terminal\":\"free\",\"type\":\"text\"}}},",
                             WIRE("1", "a", "t", "_INPUT") "," WIRE("2", "b", "t", "1_n") "," WIRE(
                                 "3", "unused", "t", "q") "," WIRE("4", "t", "_OUTPUT", "_INPUT")));
    assert_graph(p, "a b t<a<t:b _OUTPUT<t");
    const sl_node *t = node_of(p, "t");
    assert_true(t->dynamic);
    assert_null(t->compiled);
    assert_true(sl_text_is(t->inputs[1].terminal, "_1_n"));
    assert_json(
        t->conf,
        "{\"count\":{\"terminal\":\"\\u0001_1_n\"},\"content\":{\"terminal\":\"free\",\"type\":\"text\"}}");
    sl_plan_free(&p);
}

/* ---- the top level ----------------------------------------------------------------------------------------------- */

static void sources_become_a_union(void **state) {
    (void)state;
    sl_plan *p = loaded("{\"sources\":[{\"url\":\"a.csv.gz\"},{\"url\":\"b.json\",\"path\":\"x\"},\"c.dat\"],"
                        "\"modules\":[{\"type\":\"truncate\"}]}");
    assert_graph(
        p, "source-1 source-2 source-3 sources<source-1<u:source-2<u:source-3 sw-1<sources _OUTPUT<sw-1");
    assert_string_equal(node_of(p, "source-1")->pipe->name, "csv");
    assert_string_equal(node_of(p, "source-2")->pipe->name, "fetchdata");
    const fake_conf *c = node_of(p, "source-2")->compiled;
    assert_true(sl_text_is(c->path, "x"));
    sl_plan_free(&p);
    assert_loads("{\"sources\":{\"url\":\"a\",\"type\":\"csv\"}}", "source-1 _OUTPUT<source-1");
    assert_loads(
        "{\"sources\":[\"a.csv\"],\"modules\":[{\"id\":\"c\",\"type\":\"csv\",\"conf\":{\"url\":\"x\"}},"
        "{\"id\":\"u\",\"type\":\"union\"},{\"id\":\"t\",\"type\":\"truncate\"}],\"wires\":[[\"t\",\"u\"],["
        "\"c\",\"u\",\"_OTHER\"]]}",
        "source-1 t<source-1 c u<t<u:c _OUTPUT<u");
}

static void a_list_of_urls_is_one_node_each(void **state) {
    (void)state;
    sl_plan *p = loaded("[{\"type\":\"csv\",\"conf\":{\"url\":[\"a\",{\"type\":\"url\",\"value\":\"http://"
                        "b\"}],\"path\":\"p\"},"
                        "\"assign\":\"x\"},{\"type\":\"truncate\"}]");
    assert_graph(p, "sw-1.1 sw-1.2 sw-1<sw-1.1<u:sw-1.2 sw-2<sw-1 _OUTPUT<sw-2");
    const fake_conf *c = node_of(p, "sw-1.2")->compiled;
    assert_true(sl_text_is(c->url, "http://b"));
    assert_true(sl_text_is(c->path, "p"));
    assert_true(sl_text_is(node_of(p, "sw-1.1")->assign, "x"));
    assert_null(node_of(p, "sw-1")->assign.s);
    sl_plan_free(&p);
    assert_loads("[{\"type\":\"csv\",\"conf\":{\"url\":[\"a\"]}}]", "sw-1 _OUTPUT<sw-1");
}

static void settings_and_who_wins(void **state) {
    (void)state;
    sl_error err = {0};
    sl_plan *p = fake_plan();
    assert_int_equal(sl_plan_set(p, SL_TEXT("workers"), SL_TEXT("3"), true, &err), SL_OK);
    assert_int_equal(load(p,
                          "{\"name\":\"n\",\"parallel\":true,\"threads\":\"no\",\"workers\":8,\"memory\":"
                          "\"2G\",\"unit\":4096,"
                          "\"ordered\":false,\"connections\":2,\"per_host\":1,\"limit\":9,\"dialect\":"
                          "\"riko\",\"description\":\"d\","
                          "\"modules\":[{\"type\":\"truncate\"}]}",
                          &err),
                     SL_OK);
    const sl_settings *s = &p->settings;
    assert_true(s->parallel && !s->threads && !s->ordered);
    assert_int_equal(s->workers, 3);
    assert_int_equal(s->connections, 2);
    assert_int_equal(s->per_host, 1);
    assert_true(s->memory == (uint64_t)2 << 30);
    assert_int_equal(s->unit, 4096);
    assert_int_equal(s->limit, 9);
    assert_int_equal(s->dialect, SL_RIKO);
    assert_true(sl_text_is(p->name, "n"));
    assert_int_equal(p->env.workers, 3);
    assert_false(p->env.shared);
    sl_plan_free(&p);
}

static void settings_have_their_defaults(void **state) {
    (void)state;
    sl_plan *p = loaded("[{\"type\":\"truncate\"}]");
    const sl_settings *s = &p->settings;
    assert_true(s->parallel && s->threads && s->ordered);
    assert_int_equal(s->workers, 0);
    assert_int_equal(s->connections, 16);
    assert_int_equal(s->per_host, 6);
    assert_int_equal(s->unit, 1 << 20);
    assert_true(s->cache_size == SL_CACHE_SIZE && s->cache == SL_CACHE_ON);
    assert_true(s->memory >= 1 << 20 && s->memory <= (uint64_t)4 << 30);
    assert_true(p->env.workers >= 1);
    assert_true(p->env.shared);
    sl_plan_free(&p);
}

static void sinks_are_places_or_objects(void **state) {
    (void)state;
    sl_plan *p = loaded(
        "{\"modules\":[{\"type\":\"truncate\"}],\"sinks\":[\"-\",{\"to\":\"x.db:t\",\"mode\":\"append\"},\n"
        "{\"type\":\"sqlite\",\"path\":\"x.db\",\"table\":\"u\"}]}");
    assert_int_equal(p->nsinks, 3);
    assert_true(sl_text_is(p->sinks[1].text, "x.db:t"));
    assert_json(p->sinks[1].conf, "{\"mode\":\"append\"}");
    assert_true(sl_text_is(p->sinks[2].text, "x.db"));
    assert_json(p->sinks[2].conf, "{\"type\":\"sqlite\",\"table\":\"u\"}");
    assert_int_equal(p->sinks[2].line, 2);
    assert_int_equal(p->sinks[2].column, 1);
    sl_plan_free(&p);
}

static void call_options_stand_beside_the_conf(void **state) {
    (void)state;
    sl_plan *p = loaded(
        "[{\"type\":\"truncate\",\"field\":\"f\",\"assign\":\"a\",\"emit\":\"false\",\"count\":\"first\"},"
        "{\"type\":\"truncate\",\"emit\":true,\"count\":\"all\",\"field\":null}]");
    const sl_node *a = node_of(p, "sw-1"), *b = node_of(p, "sw-2");
    assert_true(sl_text_is(a->field, "f") && sl_text_is(a->assign, "a"));
    assert_int_equal(a->emit, 0);
    assert_int_equal(a->count, 1);
    assert_string_equal(a->info.field, "f");
    assert_false(a->info.has_input);
    assert_int_equal(b->emit, 1);
    assert_int_equal(b->count, 2);
    assert_null(b->info.field);
    assert_true(b->info.has_input);
    sl_plan_free(&p);
    p = loaded("{\"dialect\":\"riko\",\"modules\":[{\"type\":\"truncate\",\"emit\":\"false\"}]}");
    assert_int_equal(node_of(p, "sw-1")->emit, 1);
    sl_plan_free(&p);
}

static void variables_are_put_in_where_they_are_named(void **state) {
    (void)state;
    sl_error err = {0};
    sl_plan *p = fake_plan();
    assert_int_equal(setenv("SL_TEST_VAR", "env", 1), 0);
    assert_int_equal(sl_plan_set_variable(p, SL_TEXT("A"), SL_TEXT("x/y"), &err), SL_OK);
    assert_int_equal(load(p,
                          "[{\"type\":\"csv\",\"conf\":{\"url\":\"${A}/"
                          "${SL_TEST_VAR}.${NO_SUCH:-d}\",\"path\":\"$1$${A}$\"}}]",
                          &err),
                     SL_OK);
    assert_json(node_of(p, "sw-1")->conf, "{\"url\":\"x/y/env.d\",\"path\":\"$1${A}$\"}");
    sl_plan_free(&p);
}

static void riko_ignores_the_case_of_keys(void **state) {
    (void)state;
    sl_plan *p =
        loaded("{\"dialect\":\"riko\",\"modules\":[{\"type\":\"truncate\",\"conf\":{\"Count\":\"2.9\"}}]}");
    assert_int_equal(((const fake_conf *)node_of(p, "sw-1")->compiled)->count, 2);
    sl_plan_free(&p);
}

/* ---- what is wrong, and where ------------------------------------------------------------------------------------- */

static void errors_of_the_text_have_their_place(void **state) {
    (void)state;
    assert_refused("[{\"type\":\n  nope}]", "p.json:2:3: not valid JSON: expected a value, not 'n'");
    assert_refused("{\"modules\":[],\"modules\":[]}",
                   "p.json:1:15: not valid JSON: the key 'modules' comes twice");
    assert_refused("[{\"type\":\"truncate\",\"conf\":{\"count\":1,\n\"st\\u0061rt\":1,\"start\":2}}]",
                   "p.json:2:16: not valid JSON: the key 'start' comes twice");
    assert_refused("[] []", "p.json:1:4: not valid JSON: expected nothing behind the value, not '['");
    assert_refused("[\n\"\xff\"]", "p.json:2:2: not valid JSON: expected UTF-8, not byte 0xff");
    assert_refused("3", "p.json:1:1: a pipeline is a list of modules or an object with 'modules'");
    assert_refused("[]", "p.json:1:1: the list of modules is empty");
    assert_refused("{\"name\":\"x\"}", "p.json:1:1: the pipeline has neither 'modules' nor 'sources'");
    assert_refused("{\n \"modules\":5}", "p.json:2:2: 'modules' must be a list of objects");
    assert_refused("{\"modules\":[{\"type\":\"truncate\"}],\n \"wires\":{}}",
                   "p.json:2:2: 'wires' must be a list");
    assert_refused("{\"modules\":[{\"type\":\"truncate\"}],\n \"sniks\":[]}",
                   "p.json:2:2: unknown key 'sniks' in the pipeline, did you mean 'sinks'?");
}

static void errors_of_settings_have_their_place(void **state) {
    (void)state;
    assert_refused("{\"modules\":[{\"type\":\"truncate\"}],\n \"workers\":2000}",
                   "p.json:2:2: 'workers' must be 0 to 1024 (0: one a core), got '2000'");
    assert_refused("{\"memory\":\"12\",\"modules\":[{\"type\":\"truncate\"}]}",
                   "p.json:1:2: 'memory' must be a size of at least 1M, such as 256M, got '12'");
    assert_refused("{\"dialect\":\"yahoo\",\"modules\":[{\"type\":\"truncate\"}]}",
                   "p.json:1:2: 'dialect' must be riko or native, got 'yahoo'");
    assert_refused("{\"unit\":\"65M\",\"modules\":[{\"type\":\"truncate\"}]}",
                   "p.json:1:2: 'unit' must be a size from 1 byte to 64M, got '65M'");
    assert_refused("{\"sinks\":[\"x.db:t\",\n{\"path\":\"./"
                   "x.db\",\"table\":\"t\"}],\"modules\":[{\"type\":\"truncate\"}]}",
                   "p.json:2:1: two sinks write 'x.db:t'");
    assert_refused("{\"sinks\":[{\"mode\":\"x\"}]}",
                   "p.json:1:11: a sink needs 'to' (or 'path'): where its items go");
    assert_refused("{\"sources\":[3]}",
                   "p.json:1:13: a source must be an object {\"url\": ..., \"type\": ...} or a URL, got int");
    assert_refused("{\"sources\":[{\"url\":\"a\",\"type\":\"filter\"}]}",
                   "p.json:1:24: filter: 'filter' is not a source");
    assert_refused("{\"sources\":[{\"url\":\"a\",\n\"type\":\"fetchdta\"}]}",
                   "p.json:2:1: unknown pipe 'fetchdta', did you mean 'fetchdata'?");
    assert_refused("{\"sources\":[{\"url\":\"a.csv\",\n\"pth\":\"b\"}]}",
                   "p.json:2:1: csv: unknown key 'pth', did you mean 'path'?");
    assert_refused(
        "{\"sources\":[{\"url\":\"a\"}],\"modules\":[{\"type\":\"csv\",\"conf\":{\"url\":\"b\"}}]}",
        "p.json:1:13: the sources feed nothing: every module has an input of its own");
    assert_refused("[{\"type\":\"csv\",\"conf\":{\"url\":\n\"${NO_SUCH_VARIABLE}\"}}]",
                   "p.json:1:24: variable 'NO_SUCH_VARIABLE' is not defined; set it, or give a default: "
                   "${NO_SUCH_VARIABLE:-default}");
    assert_refused("[{\"type\":\"csv\",\"conf\":{\"url\":\"${a\"}}]",
                   "p.json:1:24: '${' without '}'; write $${ for a literal ${");
    assert_refused("[{\"type\":\"csv\",\"conf\":{\"url\":\"${a b}\"}}]",
                   "p.json:1:24: '${a b}' is no variable; write $${ for a literal ${");
}

static void errors_of_modules_have_their_place(void **state) {
    (void)state;
    assert_refused("[{\"type\":\"truncate\"},\n 7]", "p.json:2:2: a module must be an object, got int");
    assert_refused("[{\"conf\":{}}]", "p.json:1:2: module without 'type': the name of its pipe");
    assert_refused("[{\"type\":\"truncate\"},\n{\"type\":\"fliter\"}]",
                   "p.json:2:2: step 2: unknown pipe 'fliter', did you mean 'filter'?");
    assert_refused("[{\"id\":\"a\",\"type\":\"truncate\"},{\"type\":\"truncate\",\n\"id\":\"a\"}]",
                   "p.json:2:1: two modules have the id 'a'");
    assert_refused("[{\"type\":\"truncate\",\n\"cnof\":{}}]",
                   "p.json:2:1: unknown key 'cnof' in the module, did you mean 'conf'?");
    assert_refused("[{\"type\":\"truncate\",\n\"count\":\"some\"}]",
                   "p.json:2:1: step 1 (truncate): 'count' must be \"first\" or \"all\"");
    assert_refused("[{\"type\":\"truncate\",\n\"field\":{}}]",
                   "p.json:2:1: step 1 (truncate): 'field' must be text, the path of a field");
    assert_refused("[{\"type\":\"truncate\",\"conf\":[]}]",
                   "p.json:1:2: step 1 (truncate): 'conf' must be an object, got list");
}

static void errors_of_confs_have_their_place(void **state) {
    (void)state;
    assert_refused("[{\"type\":\"csv\",\"conf\":{\"url\":\"x\"}},\n "
                   "{\"type\":\"filter\",\"conf\":{\"rule\":[{\"field\":\"a\"},\n"
                   "   {\"fied\":\"b\"}]}}]",
                   "p.json:3:5: step 2 (filter): unknown key 'fied', did you mean 'field'?");
    assert_refused("[{\"type\":\"filter\",\"conf\":{\"rule\":\n{\"op\":\"is\"}}}]",
                   "p.json:1:27: step 1 (filter): missing key 'field': a field");
    assert_refused("[{\"type\":\"csv\"}]", "p.json:1:2: step 1 (csv): missing key 'url': file or URL");
    assert_refused("[{\"type\":\"filter\",\"conf\":{\"rule\":{\"field\":\"a\",\n\"op\":\"lesser\"}}}]",
                   "p.json:2:1: step 1 (filter): key 'op' must be one of is, eq, contains, less, got "
                   "'lesser', did you mean 'less'?");
    assert_refused("[{\"type\":\"truncate\",\"conf\":{\n\"NUMBER\":101}}]",
                   "p.json:1:2: step 1 (truncate): key 'count' must be 0 to 100 items, got 101");
    assert_refused("[{\"type\":\"truncate\",\"conf\":{\n\"count\":\"many\"}}]",
                   "p.json:2:1: step 1 (truncate): key 'count' must be a whole number, got 'many'");
    assert_refused("[{\"type\":\"split\",\"conf\":{\"a\":1}}]",
                   "p.json:1:26: step 1 (split): unknown key 'a': this pipe takes none");
    assert_refused("[{\"type\":\"strconcat\",\"conf\":{\"content\":{\"subkey\":\"a\"},\n \"zz\":1}}]",
                   "p.json:2:2: step 1 (strconcat): unknown key 'zz', expected one of: count, content");
}

static void errors_of_wires_have_their_place(void **state) {
    (void)state;
#define TWO                                                                                                  \
    "{\"modules\":[{\"id\":\"a\",\"type\":\"truncate\"},{\"id\":\"b\",\"type\":\"truncate\"}],\n\"wires\":["
    assert_refused(TWO "[\"a\",\"c\"]]}", "p.json:2:15: no module has the id 'c'");
    assert_refused(TWO "[\"a\"]]}",
                   "p.json:2:10: a wire is a pair of module ids, [SOURCE, TARGET], or with a port as third");
    assert_refused(TWO "[\"a\",\"b\",\"_OTHER\"]]}", "p.json:2:10: 'truncate' takes one stream only");
    assert_refused(TWO "[\"a\",\"b\"],[\"b\",\"a\"]]}",
                   "p.json:1:13: the modules feed each other in a circle: 'b' -> 'a' -> 'b'");
    assert_refused(FULL(SOURCE("a"), "\n" WIRE("1", "a", "zz", "_INPUT")),
                   "p.json:2:70: no module has the id 'zz'");
    assert_refused(FULL(SOURCE("a"), "\n" WIRE("1", "a", "a", "conf")),
                   "p.json:2:56: a stream cannot be wired to 'conf'");
    assert_refused(FULL(SOURCE("a"), "\n" WIRE("1", "_OUTPUT", "a", "_INPUT")),
                   "p.json:2:33: nothing can follow the output module");
    assert_refused(
        FULL(SOURCE("a"), WIRE("1", "a", "_OUTPUT", "_INPUT") ",\n" WIRE("1", "a", "_OUTPUT", "_INPUT")),
        "p.json:2:2: two wires have the id '1'");
    assert_refused(FULL(SOURCE("a"), "\n{\"id\":\"1\"}"),
                   "p.json:2:1: a wire needs src and tgt, each {\"id\": PORT, \"moduleid\": MODULE}");
    assert_refused(FULL(SOURCE("a") "\n", WIRE("1", "a", "a", "x")),
                   "p.json:2:1: nothing is wired into the output module");
    assert_refused("{\"modules\":[{\"id\":\"a\",\"type\":\"split\"},\n{\"id\":\"b\",\"type\":\"truncate\"},{"
                   "\"id\":\"c\",\"type\":\"truncate\"}],"
                   "\"wires\":[" WIRE("1", "a", "b", "_INPUT") "," WIRE("2", "a", "c", "_INPUT") "]}",
                   "p.json:2:30: which module is the end? Add one of type 'output' and wire the end to it");
    assert_refused("[{\"type\":\"output\"},{\"type\":\"truncate\"}]",
                   "p.json:1:20: nothing can follow the output module");
    assert_refused("[{\"type\":\"truncate\"},{\"type\":\"output\"},\n{\"type\":\"output\"}]",
                   "p.json:2:1: two modules of type 'output'");
}

static void a_second_definition_is_refused(void **state) {
    (void)state;
    sl_error err = {0};
    sl_plan *p = loaded("[{\"type\":\"truncate\"}]");
    assert_int_equal(sl_plan_parse(p, "[]", 2, "q", NULL, &err), SL_E_USAGE);
    sl_plan_free(&p);
}

static void a_failure_stays(void **state) {
    (void)state;
    sl_error first = {0}, second = {0};
    sl_plan *p = fake_plan();
    assert_int_equal(load(p, "{\"sources\":[\"a.csv\"],\"modules\":[{\"type\":\"filter\"}]}", &first),
                     SL_E_PLAN);
    assert_int_equal(sl_plan_prepare(p, NULL, &second), SL_E_PLAN);
    assert_memory_equal(&first, &second, sizeof first);
    sl_plan_free(&p);
}

static void every_member_can_be_located(void **state) {
    (void)state;
    const char *json = "{\"a.b\":[1,\n {\"x\": {\"Y\\\"z\":[], \"q\":\"\xc3\xa9\", \"p\":2}}]}";
    uint64_t line = 0, column = 0;
    assert_true(sl_json_locate(json, strlen(json), "a.b.1.X.p", &line, &column));
    assert_int_equal(line, 2);
    assert_int_equal(column, 29);
    assert_true(sl_json_locate(json, strlen(json), "a.b.0", &line, &column));
    assert_int_equal(line, 1);
    assert_int_equal(column, 9);
    assert_false(sl_json_locate(json, strlen(json), "a.b.2", &line, &column));
    assert_false(sl_json_locate(json, strlen(json), "a.c", &line, &column));
    for (size_t n = 0; n < strlen(json); n++) (void)sl_json_locate(json, n, "a.b.1.x.zz", &line, &column);
}

static void numbers_of_any_size_are_exact(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_error err = {0};
    sl_value v;
    const char *json = "[9223372036854775807,-9223372036854775809,123456789012345678901234567890,"
                       "\"12345678901234567890\",1.5,true,null]";
    assert_int_equal(sl_json_parse(json, strlen(json), NULL, &arena, &v, &err), SL_OK);
    assert_int_equal(v.as.list[0].type, SL_INT);
    assert_int_equal(v.as.list[1].type, SL_DECIMAL);
    assert_int_equal(v.as.list[2].type, SL_DECIMAL);
    assert_int_equal(v.as.list[3].type, SL_TEXT_TYPE);
    assert_json(v, json);
    sl_arena_free(&arena);
}

/* Whatever a definition is cut down to or filled up with: an answer, never a crash. */
static void broken_definitions_are_survived(void **state) {
    (void)state;
    static const char *const texts[] = {
        FULL(SOURCE("sw-1") SOURCE("c") "{\"id\":\"u\",\"type\":\"union\",\"conf\":{\"a\":{\"terminal\":"
                                        "\"t\",\"type\":\"int\"}}},",
             WIRE("1", "c", "u", "_OTHER9") "," WIRE("2", "sw-1", "u", "t") "," WIRE("4", "u", "_OUTPUT",
                                                                                     "_INPUT")),
        "{\"sources\":[\"a.csv\",{\"url\":[\"b\",\"${X:-y}\"]}],\"modules\":[{\"type\":\"filter\",\"conf\":{"
        "\"rule\":[{\"field\":"
        "{\"subkey\":\"x\"}}]}}],\"sinks\":[{\"to\":\"x.db:t\"}],\"memory\":\"2M\"}"};
    static const char marks[] = "[]{}:,\"0$x";
    for (size_t t = 0; t < SL_COUNT(texts); t++) {
        size_t n = strlen(texts[t]);
        char *copy = malloc(n + 1);
        assert_non_null(copy);
        for (size_t i = 0; i < n * sizeof marks; i++) {
            sl_error err = {0};
            sl_plan *p = fake_plan();
            memcpy(copy, texts[t], n + 1);
            copy[i / sizeof marks] = marks[i % sizeof marks];
            sl_status s = load(p, copy, &err);
            assert_int_equal(s, err.code);
            assert_int_not_equal(s, SL_E_INTERNAL);
            sl_plan_free(&p);
        }
        free(copy);
    }
}

/* Of what the whole definition says; a URL from data gets what is no secret. Names of files start at the definition. */
static void secrets_are_for_urls_that_people_wrote(void **state) {
    (void)state;
    sl_error err = {0};
    sl_manners all, some;
    sl_plan *p = loaded(
        "{\"http\":{\"user\":\"u:p\",\"bearer\":\"t\",\"netrc\":true,\"cert\":\"c\",\"key\":\"/"
        "k\",\"cacert\":\"ca\","
        "\"oauth2\":{\"token_url\":\"t\",\"client_id\":\"i\",\"client_secret\":\"s\"},\"user_agent\":\"me\"},"
        "\"modules\":[{\"type\":\"truncate\"}]}");
    assert_int_equal(sl_web_manners(&p->web, sl_missing(), false, "jobs", &p->arena, &all, &err), SL_OK);
    assert_int_equal(sl_web_manners(&p->web, sl_missing(), true, "jobs", &p->arena, &some, &err), SL_OK);
    assert_string_equal(all.user, "u:p");
    assert_string_equal(all.bearer, "t");
    assert_string_equal(all.cert, "jobs/c");
    assert_string_equal(all.key, "/k");
    assert_true(all.netrc && all.oauth);
    assert_true(!some.user && !some.bearer && !some.netrc && !some.oauth && !some.cert && !some.key);
    assert_string_equal(some.cacert, "jobs/ca");
    assert_string_equal(some.agent, "me");
    sl_plan_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_list_is_a_chain),
        cmocka_unit_test(pairs_name_their_ends),
        cmocka_unit_test(full_format_knows_its_ports),
        cmocka_unit_test(first_input_wins_and_the_unreachable_goes),
        cmocka_unit_test(split_and_join_share_streams),
        cmocka_unit_test(terminals_make_confs_dynamic),
        cmocka_unit_test(sources_become_a_union),
        cmocka_unit_test(a_list_of_urls_is_one_node_each),
        cmocka_unit_test(settings_and_who_wins),
        cmocka_unit_test(settings_have_their_defaults),
        cmocka_unit_test(sinks_are_places_or_objects),
        cmocka_unit_test(call_options_stand_beside_the_conf),
        cmocka_unit_test(variables_are_put_in_where_they_are_named),
        cmocka_unit_test(riko_ignores_the_case_of_keys),
        cmocka_unit_test(errors_of_the_text_have_their_place),
        cmocka_unit_test(errors_of_settings_have_their_place),
        cmocka_unit_test(errors_of_modules_have_their_place),
        cmocka_unit_test(errors_of_confs_have_their_place),
        cmocka_unit_test(errors_of_wires_have_their_place),
        cmocka_unit_test(a_second_definition_is_refused),
        cmocka_unit_test(broken_definitions_are_survived),
        cmocka_unit_test(a_failure_stays),
        cmocka_unit_test(every_member_can_be_located),
        cmocka_unit_test(numbers_of_any_size_are_exact),
        cmocka_unit_test(secrets_are_for_urls_that_people_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
