/* A host program in a locale of its own: runs the definition argv[2] in locale argv[1], prints the report, and fails if the library has
 * changed the locale for it. 77: there is no such locale. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "sluice.h"

static int wrong;

static const char *number(void) {
    static char text[32];
    snprintf(text, sizeof text, "%.1f", 1.5);
    return text;
}

static bool progress(void *user, const sl_progress *p) {
    (void)p;
    wrong += strcmp(number(), user) != 0;
    return true;
}

int main(int argc, char **argv) {
    char before[32];
    sl_error err = {0};
    char text[1400];
    if (argc != 3 || !setlocale(LC_ALL, argv[1])) return 77;
    snprintf(before, sizeof before, "%s", number());
    sl_pipeline *p = sl_pipeline_new();
    if (!p) return 1;
    sl_status s = sl_pipeline_load_file(p, argv[2], &err);
    if (s == SL_OK) {
        sl_pipeline_on_progress(p, progress, before);
        s = sl_pipeline_run(p, &err);
    }
    if (s != SL_OK) fprintf(stderr, "%s\n", sl_error_format(&err, text, sizeof text));
    const char *report = sl_pipeline_report(p, NULL);
    if (report) puts(report);
    sl_pipeline_free(&p);
    fprintf(stderr, "%s", before);
    return s != SL_OK ? 1 : wrong || strcmp(number(), before) != 0 ? 2 : 0;
}
