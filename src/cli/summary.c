/* summary.c: what a run says of its tables behind the line of totals. It reads the run report, which has it as data. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/json_print.h"
#include "cli/progress.h"

enum { USUAL_WIDTH = 80, NARROW = 20, MOST_LINES = 8 };

/* Words that are put into lines of the terminal's width. */
typedef struct paragraph {
    int width, column, lines;
    size_t left_out; /* words that came when there were lines enough */
} paragraph;

/* A terminal too narrow for a column and its type is left to break the lines itself. */
static int width_of_lines(void) {
    int width = cli_terminal_width();
    return width > NARROW ? width : USUAL_WIDTH;
}

/* Characters of a text in UTF-8. */
static int length_of(const char *text) {
    int n = 0;
    for (; *text; text++) n += (*text & 0xc0) != 0x80;
    return n;
}

static void put_word(paragraph *g, const char *name, const char *type, bool last) {
    int n = length_of(name) + length_of(type) + (*type ? 1 : 0) + !last;
    if (g->column && g->column + 1 + n > g->width) {
        if (g->lines == MOST_LINES) {
            g->left_out++;
            return;
        }
        fputs("\n ", stderr);
        g->lines++;
        g->column = 1;
    }
    fprintf(stderr, " %s%s%s%s", name, *type ? " " : "", type, last ? "" : ",");
    g->column += n + 1;
}

static void print_columns(const json_t *columns) {
    paragraph g = {.width = width_of_lines(), .column = 1, .lines = 1};
    size_t i, n = json_array_size(columns);
    const json_t *column;
    fputc(' ', stderr);
    json_array_foreach(columns, i, column) {
        if (g.left_out) {
            g.left_out++;
            continue;
        }
        put_word(&g, json_string_value(json_object_get(column, "name")),
                 json_string_value(json_object_get(column, "type")), i + 1 == n);
    }
    if (g.left_out) fprintf(stderr, " and %zu more", g.left_out);
    fputc('\n', stderr);
}

static void print_widened(const json_t *widened) {
    size_t i, n = json_array_size(widened);
    const json_t *name;
    paragraph g = {.width = width_of_lines(), .lines = 1};
    if (!n) return;
    g.column = fprintf(stderr, "  made TEXT, so that no value changes:");
    json_array_foreach(widened, i, name) put_word(&g, json_string_value(name), "", i + 1 == n);
    if (g.left_out) fprintf(stderr, " and %zu more", g.left_out);
    fputc('\n', stderr);
}

/* TO is a database and perhaps its table, which is named anyhow. */
static void print_table(const json_t *sink) {
    char rows[32], before[32];
    const char *table = json_string_value(json_object_get(sink, "table"));
    const char *to = json_string_value(json_object_get(sink, "to"));
    const json_t *after = json_object_get(sink, "rows_after");
    size_t n = strlen(to), m = strlen(table);
    if (n > m + 1 && to[n - m - 1] == ':' && strcmp(to + n - m, table) == 0) n -= m + 1;
    fprintf(stderr, "%.*s, table %s: ", (int)n, to, table);
    if (json_is_integer(after))
        fprintf(stderr, "%s row%s, %s before\n", cli_grouped((uint64_t)json_integer_value(after), rows),
                json_integer_value(after) == 1 ? "" : "s",
                cli_grouped((uint64_t)json_integer_value(json_object_get(sink, "rows_before")), before));
    else
        fprintf(stderr, "%s rows loaded\n",
                cli_grouped((uint64_t)json_integer_value(json_object_get(sink, "rows")), rows));
    print_columns(json_object_get(sink, "columns"));
    print_widened(json_object_get(sink, "widened"));
}

void cli_loaded(sl_pipeline *p) {
    const char *report = sl_pipeline_report(p, NULL);
    json_t *all = report ? json_loads(report, 0, NULL) : NULL;
    size_t i;
    json_t *sink, *sinks = json_object_get(all, "sinks");
    cli_make_harmless(sinks);
    json_array_foreach(sinks, i, sink) if (json_array_size(json_object_get(sink, "columns")))
        print_table(sink);
    json_decref(all);
}
