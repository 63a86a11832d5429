/* html.c: one table of a page, for fetchtable. A cell that spans columns or rows is in each of them. The names are the first
 * row with <th> in it, else the first row; without has_header they are column_1, column_2 ... Rows short of cells have nulls, rows
 * of nothing but empty cells are left out. A table within a cell is not part of the one around it, but its text is. */
#include <stdlib.h>

#include "base/error.h"
#include "formats/document/document.h"
#include "formats/table/table.h"
#include "formats/xml2.h"

enum { MOST_COLUMNS = 1000, MOST_SPAN = 1000 };

typedef struct table_conf {
    sl_text table;
    sl_texts col_names;
    bool has_header;
    sl_csv_conf names;
} table_conf;

/* A cell that goes on in the rows below. */
typedef struct span {
    sl_text text;
    uint32_t rows; /* still to come */
} span;

typedef struct grid {
    const table_conf *conf;
    sl_markup *markup;
    sl_arena arena;
    span spans[MOST_COLUMNS];
    sl_text cells[MOST_COLUMNS]; /* of the row at hand; .s NULL: none */
    uint32_t n;
    bool head; /* there is a <th> in it */
    bool named;
    sl_csv_header header;
} grid;

/* ---- which table ------------------------------------------------------------------------------------------------- */

static bool is(const xmlNode *node, const char *name) {
    return node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, name);
}

/* The text in NODE with every run of white space as one blank, in ARENA. */
static sl_status text_of(const xmlNode *node, sl_arena *arena, sl_text *out, sl_error *err) {
    sl_buf raw = {0};
    sl_tree_text(node, &raw);
    sl_status status = sl_buf_check(&raw, err);
    sl_text t = sl_markup_trim(sl_text_n(raw.len ? raw.data : "", raw.len));
    char *copy = status ? NULL : sl_arena_alloc(arena, t.n + 1u), *o = copy;
    for (uint32_t i = 0; copy && i < t.n; i++) {
        bool space = sl_ascii_space(t.s[i]);
        if (!space || o[-1] != ' ') *o++ = space ? ' ' : t.s[i];
    }
    *out = sl_text_n(copy, (size_t)(o - copy));
    sl_buf_free(&raw);
    return status || copy ? status : sl_oom(err);
}

static sl_status is_wanted(grid *g, const xmlNode *table, uint32_t number, bool *yes, sl_error *err) {
    sl_text want = g->conf->table, caption = {0};
    char digits[12];
    snprintf(digits, sizeof digits, "%u", number);
    *yes = sl_text_is(want, digits) || sl_text_eq(sl_tree_attribute(table, "id"), want);
    for (const xmlNode *child = table->children; !*yes && child; child = child->next) {
        if (!is(child, "caption")) continue;
        TRY(text_of(child, &g->arena, &caption, err));
        *yes = sl_text_eq(caption, want);
    }
    return SL_OK;
}

