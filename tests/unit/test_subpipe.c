/* Loops, subpipes and mailboxes as definitions give them: what is wrong with one is told with its place, in whichever file that is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files_fixture.h"
#include "sluice.h"

static scratch folder;

static int make_folder(void **state) {
    (void)state;
    return scratch_make(&folder);
}

static int remove_folder(void **state) {
    (void)state;
    return scratch_remove(&folder);
}

static void write_text(const char *name, const char *text) {
    scratch_write(&folder, name, text, strlen(text));
}

/* NAME of the folder, read and checked. */
static sl_pipeline *checked(const char *name, sl_error *err) {
    char path[256];
    sl_pipeline *p = sl_pipeline_new();
    assert_non_null(p);
    scratch_path(&folder, name, path);
    if (sl_pipeline_load_file(p, path, err) == SL_OK) (void)sl_pipeline_check(p, err);
    return p;
}

/* The whole message, with D/ for the folder. */
static void assert_refused(const char *name, const char *expected) {
    sl_error err = {0};
    char shown[1200], got[1200] = "";
    sl_pipeline *p = checked(name, &err);
    const char *at = sl_error_format(&err, shown, sizeof shown);
    for (const char *hit; (hit = strstr(at, folder.dir)); at = hit + strlen(folder.dir)) {
        strncat(got, at, (size_t)(hit - at));
        strcat(got, "D");
    }
    strcat(got, at);
    assert_string_equal(got, expected);
    assert_int_equal(sl_exit_code(err.code), 2);
    sl_pipeline_free(&p);
}

static void assert_module(const char *module, const char *expected) {
    char text[2048];
    snprintf(text, sizeof text,
             "{\"modules\": [{\"type\": \"itembuilder\", \"conf\": {\"attrs\": []}},\n%s]}", module);
    write_text("m.json", text);
    assert_refused("m.json", expected);
}

static void loops_say_what_is_wrong(void **state) {
    (void)state;
    assert_module("{\"type\": \"loop\", \"conf\": {}}",
                  "D/m.json:2:1: step 2 (loop): loop without 'embed': the submodule to run for each item, "
                  "{\"type\": PIPE}");
    assert_module("{\"type\": \"loop\", \"embed\": {\"type\": \"tokenzier\"}}",
                  "D/m.json:2:28: step 2 (loop): unknown pipe 'tokenzier', did you mean 'tokenizer'?");
    assert_module(
        "{\"type\": \"loop\", \"embed\": 3}",
        "D/m.json:2:18: step 2 (loop): 'embed' is the submodule of the loop, {\"type\": PIPE} or the name of "
        "a pipe");
    assert_module(
        "{\"type\": \"loop\", \"embed\": {\"type\": \"sort\"}}",
        "D/m.json:2:28: step 2 (loop): 'sort' cannot be run for each item: a loop takes a processor, a "
        "source other than input, or a subpipe (pipe:ID)");
    assert_module("{\"type\": \"loop\", \"embed\": {\"typ\": \"hash\"}}",
                  "D/m.json:2:28: unknown key 'typ' in the embed, did you mean 'type'?");
    assert_module("{\"type\": \"loop\", \"embd\": {\"type\": \"hash\"}}",
                  "D/m.json:2:18: unknown key 'embd' in the module, did you mean 'embed'?");
    assert_module("{\"type\": \"hash\", \"embed\": {\"type\": \"hash\"}}",
                  "D/m.json:2:18: step 2 (hash): 'embed' belongs to a loop, and 'hash' is none");
    assert_module("{\"type\": \"loop\", \"embed\": \"tokenizer\", \"conf\": {\"delimter\": 1}}",
                  "D/m.json:2:49: step 2 (tokenizer): unknown key 'delimter', did you mean 'delimiter'?");
    assert_module(
        "{\"type\": \"loop\", \"conf\": {\"embed\": {\"value\": {\"type\": \"tokenizer\", \"conf\": {\n"
        "\"delimter\": 1}}}, \"mode\": \"EMIT\"}}",
        "D/m.json:3:1: step 2 (tokenizer): unknown key 'delimter', did you mean 'delimiter'?");
}

