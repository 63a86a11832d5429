/* push.c: items that the program makes, field by field, through a pipeline into a file and onto standard output.
 *
 *     cc push.c $(pkg-config --cflags --libs sluice) -o push
 *     ./push words.csv < README.md
 *
 * Counts the words of a text: each line is an item, the pipeline makes words of it, and the file is replaced when all has gone well, not
 * before. */
#include <stdio.h>
#include <string.h>

#include <sluice.h>

static const char steps[] =
    "push lines | strreplace @field=text rule.find=, rule.replace=' ' rule.param=every"
    " | tokenizer @field=strreplace delimiter=' '"
    " | aggregate by=content ops.0.op=count"
    " | sort rule.0.field=count rule.0.dir=desc rule.1.field=content | truncate count=10";

/* Every line of IN. A line that is not UTF-8 is left out, with a word about it. */
static sl_status push_lines(sl_source *lines, FILE *in, sl_error *err) {
    char line[4096];
    for (int64_t n = 1; fgets(line, sizeof line, in); n++) {
        sl_error why = {0};
        sl_source_put_int(lines, "line", n);
        sl_source_put_text(lines, "text", line, strcspn(line, "\n"));
        sl_status status = sl_source_push_item(lines, &why);
        if (status == SL_DONE) break; /* the pipeline wants no more */
        if (status == SL_E_DATA) {
            fprintf(stderr, "push: line %lld: %s\n", (long long)n, why.text);
        } else if (status != SL_OK) {
            *err = why;
            return status;
        }
    }
    sl_source_end(lines);
    return SL_OK;
}

/* All is pushed before the run, and waits in memory; callback.c and embed_in_a_server.c do without that. */
static sl_status run(sl_pipeline *p, const char *file, sl_error *err) {
    sl_source *lines = sl_pipeline_push_source(p, "lines", err);
    if (!lines) return err->code;
    sl_status status = sl_pipeline_add_text(p, steps, err);
    if (status == SL_OK) status = sl_pipeline_sink(p, file, err);
    if (status == SL_OK) status = sl_pipeline_sink_fd(p, 1, "jsonl", err);
    if (status == SL_OK) status = push_lines(lines, stdin, err);
    return status == SL_OK ? sl_pipeline_run(p, err) : status;
}

int main(int argc, char **argv) {
    char text[1400];
    sl_error err = {0};
    if (argc != 2) {
        fputs("usage: push OUTPUT.csv < TEXT\n", stderr);
        return 2;
    }
    sl_pipeline *p = sl_pipeline_new();
    if (!p) return 1;
    sl_status status = run(p, argv[1], &err);
    if (status == SL_OK) {
        sl_progress totals = sl_pipeline_totals(p);
        fprintf(stderr, "%llu lines, %llu words written\n", (unsigned long long)totals.items_in,
                (unsigned long long)totals.items_out);
    } else {
        fprintf(stderr, "push: %s\n", sl_error_format(&err, text, sizeof text));
    }
    sl_pipeline_free(&p);
    return sl_exit_code(status);
}
