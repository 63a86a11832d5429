/* vectors.c: runs the examples of one file under every pool, number of workers and size of unit.
 *
 *     vectors FILE.jsonl
 *
 * A line is one example, a JSON object:
 *
 *     pipe, conf       the pipe under test and its conf; `pipeline` instead: a whole definition ({"dag": D} for the short form)
 *     in               its input: an object is one item, a list a stream; absent: nothing is wired to its input
 *     kw               members of its module: field, assign, emit, count
 *     inputs           values of `input` pipes
 *     terminals        name -> elements of the stream wired to that name
 *     other, others    the second stream of join, the further ones of union
 *     files            name -> content, made before; addressed as file:///T/NAME, there for the lines that follow too; where
 *                      subpipes are looked for
 *     out | error      the complete result (split: a list for each copy), or anything: the run must fail
 *     take             stop after so many results
 *     pick             compare these keys only; "<absent>" stands for a key that must not be there
 *     get, of          instead of a pipe: a path and the object it is looked up in
 *     dialect          native; without it riko
 *     skip             why this line is not run
 *
 * Streams enter as JSON Lines files, so their values arrive exactly. How expected values of types that JSON lacks are written is
 * said at put_special. Every run of an example must give the same bytes, its error message included. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <jansson.h>

#include "record/number/number.h"
#include "record/path.h"
#include "plan/internal.h"
#include "sluice.h"

typedef struct run_mode {
    const char *parallel, *threads, *workers, *unit, *stall;
} run_mode;

typedef struct example {
    const char *file;
    int line;
    json_t *root;
    char *definition; /* NULL: a path lookup */
    const char *dir;  /* for files and streams */
    char base[64];    /* what file:///T becomes */
    int streams;      /* made so far */
    json_t *modules, *wires;
} example;

/* ---- expected values as sluice writes them ---------------------------------------------------------------------------- */

static void put_expected(const json_t *v, sl_buf *out);

/* The types that JSON lacks stand in examples as {"$type": value}:
 *   $dec    a decimal, written as a bare number with exactly these digits; NaN as null
 *   $float  nan or inf, written as null
 *   $date, $dt   a date or a date-time, written as ISO 8601 text
 *   $tm     a broken-down time, nine numbers, written as the ISO 8601 text of its clock
 * Inside of inputs they enter in the same form, which is what pipes read as such a value.
 * False: V is an ordinary object. */
static bool put_special(const json_t *v, sl_buf *out) {
    const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)v));
    if (!key || key[0] != '$' || json_object_size(v) != 1) return false;
    const json_t *inner = json_object_get(v, key);
    if (strcmp(key, "$dec") == 0 || strcmp(key, "$float") == 0) {
        bool number = strpbrk(json_string_value(inner), "0123456789") != NULL;
        sl_buf_str(out, number ? json_string_value(inner) : "null");
    } else if (strcmp(key, "$tm") == 0) {
        int n[6] = {0};
        for (size_t i = 0; i < 6; i++) n[i] = (int)json_integer_value(json_array_get(inner, i));
        sl_buf_printf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d\"", n[0], n[1], n[2], n[3], n[4], n[5]);
    } else {
        put_expected(inner, out);
    }
    return true;
}

static void put_object(const json_t *v, sl_buf *out) {
    json_t *object = (json_t *)(uintptr_t)v, *member;
    const char *key, *gap = "";
    sl_buf_byte(out, '{');
    json_object_foreach(object, key, member) {
        sl_buf_str(out, gap);
        sl_json_text(sl_text_of(key), out);
        sl_buf_byte(out, ':');
        put_expected(member, out);
        gap = ",";
    }
    sl_buf_byte(out, '}');
}

static void put_expected(const json_t *v, sl_buf *out) {
    char digits[32];
    size_t i;
    json_t *element;
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        if (!put_special(v, out)) put_object(v, out);
        break;
    case JSON_ARRAY:
        sl_buf_byte(out, '[');
        json_array_foreach(v, i, element) {
            if (i) sl_buf_byte(out, ',');
            put_expected(element, out);
        }
        sl_buf_byte(out, ']');
        break;
    case JSON_REAL: sl_buf_add(out, digits, sl_format_double(json_real_value(v), digits)); break;
    case JSON_INTEGER: sl_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v)); break;
    case JSON_STRING: sl_json_text(sl_text_of(json_string_value(v)), out); break;
    case JSON_TRUE: sl_buf_str(out, "true"); break;
    case JSON_FALSE: sl_buf_str(out, "false"); break;
    case JSON_NULL: sl_buf_str(out, "null"); break;
    }
}

static void put_line(const json_t *item, sl_buf *out) {
    put_expected(item, out);
    sl_buf_byte(out, '\n');
}

static void put_lines(const json_t *items, sl_buf *out) {
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item) {
        put_line(item, out);
    }
}