static void old_types_say_what_became_of_them(void **state) {
    (void)state;
    assert_module("{\"type\": \"yql\"}",
                  "D/m.json:2:2: step 2: 'yql' was a service of Yahoo! Pipes and has no counterpart");
    assert_module("{\"type\": \"loop\", \"embed\": {\"type\": \"termextractor\"}}",
                  "D/m.json:2:28: step 2 (loop): 'termextractor' was a service of Yahoo! Pipes and has no "
                  "counterpart");
    assert_module("{\"type\": \"submodule\", \"conf\": {}}",
                  "D/m.json:2:1: step 2: 'submodule' does not say which pipeline: write its type as pipe:ID");
}

static void subpipes_are_looked_for(void **state) {
    (void)state;
    assert_module(
        "{\"type\": \"pipe:none\"}",
        "D/m.json:2:2: step 2: no subpipe 'none': there is no file pipe_none.json in 'D'; --pipe-path "
        "names further folders");
    assert_module(
        "{\"type\": \"pipe:../x\"}",
        "D/m.json:2:2: step 2: 'pipe:../x' is no subpipe: an ID is letters, digits, _, - and dots, none of "
        "them first");
    assert_module(
        "{\"type\": \"pipe:none\", \"emit\": true}",
        "D/m.json:2:1: step 2: a subpipe takes the items as they are, without call options; what it shall "
        "know comes from its inputs and variables");
    write_text("m.json",
               "{\"pipe_path\": [\"a\", \"/b\"], \"modules\": {\"type\": \"loop\", \"embed\": \"pipe:x\"}}");
    assert_refused("m.json",
                   "D/m.json:1:56: step 1 (loop): no subpipe 'x': there is no file pipe_x.json in 'D', "
                   "'D/a', '/b'; --pipe-path names further folders");
}

static void errors_inside_name_their_own_file(void **state) {
    (void)state;
    write_text("pipe_in.json",
               "[{\"type\": \"tokenizer\"},\n {\"type\": \"truncate\", \"conf\": {\"cuont\": 1}}]");
    write_text("a.json", "[{\"type\": \"pipe:in\"}]");
    assert_refused("a.json",
                   "D/pipe_in.json:2:32: step 2 (truncate): unknown key 'cuont', did you mean 'count'?");
    write_text("a.json", "[{\"type\": \"loop\", \"embed\": \"pipe:in\"}]");
    assert_refused("a.json",
                   "D/pipe_in.json:2:32: step 2 (truncate): unknown key 'cuont', did you mean 'count'?");
    write_text("pipe_in.json", "[{\"type\": \"tokenizer\"},\n {\"type\": \"truncte\"}]");
    assert_refused("a.json", "D/pipe_in.json:2:3: step 2: unknown pipe 'truncte', did you mean 'truncate'?");
    write_text("pipe_in.json", "[{\"type\":");
    assert_refused("a.json", "D/pipe_in.json:1:10: not valid JSON: expected a value, but the record ends");
}

static void subpipes_in_a_circle_name_the_chain(void **state) {
    (void)state;
    write_text("top.json", "[{\"type\": \"pipe:one\"}]");
    write_text("pipe_one.json",
               "[{\"type\": \"hash\"},\n{\"type\": \"loop\", \"embed\": {\"type\": \"pipe:two\"}}]");
    write_text("pipe_two.json", "[{\"type\": \"pipe:one\"}]");
    assert_refused("top.json", "D/pipe_two.json:1:3: step 1: a subpipe contains itself: D/pipe_one.json -> "
                               "D/pipe_two.json -> D/pipe_one.json");
}

