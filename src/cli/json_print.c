/* json_print.c: shows the library's JSON descriptions to people. The library describes pipes, plans and definitions as JSON,
 * for tools; the program prints those same descriptions, so the two can never say different things. Texts of a definition are
 * made harmless to a terminal first. */
#include "cli/json_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/wrap.h"

#include "sluice_program.h"

const char *cli_text_of(const json_t *o, const char *key) {
    const char *t = json_string_value(json_object_get(o, key));
    return t ? t : "";
}

/* Escapes the control characters in all texts of V, which come from a definition. */
void cli_make_harmless(json_t *v) {
    size_t i;
    json_t *part;
    const char *key;
    if (json_is_string(v)) {
        size_t size = 6 * json_string_length(v) + 1;
        char *shown = malloc(size);
        if (!shown || json_string_set(v, sl_show_text(json_string_value(v), shown, size)) != 0)
            json_string_set(v, "");
        free(shown);
    }
    json_array_foreach(v, i, part) cli_make_harmless(part);
    json_object_foreach(v, key, part) cli_make_harmless(part);
}

/* ---- plan ------------------------------------------------------------------------------------------------------------------ */

static double megabytes(const json_t *o, const char *key) {
    return (double)json_integer_value(json_object_get(o, key)) / 1e6;
}

static void print_units(const json_t *branch) {
    if (!json_object_get(branch, "units")) return;
    int units = (int)json_integer_value(json_object_get(branch, "units"));
    printf("      %.1f MB, about %d unit%s\n", megabytes(branch, "bytes"), units, units == 1 ? "" : "s");
}

static void print_sizes(const json_t *plan) {
    printf("  units of %.1f MB; %.0f MB for each stage that gathers, %.0f MB of it for a worker\n",
           megabytes(plan, "unit"), megabytes(plan, "stage_memory"), megabytes(plan, "worker_memory"));
}

static void print_branch(const json_t *branch) {
    size_t i;
    json_t *step;
    const char *read = cli_text_of(branch, "read"), *url = cli_text_of(branch, "url");
    if (*read)
        printf("    read %s%s%s", read, *url ? " " : "", url);
    else
        printf("    from stage %d", (int)json_integer_value(json_object_get(branch, "stage")) + 1);
    json_array_foreach(json_object_get(branch, "steps"), i, step)
        printf(" -> %s (%s)", cli_text_of(step, "pipe"), cli_text_of(step, "runs"));
    putchar('\n');
}

static void print_reason(const json_t *stage) {
    printf("       cut here as it %s%s\n", cli_text_of(stage, "cut"),
           json_is_true(json_object_get(stage, "gathers")) ? "; gathers" : "");
}

static void print_stage(const json_t *stage, bool verbose) {
    size_t i;
    json_t *branch;
    printf("  stage %d\n", (int)json_integer_value(json_object_get(stage, "stage")) + 1);
    json_array_foreach(json_object_get(stage, "branches"), i, branch) {
        print_branch(branch);
        if (verbose) print_units(branch);
    }
    const char *pipe = cli_text_of(stage, "pipe");
    printf("    => %s%s%s\n", pipe, *pipe ? ": " : "", cli_text_of(stage, "end"));
    if (verbose) print_reason(stage);
}

void cli_print_plan(const char *json, bool verbose) {
    json_t *plan = json_loads(json, 0, NULL), *stage, *sink;
    size_t i;
    cli_make_harmless(plan);
    const char *name = cli_text_of(plan, "name");
    printf("%s%s%s pool, %d workers, %s dialect\n", name, *name ? ": " : "", cli_text_of(plan, "pool"),
           (int)json_integer_value(json_object_get(plan, "workers")), cli_text_of(plan, "dialect"));
    if (verbose) print_sizes(plan);
    json_array_foreach(json_object_get(plan, "stages"), i, stage) print_stage(stage, verbose);
    json_array_foreach(json_object_get(plan, "sinks"), i, sink)
        printf("  to %s (%s)\n", cli_text_of(sink, "to"), cli_text_of(sink, "sink"));
    json_decref(plan);
}

/* ---- outline --------------------------------------------------------------------------------------------------------------- */

static void print_inputs(const json_t *inputs) {
    size_t i;
    json_t *input;
    json_array_foreach(inputs, i, input) {
        const char *name = json_string_value(json_array_get(input, 1));
        const char *prompt = json_string_value(json_array_get(input, 2));
        const char *type = json_string_value(json_array_get(input, 3));
        char *fallback = json_dumps(json_array_get(input, 4), JSON_ENCODE_ANY);
        printf("input %s%s%s", name ? name : "content", prompt ? ": " : "", prompt ? prompt : "");
        if (type && fallback) printf(" (%s, default %s)", type, fallback);
        putchar('\n');
        free(fallback);
    }
}

void cli_print_outline(const char *json, bool inputs) {
    json_t *root = json_loads(json, JSON_DECODE_ANY, NULL), *pipe;
    size_t i;
    bool both = json_is_object(root);
    cli_make_harmless(root);
    if (inputs) print_inputs(both ? json_object_get(root, "inputs") : root);
    if (both || !inputs)
        json_array_foreach(both ? json_object_get(root, "dependencies") : root, i, pipe)
            printf("pipe %s\n", json_string_value(pipe));
    json_decref(root);
}

