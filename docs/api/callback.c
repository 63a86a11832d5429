/* callback.c: a pipeline that calls the program back: for its items, for what is to be made of them, with the result, and while it runs.
 *
 *     cc callback.c $(pkg-config --cflags --libs sluice) -o callback
 *     ./callback 100000
 *
 * Sums the squares of 1 to N, several workers at once. The third run is stopped on the way. */
#include <stdio.h>
#include <stdlib.h>

#include <sluice.h>
#include <sluice_plugin.h>

typedef struct numbers {
    int64_t next, last;
} numbers;

/* A source: some hundred items whenever the pipeline wants some. */
static sl_status more(void *user, sl_source *source, sl_error *err) {
    numbers *n = user;
    for (int i = 0; i < 500 && n->next <= n->last; i++) {
        sl_source_put_int(source, "n", n->next++);
        sl_status status = sl_source_push_item(source, err);
        if (status != SL_OK) return status;
    }
    return n->next <= n->last ? SL_OK : SL_DONE;
}

/* A step: called by workers, several at once. */
static int square(void *user, const sl_plugin_host *host, sl_plugin_call *call) {
    int64_t n;
    (void)user;
    if (!host->get_int(call, "n", &n)) return host->fail(call, "no number in field 'n'");
    if (n % 1000 == 13) return host->fail(call, "13 brings bad luck");
    host->start_copy(call);
    return host->put_int(call, "square", n * n);
}

/* A sink: the items in their order, in the thread that runs the pipeline. */
static sl_status add(void *user, const sl_value *item, sl_error *err) {
    int64_t n;
    (void)err;
    if (sl_value_int(sl_value_get(item, "square"), &n)) *(int64_t *)user += n;
    return SL_OK;
}

/* Now and then: whether to go on. */
static bool until_enough(void *user, const sl_progress *progress) {
    (void)user;
    return progress->items_out < 2000;
}

static void warn(void *user, const sl_log_entry *entry) {
    (void)user;
    fprintf(stderr, "callback: %s: %s\n", entry->part, entry->message);
}

typedef struct job {
    numbers numbers;
    int64_t sum;
    sl_source *source;
} job;

static sl_status build(sl_pipeline *p, job *j, const char *steps, sl_error *err) {
    sl_pipeline_on_log(p, SL_LOG_WARNING, warn, NULL);
    j->source = sl_pipeline_push_source(p, "numbers", err);
    if (!j->source) return err->code;
    sl_source_on_need(j->source, more, &j->numbers);
    sl_status status = sl_pipeline_function(p, "square", square, NULL, err);
    if (status == SL_OK) status = sl_pipeline_add_text(p, steps, err);
    if (status == SL_OK) status = sl_pipeline_option(p, "threads", "true", err);
    if (status == SL_OK) status = sl_pipeline_sink_function(p, add, &j->sum, err);
    return status;
}

static void tell(const char *what, sl_pipeline *p, job *j, int64_t last) {
    char text[1400];
    sl_error err = {0};
    j->numbers = (numbers){1, last};
    j->sum = 0;
    sl_status status = sl_pipeline_run(p, &err);
    printf("%s: %s", what, sl_status_name(status));
    if (status == SL_OK) printf(", %lld\n", (long long)j->sum);
    if (status != SL_OK) printf(", %s\n", sl_error_format(&err, text, sizeof text));
}

int main(int argc, char **argv) {
    char text[1400];
    job j = {0};
    sl_error err = {0};
    int64_t last = argc == 2 ? strtoll(argv[1], NULL, 10) : 0;
    if (last < 1) {
        fputs("usage: callback N\n", stderr);
        return 2;
    }
    sl_pipeline *p = sl_pipeline_new();
    if (!p) return 1;
    sl_status status = build(p, &j, "push numbers | udf function=square", &err);
    if (status == SL_OK) {
        tell("the first ten", p, &j, 10);
        tell("all", p, &j, last); /* which meets 13 */
        sl_pipeline_on_progress(p, until_enough, NULL);
        tell("without end", p, &j, INT64_MAX);
    } else {
        fprintf(stderr, "callback: %s\n", sl_error_format(&err, text, sizeof text));
    }
    sl_pipeline_free(&p);
    return sl_exit_code(status);
}