/* ---- files ------------------------------------------------------------------------------------------------------------ */

static bool write_file(const example *e, const char *name, const char *bytes, size_t n) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", e->dir, name);
    FILE *f = fopen(path, "wb");
    if (!f) return false;
    bool written = fwrite(bytes, 1, n, f) == n;
    return fclose(f) == 0 && written;
}

static bool make_files(const example *e) {
    const char *name;
    json_t *content, *files = json_object_get(e->root, "files");
    json_object_foreach(files, name, content) {
        if (!write_file(e, name, json_string_value(content), json_string_length(content))) return false;
    }
    return true;
}

static void remove_folder(const char *dir) {
    char path[512];
    DIR *d = opendir(dir);
    for (struct dirent *f = d ? readdir(d) : NULL; f; f = readdir(d)) {
        snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
        unlink(path);
    }
    if (d) closedir(d);
    rmdir(dir);
}

/* ---- the definition around one pipe ------------------------------------------------------------------------------------- */

static void add_wire(example *e, const char *from, const char *to, const char *port) {
    json_array_append_new(e->wires,
                          json_pack("{s:o, s:{s:s, s:s}, s:{s:s, s:s}}", "id",
                                    json_sprintf("w%zu", json_array_size(e->wires)), "src", "id", "_OUTPUT",
                                    "moduleid", from, "tgt", "id", port, "moduleid", to));
}

/* ELEMENTS as the lines of a file, and a module that reads them into PORT of the pipe. */
static bool add_stream(example *e, const json_t *elements, const char *port) {
    sl_buf lines = {0};
    char name[32], id[32], url[128];
    snprintf(name, sizeof name, "stream-%d.jsonl", e->streams);
    snprintf(id, sizeof id, "stream-%d", e->streams++);
    put_lines(elements, &lines);
    bool written = write_file(e, name, sl_buf_cstr(&lines), lines.len);
    sl_buf_free(&lines);
    snprintf(url, sizeof url, "%s/%s", e->base, name);
    json_array_append_new(
        e->modules, json_pack("{s:s, s:s, s:{s:s}}", "id", id, "type", "fetchdata", "conf", "url", url));
    add_wire(e, id, "pipe", port);
    return written;
}

static bool add_streams(example *e) {
    const char *name;
    size_t i;
    json_t *stream, *in = json_object_get(e->root, "in"), *other = json_object_get(e->root, "other");
    bool made = true;
    if (in && !json_is_null(in)) {
        stream = json_is_array(in) ? json_incref(in) : json_pack("[O]", in);
        made = add_stream(e, stream, "_INPUT");
        json_decref(stream);
    }
    if (other) made = add_stream(e, other, "other") && made;
    json_array_foreach(json_object_get(e->root, "others"), i, stream) {
        made = add_stream(e, stream, "_OTHER") && made;
    }
    json_object_foreach(json_object_get(e->root, "terminals"), name, stream) {
        made = add_stream(e, stream, name) && made;
    }
    return made;
}

/* The pipe's result leads to the output; the copies that a split makes go there one after another, through a union. */
static void add_output(example *e) {
    const json_t *out = json_object_get(e->root, "out");
    bool split = strcmp(json_string_value(json_object_get(e->root, "pipe")), "split") == 0;
    if (split) {
        json_array_append_new(e->modules,
                              json_pack("{s:s, s:s, s:{}}", "id", "all", "type", "union", "conf"));
        for (size_t i = 0; i < json_array_size(out); i++) add_wire(e, "pipe", "all", i ? "_OTHER" : "_INPUT");
    }
    json_array_append_new(e->modules,
                          json_pack("{s:s, s:s, s:{}}", "id", "_OUTPUT", "type", "output", "conf"));
    add_wire(e, split ? "all" : "pipe", "_OUTPUT", "_INPUT");
}

static json_t *wrap_pipe(example *e, bool *made) {
    json_t *conf = json_object_get(e->root, "conf");
    json_t *node = json_pack("{s:s, s:O, s:o}", "id", "pipe", "type", json_object_get(e->root, "pipe"),
                             "conf", conf ? json_incref(conf) : json_object());
    json_t *kw = json_object_get(e->root, "kw");
    if (kw) json_object_update(node, kw);
    e->modules = json_array();
    e->wires = json_array();
    *made = add_streams(e);
    json_array_append_new(e->modules, node);
    add_output(e);
    return json_pack("{s:o, s:o}", "modules", e->modules, "wires", e->wires);
}

static bool make_definition(example *e) {
    json_t *definition = json_object_get(e->root, "pipeline");
    bool made = make_files(e);
    if (definition) {
        json_t *dag = json_object_get(definition, "dag");
        e->definition = json_dumps(dag ? dag : definition, 0);
    } else if (json_object_get(e->root, "pipe")) {
        bool streams;
        json_t *wrapped = wrap_pipe(e, &streams);
        e->definition = json_dumps(wrapped, 0);
        json_decref(wrapped);
        made = made && streams;
    }
    return made;
}