/* ---- pipes ------------------------------------------------------------------------------------------------------------------ */

static void print_kind(const json_t *pipes, const char *kind, const char *title) {
    size_t i;
    json_t *pipe;
    printf("%s\n", title);
    json_array_foreach(pipes, i, pipe) if (strcmp(cli_text_of(pipe, "kind"), kind) == 0)
        cli_wrap(cli_text_of(pipe, "summary"), 20, printf("  %-17s ", cli_text_of(pipe, "name")));
}

void cli_print_pipes(const char *json) {
    json_t *pipes = json_loads(json, JSON_DECODE_ANY, NULL);
    print_kind(pipes, "source", "sources");
    print_kind(pipes, "processor", "processors, item by item");
    print_kind(pipes, "operator", "operators, over the stream");
    print_kind(pipes, "splitter", "splitters");
    puts("\nsluice pipes NAME tells everything about one");
    json_decref(pipes);
}

static void print_options(const json_t *options, int indent) {
    size_t i;
    json_t *o;
    json_array_foreach(options, i, o) {
        int column = printf("%*s%-*s ", indent, "", 20 - indent, cli_text_of(o, "name"));
        cli_wrap(cli_text_of(o, "usage"), 21, column);
        cli_wrap(cli_text_of(o, "help"), 22, 0);
        print_options(json_object_get(o, "rule"), indent + 4);
    }
}

enum { FACTS = 512 };

static void add_fact(char facts[FACTS], const char *what, const char *value) {
    size_t n = strlen(facts);
    if (*value) snprintf(facts + n, FACTS - n, "%s%s %s", n ? "; " : "defaults: ", what, value);
}

/* What holds where the module does not say: the same facts as in docs/pipes.md. */
static void print_calls(const json_t *pipe) {
    char facts[FACTS] = "";
    add_fact(facts, "field", cli_text_of(pipe, "field"));
    if (strcmp(cli_text_of(pipe, "cast"), "pass") != 0) add_fact(facts, "read as", cli_text_of(pipe, "cast"));
    add_fact(facts, "result under", cli_text_of(pipe, "assign"));
    add_fact(facts, "main key", cli_text_of(pipe, "main"));
    if (*facts) putchar('\n');
    if (*facts) cli_wrap(facts, 0, 0);
    if (json_is_true(json_object_get(pipe, "second_stream"))) puts("\nport `other`: the second stream");
    if (json_is_true(json_object_get(pipe, "more_streams")))
        puts("\nports `_OTHER`, `_OTHER1`, ...: further streams");
}

/* The length of TEXT up to the first MARK that stands in no quotes. */
static size_t length_before(const char *text, const char *mark) {
    char quote = 0;
    size_t n = 0;
    for (; text[n] && (quote || strncmp(text + n, mark, strlen(mark)) != 0); n++) {
        if (quote ? text[n] == quote : text[n] == '\'' || text[n] == '"') quote = quote ? 0 : text[n];
    }
    return n;
}

/* One step of N bytes, in several lines if it has to be; returns the column behind it. */
static int print_step(const char *step, size_t n, int column) {
    for (size_t at = 0; at < n;) {
        size_t word = length_before(step + at, " ");
        if (word > n - at) word = n - at;
        bool fits = column + (int)word + 1 <= CLI_WIDTH;
        if (at) fputs(fits ? " " : "\n        ", stdout);
        column = (at && !fits ? 8 : column + (at > 0)) + printf("%.*s", (int)word, step + at);
        at += word + (step[at + word] == ' ');
    }
    return column;
}

/* As many to a line as a terminal shows: between steps and words a line end is as good as a blank. */
static void print_steps(const char *steps, int column) {
    for (;;) {
        size_t n = length_before(steps, " | ");
        column = print_step(steps, n, column);
        steps += n;
        if (!*steps) return;
        steps += 3;
        bool fits = column + 3 + (int)length_before(steps, " | ") + 1 <= CLI_WIDTH;
        fputs(fits ? " | " : "\n      | ", stdout);
        column = fits ? column + 3 : 8;
    }
}

/* Steps in the quotes that they themselves have no need of; a definition as what a shell reads up to END. */
static void print_example(const char *text) {
    char quote = strchr(text, '\'') ? '"' : '\'';
    if (*text == '{')
        printf("\nexample:\n  sluice run /dev/stdin <<'END'\n%s\nEND\n", text);
    else {
        print_steps(text, printf("\nexample:\n  sluice pipe %c", quote) - 10);
        printf("%c\n", quote);
    }
}

void cli_print_pipe(const char *json) {
    json_t *pipe = json_loads(json, JSON_DECODE_ANY, NULL);
    const json_t *one = json_is_array(pipe) ? json_array_get(pipe, 0) : pipe;
    cli_wrap(cli_text_of(one, "summary"), 0,
             printf("%s (%s): ", cli_text_of(one, "name"), cli_text_of(one, "kind")));
    putchar('\n');
    if (*cli_text_of(one, "details")) cli_wrap(cli_text_of(one, "details"), 0, 0);
    json_t *options = json_object_get(one, "options");
    if (json_array_size(options)) {
        puts("\nconf:");
        print_options(options, 2);
    }
    print_calls(one);
    if (*cli_text_of(one, "example")) print_example(cli_text_of(one, "example"));
    json_decref(pipe);
}
