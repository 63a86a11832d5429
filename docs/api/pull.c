/* pull.c: a definition, whose result the program takes item by item, and runs again with another value.
 *
 *     cc pull.c $(pkg-config --cflags --libs sluice) -o pull
 *     ./pull configs/crime-top.json GP WC
 *
 * The definition has a variable, ${PROVINCE}, which the program sets; worker threads read ahead while it looks at the items. */
#include <stdio.h>

#include <sluice.h>

/* A field as people read it, whatever its type; a missing one is empty. */
static void show(const sl_value *item, const char *name) {
    char text[200];
    sl_value_print(sl_value_get(item, name), text, sizeof text);
    printf("  %-28s", text);
}

/* Every item of the pipeline as it is set up now: a line of two fields, and the sum of a number. */
static sl_status print_items(sl_pipeline *p, sl_error *err) {
    const sl_value *item;
    sl_status status;
    int64_t n, sum = 0;
    sl_stream *stream = sl_pipeline_open(p, err);
    if (!stream) return err->code;
    while ((status = sl_stream_item(stream, &item, err)) == SL_OK) {
        show(item, "station");
        show(item, "incidents");
        putchar('\n');
        if (sl_value_int(sl_value_get(item, "incidents"), &n))
            sum += n; /* a text that reads as a number is one, too */
    }
    sl_stream_close(&stream);
    if (status == SL_DONE) printf("  %-28s  %lld\n", "together", (long long)sum);
    return status == SL_DONE ? SL_OK : status;
}

static sl_status run(sl_pipeline *p, int n, char **provinces, sl_error *err) {
    for (int i = 0; i < n; i++) {
        printf("%s\n", provinces[i]);
        sl_status status = sl_pipeline_set(p, "PROVINCE", provinces[i], err);
        if (status == SL_OK) status = print_items(p, err);
        if (status != SL_OK) return status;
    }
    return SL_OK;
}

/* The first value is there before the definition is read, as that is looked at at once. */
static sl_status load(sl_pipeline *p, const char *path, const char *province, sl_error *err) {
    sl_status status = sl_pipeline_set(p, "PROVINCE", province, err);
    if (status == SL_OK) status = sl_pipeline_load_file(p, path, err);
    if (status == SL_OK) status = sl_pipeline_option(p, "threads", "true", err);
    return status;
}

int main(int argc, char **argv) {
    char text[1400];
    sl_error err = {0};
    if (argc < 3) {
        fputs("usage: pull DEFINITION.json PROVINCE...\n", stderr);
        return 2;
    }
    sl_pipeline *p = sl_pipeline_new();
    if (!p) return 1;
    sl_status status = load(p, argv[1], argv[2], &err);
    if (status == SL_OK) status = run(p, argc - 2, argv + 2, &err);
    if (status != SL_OK)
        fprintf(stderr, "pull: %s: %s\n", sl_status_name(status), sl_error_format(&err, text, sizeof text));
    sl_pipeline_free(&p);
    return sl_exit_code(status);
}