/* ---- one run ------------------------------------------------------------------------------------------------------------ */

static sl_status set_up(const example *e, const run_mode *m, sl_pipeline *p, sl_error *err) {
    const char *name;
    json_t *value;
    const char *native = json_string_value(json_object_get(e->root, "dialect"));
    const char *options[][2] = {{"dialect", native ? native : "riko"},
                                {"parallel", m->parallel},
                                {"threads", m->threads},
                                {"workers", m->workers},
                                {"unit", m->unit},
                                {"stall", m->stall},
                                {"pipe_path", e->dir}};
    for (size_t i = 0; i < SL_COUNT(options); i++)
        TRY(sl_pipeline_option(p, options[i][0], options[i][1], err));
    json_object_foreach(json_object_get(e->root, "inputs"), name, value) {
        TRY(sl_pipeline_input(p, name, json_string_value(value), err));
    }
    return sl_pipeline_load(p, e->definition, "example", err);
}

/* Only the keys that the example picks, in its order; what is missing is marked. */
static void put_picked(const json_t *pick, const char *line, sl_buf *out) {
    json_t *item = json_loads(line, JSON_DECODE_ANY, NULL), *picked = json_object(), *key;
    size_t i;
    json_array_foreach(pick, i, key) {
        json_t *v = json_object_get(item, json_string_value(key));
        json_object_set_new(picked, json_string_value(key), v ? json_incref(v) : json_string("<absent>"));
    }
    put_expected(picked, out);
    json_decref(picked);
    json_decref(item);
}

static sl_status read_all(const example *e, sl_stream *s, sl_buf *out, sl_error *err) {
    json_t *take = json_object_get(e->root, "take");
    const json_t *pick = json_object_get(e->root, "pick");
    json_int_t left = take ? json_integer_value(take) : -1;
    const char *line;
    sl_status status = SL_OK;
    while (left-- != 0 && (status = sl_stream_next(s, &line, NULL, err)) == SL_OK) {
        if (pick)
            put_picked(pick, line, out);
        else
            sl_buf_str(out, line);
        sl_buf_byte(out, '\n');
    }
    return status == SL_DONE ? SL_OK : status;
}

/* The results of one run, a line each; or its error alone, because how many items come before it depends on the size of units. */
static void transcribe(const example *e, const run_mode *m, sl_buf *out) {
    sl_error err = {0};
    char message[2048];
    sl_pipeline *p = sl_pipeline_new();
    sl_stream *s = NULL;
    sl_status status = p ? set_up(e, m, p, &err) : SL_E_MEMORY;
    if (status == SL_OK && !(s = sl_pipeline_open(p, &err))) status = err.code;
    if (status == SL_OK) status = read_all(e, s, out, &err);
    sl_stream_close(&s);
    sl_pipeline_free(&p);
    if (status == SL_OK) return;
    sl_buf_clear(out);
    sl_buf_printf(out, "error: %s\n", sl_error_format(&err, message, sizeof message));
}

/* ---- judging ------------------------------------------------------------------------------------------------------------ */

static bool blame(const example *e, const char *what, const char *mode, const char *want, const char *got) {
    fprintf(stderr, "%s:%d: %s (%s)\n  definition: %s\n  expected:\n%s\n  got:\n%s\n", e->file, e->line, what,
            mode, e->definition ? e->definition : "", want, got);
    return false;
}

static bool judge(const example *e, sl_buf *got) {
    sl_buf want = {0};
    size_t i;
    json_t *item, *out = json_object_get(e->root, "out");
    const char *text = sl_buf_cstr(got);
    bool failed = strncmp(text, "error: ", 7) == 0, good;
    json_array_foreach(out, i, item) {
        if (json_is_array(item))
            put_lines(item, &want);
        else
            put_line(item, &want);
    }
    if (out)
        good = strcmp(sl_buf_cstr(&want), text) == 0 || blame(e, "wrong", "inline", want.data, text);
    else
        good = failed || blame(e, "no error", "inline", "an error", text);
    sl_buf_free(&want);
    return good;
}

/* Whether a run in this mode gives what the run inline gave. */
static bool agrees(const example *e, const run_mode *m, sl_buf *reference) {
    char mode[128];
    sl_buf got = {0};
    transcribe(e, m, &got);
    snprintf(mode, sizeof mode, "parallel %s, threads %s, workers %s, unit %s, stall %s", m->parallel,
             m->threads, m->workers, m->unit, m->stall);
    bool same = strcmp(sl_buf_cstr(&got), sl_buf_cstr(reference)) == 0 ||
                blame(e, "differs", mode, sl_buf_cstr(reference), sl_buf_cstr(&got));
    sl_buf_free(&got);
    return same;
}