static sl_status find_table(grid *g, const xmlNode **out, sl_error *err) {
    const xmlNode *root = g->markup->doc ? xmlDocGetRootElement(g->markup->doc) : NULL;
    uint32_t n = 0;
    bool yes = false;
    for (const xmlNode *node = root; node; node = sl_tree_next(node, root)) {
        if (!is(node, "table")) continue;
        TRY(is_wanted(g, node, ++n, &yes, err));
        *out = node;
        if (yes) return SL_OK;
    }
    return sl_fail(
        err, SL_E_DATA,
        "there is no table '%.*s' among the %u of this page; table is a number from 1, an id or a caption",
        (int)g->conf->table.n, g->conf->table.s, n);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static uint32_t span_of(const xmlNode *cell, const char *name) {
    sl_text t = sl_tree_attribute(cell, name);
    long n = t.n ? strtol(t.s, NULL, 10) : 1;
    return n < 1 ? 1 : n > MOST_SPAN ? MOST_SPAN : (uint32_t)n;
}

/* Cells of rows above that reach into this one, at its end so far. */
static void take_spans(grid *g) {
    while (g->n < MOST_COLUMNS && g->spans[g->n].rows) {
        g->spans[g->n].rows--;
        g->cells[g->n] = g->spans[g->n].text;
        g->n++;
    }
}

static sl_status add_cell(grid *g, const xmlNode *cell, sl_error *err) {
    sl_text text;
    uint32_t columns = span_of(cell, "colspan"), rows = span_of(cell, "rowspan");
    TRY(text_of(cell, &g->arena, &text, err));
    for (uint32_t i = 0; i < columns; i++) {
        take_spans(g);
        if (g->n == MOST_COLUMNS)
            return sl_fail(err, SL_E_DATA, "a row of the table has more than %d cells", MOST_COLUMNS);
        g->spans[g->n] = (span){text, rows - 1};
        g->cells[g->n++] = text;
    }
    return SL_OK;
}

static sl_status read_row(grid *g, const xmlNode *row, sl_error *err) {
    g->n = 0;
    g->head = false;
    for (const xmlNode *cell = row->children; cell; cell = cell->next) {
        bool th = is(cell, "th");
        g->head |= th;
        if (th || is(cell, "td")) TRY(add_cell(g, cell, err));
    }
    for (uint32_t i = g->n; i < MOST_COLUMNS; i++) { /* what reaches in behind a gap */
        g->cells[i] = (sl_text){0};
        if (!g->spans[i].rows) continue;
        for (uint32_t k = g->n; k < i; k++) g->cells[k] = (sl_text){0};
        g->n = i;
        take_spans(g);
        i = g->n - 1;
    }
    return SL_OK;
}

static bool is_blank(const grid *g) {
    for (uint32_t i = 0; i < g->n; i++)
        if (g->cells[i].n) return false;
    return true;
}

static sl_status emit_row(grid *g, sl_error *err) {
    sl_builder *bd = g->markup->builder;
    TRY(sl_builder_row(bd, err));
    for (uint32_t i = 0; i < g->header.ncols; i++) {
        uint32_t field = g->header.cols[i].field;
        sl_value v = sl_null();
        if (field < g->n && g->cells[field].s) {
            sl_text copy = sl_arena_text(sl_builder_arena(bd), g->cells[field]);
            if (!copy.s) return sl_oom(err);
            v = sl_text_value(copy);
        }
        TRY(sl_builder_put(bd, g->header.cols[i].name, v, err));
    }
    return SL_OK;
}

/* The next row at or behind NODE; those of tables in cells are not met, as cells are not entered. */
static const xmlNode *row_from(const xmlNode *node, const xmlNode *table) {
    while (node && node != table && !is(node, "tr")) {
        bool enter = is(node, "thead") || is(node, "tbody") || is(node, "tfoot");
        if (enter && node->children) {
            node = node->children;
            continue;
        }
        while (node != table && !node->next) node = node->parent;
        if (node != table) node = node->next;
    }
    return node == table ? NULL : node;
}

static const xmlNode *behind(const xmlNode *row, const xmlNode *table) {
    while (row != table && !row->next) row = row->parent;
    return row == table ? NULL : row_from(row->next, table);
}

static sl_status name_columns(grid *g, bool header, sl_error *err) {
    sl_text numbered[MOST_COLUMNS] = {0}; /* an empty name becomes column_N */
    const sl_texts *given = &g->conf->col_names;
    g->named = true;
    if (given->given) return sl_csv_columns(&g->conf->names, given->v, given->n, &g->arena, &g->header, err);
    for (uint32_t i = 0; i < g->n; i++) numbered[i] = header && g->cells[i].s ? g->cells[i] : SL_TEXT("");
    return sl_csv_columns(&g->conf->names, numbered, g->n, &g->arena, &g->header, err);
}

/* True when a row further down is all heading, as the one that names the columns need not be the first. */
static bool has_headings(const xmlNode *table) {
    for (const xmlNode *row = row_from(table->children, table); row; row = behind(row, table))
        for (const xmlNode *cell = row->children; cell; cell = cell->next)
            if (is(cell, "th")) return true;
    return false;
}

static sl_status read_rows(grid *g, const xmlNode *table, sl_error *err) {
    bool headings = has_headings(table);
    for (const xmlNode *row = row_from(table->children, table); row; row = behind(row, table)) {
        TRY(read_row(g, row, err));
        if (is_blank(g) || (g->conf->has_header && !g->named && headings && !g->head)) continue;
        bool header = g->conf->has_header && !g->named;
        if (!g->named) TRY(name_columns(g, header, err));
        if (!header) TRY(emit_row(g, err));
    }
    return sl_builder_flush(g->markup->builder, err);
}

static sl_status read(const void *conf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    (void)state, (void)quarantined;
    sl_markup m = {0};
    const xmlNode *table = NULL;
    grid *g = calloc(1, sizeof *g);
    if (!g) return sl_oom(err);
    g->conf = conf;
    g->markup = &m;
    sl_status status = sl_markup_open(&m, block, true, sink, to, err);
    if (!status) status = find_table(g, &table, err);
    if (!status) status = read_rows(g, table, err);
    if (status > SL_DONE) sl_error_at(err, block->source, 0, 0);
    sl_markup_close(&m);
    sl_arena_free(&g->arena);
    free(g);
    return status;
}

static const sl_option options[] = {
    {.name = "table",
     .type = SL_OPT_TEXT,
     .offset = offsetof(table_conf, table),
     .fallback = "1",
     .help = "html: number from 1, id or caption"},
    {.name = "has_header",
     .type = SL_OPT_BOOL,
     .offset = offsetof(table_conf, has_header),
     .fallback = "true",
     .help = "the first row with headings names the columns, else the first row"},
    {.name = "col_names",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(table_conf, col_names),
     .help = "names of the columns, instead of the table's"},
    SL_NAME_ROWS(table_conf),
    {.name = NULL},
};

const sl_format sl_format_table_html = {
    .name = "html",
    .summary = "a table of a page",
    .options = options,
    .conf_size = sizeof(table_conf),
    .tolerant = true,
    .open = sl_xml_library,
    .split_new = sl_document_split_new,
    .split = sl_document_split,
    .split_free = sl_document_split_free,
    .read = read,
};