static void circles_across_subpipes_name_the_modules(void **state) {
    (void)state;
    write_text("pipe_in.json", "[{\"type\": \"hash\"}]");
    write_text(
        "c.json",
        "{\"modules\": [{\"id\": \"a\", \"type\": \"pipe:in\"},\n{\"id\": \"b\", \"type\": \"hash\"}], "
        "\"wires\": [[\"a\", \"b\"], [\"b\", \"a\"]]}");
    assert_refused("c.json", "D/c.json:1:14: the modules feed each other in a circle: 'b' -> 'a' -> 'b'");
    write_text(
        "c.json",
        "[{\"type\": \"receive\", \"conf\": {\"name\": \"q\"}},\n{\"type\": \"send\", \"conf\": {\"others\": "
        "[\"q\"]}}]");
    assert_refused("c.json",
                   "D/c.json:1:2: the modules feed each other in a circle: 'sw-2' -> 'sw-1' -> 'sw-2'");
}

static void mailboxes_need_a_receiver(void **state) {
    (void)state;
    assert_module("{\"type\": \"send\", \"conf\": {\n\"others\": [\"a\"]}}",
                  "D/m.json:3:1: step 2 (send): no receive has the name 'a'");
    assert_module(
        "{\"type\": \"receive\", \"conf\": {\"name\": \"a\",\n\"max_len\": 0}}",
        "D/m.json:3:1: step 2 (receive): key 'max_len' must be 1 to 4611686018427387903 items, got 0");
}

static void riko_warns_and_goes_on(void **state) {
    (void)state;
    sl_error err = {0};
    write_text("w.json",
               "{\"dialect\": \"riko\", \"modules\": [{\"type\": \"send\", \"conf\": {\"others\": \"x\"}},\n"
               "{\"type\": \"loop\", \"embed\": {\"type\": \"sort\"}}]}");
    sl_pipeline *p = checked("w.json", &err);
    assert_int_equal(err.code, SL_OK);
    assert_non_null(strstr(sl_pipeline_warning(p, 0), "w.json:1:33: step 1 (send): nobody receives 'x'"));
    assert_non_null(
        strstr(sl_pipeline_warning(p, 1), "w.json:2:1: step 2 (loop): 'sort' cannot be run for each item"));
    assert_null(sl_pipeline_warning(p, 2));
    sl_pipeline_free(&p);
}

/* What fails while a subpipe runs is told with the step that refers to it and the place inside. */
static void failures_at_run_time_have_both_places(void **state) {
    (void)state;
    static const char *const forms[] = {"{\"type\": \"pipe:sum\"}",
                                        "{\"type\": \"loop\", \"embed\": \"pipe:sum\"}"};
    write_text("pipe_sum.json", "[{\"type\": \"truncate\", \"conf\": {\"count\": 1}},\n{\"type\": \"sum\"}]");
    for (unsigned i = 0; i < 2; i++) {
        char text[512], shown[1200];
        sl_error err = {0};
        snprintf(text, sizeof text,
                 "[{\"type\": \"itembuilder\", \"conf\": {\"attrs\": {\"key\": \"content\", \"value\": "
                 "\"x\"}}}, %s]",
                 forms[i]);
        write_text("r.json", text);
        sl_pipeline *p = checked("r.json", &err);
        sl_stream *s = sl_pipeline_open(p, &err);
        const char *line;
        assert_non_null(s);
        assert_int_equal(sl_stream_next(s, &line, NULL, &err), SL_E_DATA);
        const char *message = sl_error_format(&err, shown, sizeof shown);
        assert_ptr_equal(strstr(message, "step 2 (sum): "), message);
        assert_non_null(strstr(message, "/pipe_sum.json:2:1: 'x' is not a number"));
        sl_stream_close(&s);
        sl_pipeline_free(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_say_what_is_wrong),
        cmocka_unit_test(old_types_say_what_became_of_them),
        cmocka_unit_test(subpipes_are_looked_for),
        cmocka_unit_test(errors_inside_name_their_own_file),
        cmocka_unit_test(subpipes_in_a_circle_name_the_chain),
        cmocka_unit_test(circles_across_subpipes_name_the_modules),
        cmocka_unit_test(mailboxes_need_a_receiver),
        cmocka_unit_test(riko_warns_and_goes_on),
        cmocka_unit_test(failures_at_run_time_have_both_places),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