/* Sanitizers look at the code, not at the bytes, and forking under them is slow: they get every pool, but fewer workers and units. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const char *const units[] = {"1", "1M"}, *const workers[] = {"1", "2", "3"};
#else
static const char *const units[] = {"1", "64", "1M"}, *const workers[] = {"1", "2", "3", "8"};
#endif

static bool run_matrix(const example *e, sl_buf *reference) {
    bool good = true;
    for (size_t u = 0; u < SL_COUNT(units); u++) {
        good = agrees(e, &(run_mode){"false", "true", "1", units[u], "0"}, reference) && good;
        for (size_t w = 0; w < SL_COUNT(workers); w++) {
            const char *stall = u == 0 && w == 2 ? "2000" : "0";
            good = agrees(e, &(run_mode){"true", "true", workers[w], units[u], stall}, reference) && good;
            good = agrees(e, &(run_mode){"true", "false", workers[w], units[u], stall}, reference) && good;
        }
    }
    return good;
}

static sl_status look_up(const example *e, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_path path;
    sl_value of;
    char *text = json_dumps(json_object_get(e->root, "of"), 0);
    sl_status status = sl_path_compile(&path, sl_text_of(json_string_value(json_object_get(e->root, "get"))),
                                       SL_RIKO, arena, err);
    if (status == SL_OK) status = sl_json_parse(text, strlen(text), "of", arena, &of, err);
    if (status == SL_OK) status = sl_path_get(&path, of, arena, out, err);
    free(text);
    return status;
}

static bool judge_path(const example *e) {
    sl_arena arena = {0};
    sl_buf want = {0}, got = {0};
    sl_value v = sl_missing();
    sl_error err = {0};
    put_expected(json_object_get(e->root, "out"), &want);
    if (look_up(e, &arena, &v, &err) == SL_OK)
        sl_json_write(v, &got);
    else
        sl_buf_str(&got, err.text);
    bool good = strcmp(sl_buf_cstr(&want), sl_buf_cstr(&got)) == 0 ||
                blame(e, "wrong", "lookup", want.data, got.data);
    sl_buf_free(&want);
    sl_buf_free(&got);
    sl_arena_free(&arena);
    return good;
}

static bool run_example(example *e) {
    sl_buf reference = {0};
    const char *why = json_string_value(json_object_get(e->root, "skip"));
    if (why) {
        printf("%s:%d: skipped: %s\n", e->file, e->line, why);
        return true;
    }
    if (json_object_get(e->root, "get")) return judge_path(e);
    if (!make_definition(e)) return blame(e, "cannot make its files", strerror(errno), "", "");
    transcribe(e, &(run_mode){"false", "true", "1", "1M", "0"}, &reference);
    bool good = judge(e, &reference) && run_matrix(e, &reference);
    sl_buf_free(&reference);
    free(e->definition);
    return good;
}

/* ---- the file ----------------------------------------------------------------------------------------------------------- */

/* The example of LINE, in which BASE stands for file:///T. NULL: it is none, WHY says so. */
static json_t *parse_line(const char *line, const char *base, json_error_t *why) {
    static const char mark[] = "file:///T/";
    sl_buf text = {0};
    for (const char *from = line; from;) {
        const char *hit = strstr(from, mark);
        sl_buf_add(&text, from, hit ? (size_t)(hit - from) : strlen(from));
        if (hit) sl_buf_printf(&text, "%s/", base);
        from = hit ? hit + strlen(mark) : NULL;
    }
    json_t *root = json_loads(sl_buf_cstr(&text), 0, why);
    sl_buf_free(&text);
    return root;
}

static int run_lines(FILE *f, const char *file, const char *dir) {
    char *line = NULL;
    size_t room = 0;
    int bad = 0, number = 0;
    while (getline(&line, &room, f) > 0) {
        json_error_t why;
        example e = {.file = file, .line = ++number, .dir = dir};
        snprintf(e.base, sizeof e.base, "file://%s", dir);
        e.root = parse_line(line, e.base, &why);
        if (!e.root) fprintf(stderr, "%s:%d: %s\n", file, number, why.text);
        if (!e.root || !run_example(&e)) bad++;
        json_decref(e.root);
    }
    free(line);
    printf("%s: %d examples, %d wrong\n", file, number, bad);
    return bad || !number;
}

int main(int argc, char **argv) {
    char dir[] = "/tmp/sluice-vectors-XXXXXX";
    FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!f || !mkdtemp(dir)) {
        fprintf(stderr, "usage: vectors FILE.jsonl\n");
        return 2;
    }
    int bad = run_lines(f, argv[1], dir);
    fclose(f);
    remove_folder(dir);
    return bad ? 1 : 0;
}
