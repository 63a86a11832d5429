/* api-example.c: sluice as a library, from end to end.
 *
 *     cc api-example.c $(pkg-config --cflags --libs sluice) -o api-example
 *     ./api-example configs/crime-top.json data/crime.csv
 *
 * Five small programs in one: a definition from a file, one from a text, a pipeline built step by step and run to its sinks, items
 * pulled one by one over a pool of threads, and a stream closed early. */
#include <stdio.h>

#include <sluice.h>

/* Every call that fails has filled the error; one line says where and why. */
static int failed(sl_pipeline *p, const sl_error *err) {
    char text[1400];
    fprintf(stderr, "api-example: %s\n", sl_error_format(err, text, sizeof text));
    sl_pipeline_free(&p);
    return sl_exit_code(err->code);
}

/* Prints up to MOST items of an unrun pipeline (0: all). The stream belongs to the caller of open, the pipeline outlives it. */
static sl_status print_items(sl_pipeline *p, unsigned most, sl_error *err) {
    const char *json;
    sl_status s = SL_OK;
    sl_stream *stream = sl_pipeline_open(p, err);
    if (!stream) return err->code;
    for (unsigned n = 0; (!most || n < most) && (s = sl_stream_next(stream, &json, NULL, err)) == SL_OK; n++)
        puts(json);
    sl_stream_close(&stream); /* before the end it stops sources and workers */
    return s == SL_DONE ? SL_OK : s;
}

/* 1. A definition from a file, its ${PROVINCE} given here. */
static int from_file(const char *path) {
    sl_error err = {0};
    sl_pipeline *p = sl_pipeline_new();
    puts("-- from a file");
    if (sl_pipeline_set(p, "PROVINCE", "WC", &err)) return failed(p, &err);
    if (sl_pipeline_load_file(p, path, &err)) return failed(p, &err);
    if (print_items(p, 0, &err)) return failed(p, &err);
    sl_pipeline_free(&p);
    return 0;
}

/* 2. A definition from a text, with a setting that overrides what it says. */
static int from_text(void) {
    static const char definition[] =
        "[{\"type\": \"itembuilder\", \"conf\": {\"attrs\": {\"key\": \"content\", \"value\": \"b,a,c\"}}},"
        " {\"type\": \"tokenizer\"}, {\"type\": \"sort\"}]";
    sl_error err = {0};
    sl_pipeline *p = sl_pipeline_new();
    puts("-- from a text");
    if (sl_pipeline_load(p, definition, "letters", &err)) return failed(p, &err);
    if (sl_pipeline_option(p, "parallel", "false", &err)) return failed(p, &err);
    if (print_items(p, 0, &err)) return failed(p, &err);
    sl_pipeline_free(&p);
    return 0;
}

/* The csv pipe's conf for PATH, in OUT. Paths of this example have nothing that JSON would escape. */
static const char *csv_conf(const char *path, char out[1024]) {
    snprintf(out, 1024, "{\"url\": \"%s\"}", path);
    return out;
}

/* 3. Step by step, run to a sink. Nothing is committed unless sl_pipeline_run returns SL_OK. */
static int step_by_step(const char *path) {
    char conf[1024];
    sl_error err = {0};
    sl_pipeline *p = sl_pipeline_new();
    puts("-- step by step, to a sink");
    fflush(stdout); /* the sink "-" writes past stdio */
    if (sl_pipeline_add(p, "csv", csv_conf(path, conf), &err)) return failed(p, &err);
    if (sl_pipeline_add(p, "aggregate", "{\"by\": \"province\", \"ops\": [{\"op\": \"count\"}]}", &err))
        return failed(p, &err);
    if (sl_pipeline_add(p, "sort", "{\"rule\": {\"field\": \"count\", \"dir\": \"desc\"}}", &err))
        return failed(p, &err);
    if (sl_pipeline_sink(p, "{\"to\": \"-\", \"format\": \"csv\"}", &err)) return failed(p, &err);
    if (sl_pipeline_option(p, "workers", "2", &err)) return failed(p, &err);
    if (sl_pipeline_run(p, &err)) return failed(p, &err);
    sl_progress totals = sl_pipeline_totals(p);
    printf("%llu items read, %llu written\n", (unsigned long long)totals.items_in,
           (unsigned long long)totals.items_out);
    sl_pipeline_free(&p);
    return 0;
}

/* 4. Items pulled one by one while worker threads read ahead: the same items as inline, in the same order. */
static int pulled_over_threads(const char *path) {
    char conf[1024];
    sl_error err = {0};
    sl_pipeline *p = sl_pipeline_new();
    puts("-- pulled over threads");
    if (sl_pipeline_add(p, "csv", csv_conf(path, conf), &err)) return failed(p, &err);
    if (sl_pipeline_add_text(p, "filter rule.field=id rule.op=atmost rule.value=3 | count", &err))
        return failed(p, &err);
    if (sl_pipeline_option(p, "threads", "true", &err)) return failed(p, &err);
    if (print_items(p, 0, &err)) return failed(p, &err);
    sl_pipeline_free(&p);
    return 0;
}

/* 5. A stream without an end, closed after three items. */
static int closed_early(void) {
    sl_error err = {0};
    sl_pipeline *p = sl_pipeline_new();
    puts("-- closed early");
    if (sl_pipeline_add(p, "forever", NULL, &err)) return failed(p, &err);
    if (print_items(p, 3, &err)) return failed(p, &err);
    sl_pipeline_free(&p);
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("usage: api-example DEFINITION.json REPORTS.csv\n", stderr);
        return 2;
    }
    int code = from_file(argv[1]);
    if (!code) code = from_text();
    if (!code) code = step_by_step(argv[2]);
    if (!code) code = pulled_over_threads(argv[2]);
    if (!code) code = closed_early();
    return code;
}
