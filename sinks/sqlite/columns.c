/* columns.c: the columns of a load: what they are called, what they are, and whether a table that exists holds them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "sinks/sqlite/job.h"
#include "sinks/sqlite/flat.h"

static const char *const type_names[] = {"",        "INTEGER", "REAL",
                                         "NUMERIC", "TEXT",    "BLOB"}; /* by sl_affinity */

/* ---- names and types ------------------------------------------------------------------------------------------- */

/* What a column is by what all its values are. */
static sl_affinity by_evidence(uint8_t seen) {
    bool unlike = seen & SL_SEEN_REAL && seen & (SL_SEEN_BIG | SL_SEEN_BOOL);
    if (seen & SL_SEEN_TEXT || unlike) return SL_AS_TEXT;
    if (seen & SL_SEEN_REAL) return SL_AS_REAL;
    return seen & (SL_SEEN_INT | SL_SEEN_BOOL) ? SL_AS_INTEGER : SL_AS_TEXT;
}

static bool is_taken(const sl_job *j, uint32_t c, sl_text name) {
    for (uint32_t i = 0; i < j->s->ncols; i++) {
        if (i < c && sl_text_eq_nocase(j->cols[i].name, name)) return true;
        if (i != c && sl_text_eq_nocase(j->cols[i].shown, name)) return true;
    }
    return false;
}

/* The name a.b of a field is its own, that of the member b of a is made up: it gives way wherever it stands. */
static bool has_precedence(const sl_job *j, uint32_t a, uint32_t b) {
    bool made_a = sl_flat_is_member(j->s->cols[a].name), made_b = sl_flat_is_member(j->s->cols[b].name);
    return made_a == made_b ? a < b : made_b;
}

static bool is_first(const sl_job *j, uint32_t c) {
    for (uint32_t i = 0; i < j->s->ncols; i++)
        if (i != c && sl_text_eq_nocase(j->cols[i].shown, j->cols[c].shown) && has_precedence(j, i, c))
            return false;
    return true;
}

/* SQLite does not tell A from a: the later column gets a number, and never the name that another one really has. */
static sl_status name_column(sl_job *j, uint32_t c, sl_error *err) {
    sl_text wish = j->cols[c].shown;
    if (wish.n && memchr(wish.s, 0, wish.n))
        return sl_fail(err, SL_E_DATA, "a column's name has a NUL character in it");
    j->cols[c].name = wish;
    if (is_first(j, c)) return SL_OK;
    for (unsigned number = 2;; number++) {
        j->cols[c].name = sl_arena_printf(&j->arena, "%.*s_%u", (int)wish.n, wish.s, number);
        if (!j->cols[c].name.s) return sl_oom(err);
        if (!is_taken(j, c, j->cols[c].name)) return SL_OK;
    }
}

sl_status sl_job_name_columns(sl_job *j, sl_error *err) {
    j->cols = sl_arena_calloc(&j->arena, j->s->ncols + 1, sizeof *j->cols);
    if (!j->cols) return sl_oom(err);
    for (uint32_t c = 0; c < j->s->ncols; c++) {
        j->cols[c].shown = sl_flat_shown(j->s->cols[c].name, &j->arena);
        if (!j->cols[c].shown.s) return sl_oom(err);
    }
    for (uint32_t c = 0; c < j->s->ncols; c++) {
        TRY(name_column(j, c, err));
        j->cols[c].asked = sl_shape_type(&j->load->shape, j->s->cols[c].name);
        j->cols[c].evident = j->cols[c].asked ? j->cols[c].asked : by_evidence(j->s->cols[c].seen);
    }
    return SL_OK;
}

void sl_job_put_create(sl_job *j) {
    sl_buf_str(&j->sql, "CREATE TABLE ");
    sl_dbtable_put_name(&j->sql, j->load->table);
    for (uint32_t c = 0; c < j->s->ncols; c++) {
        sl_buf_str(&j->sql, c ? ", " : "(");
        sl_sql_name(&j->sql, j->cols[c].name);
        sl_buf_printf(&j->sql, " %s", type_names[j->cols[c].evident]);
    }
    sl_buf_byte(&j->sql, ')');
}

const bool *sl_job_texts(sl_job *j) {
    bool *to_text = sl_arena_calloc(&j->arena, j->s->ncols + 1, sizeof *to_text);
    for (uint32_t c = 0; to_text && c < j->s->ncols; c++) to_text[c] = j->cols[c].evident == SL_AS_TEXT;
    return to_text;
}

/* ---- the table's columns --------------------------------------------------------------------------------------- */

static sl_status match_column(sl_job *j, sl_job_column *c, sl_error *err) {
    const sl_dbtable_column *t = sl_dbtable_find(&j->table, c->name);
    c->target = t ? (int)(t - j->table.cols) : -1;
    if (!t && j->load->schema == SL_SCHEMA_FREEZE)
        return sl_fail(err, SL_E_DATA, "the table '%.*s' has no column '%.*s', and its schema is frozen",
                       (int)j->table.name.n, j->table.name.s, (int)c->name.n, c->name.s);
    if (t && t->generated)
        return sl_fail(err, SL_E_DATA,
                       "the column '%.*s' of the table '%.*s' is generated: leave the field out",
                       (int)c->name.n, c->name.s, (int)j->table.name.n, j->table.name.s);
    return SL_OK;
}

sl_status sl_job_match_columns(sl_job *j, sl_error *err) {
    for (uint32_t c = 0; c < j->s->ncols; c++) TRY(match_column(j, &j->cols[c], err));
    return SL_OK;
}

sl_status sl_job_add_columns(sl_job *j, sl_error *err) {
    bool any = false;
    for (uint32_t c = 0; c < j->s->ncols; c++) {
        if (j->cols[c].target >= 0) continue;
        any = true;
        sl_buf_str(&j->sql, "ALTER TABLE ");
        sl_dbtable_put_name(&j->sql, j->table.name);
        sl_buf_str(&j->sql, " ADD COLUMN ");
        sl_sql_name(&j->sql, j->cols[c].name);
        sl_buf_printf(&j->sql, " %s", type_names[j->cols[c].evident]);
        TRY(sl_db_run(j->d, &j->sql, err));
    }
    if (!any) return SL_OK;
    sl_dbtable again = {0};
    sl_status s = sl_dbtable_study(&again, j->d, j->load->table, err);
    sl_dbtable_free(&j->table);
    j->table = again;
    return s == SL_OK ? sl_job_match_columns(j, err) : s;
}

/* ---- what does not fit ----------------------------------------------------------------------------------------- */

static sl_dbtable_column *target_of(const sl_job *j, uint32_t c) {
    return j->cols[c].target < 0 ? NULL : &j->table.cols[j->cols[c].target];
}

static sl_status widen(const sl_job *j, sl_dbtable_column *t, sl_error *err) {
    t->widen = true;
    return sl_column_may_widen(&j->table, t, err);
}

/* The type that the conf asks for is the column's, or becomes it if it can hold everything. */
static sl_status take_asked(const sl_job *j, uint32_t c, sl_error *err) {
    const sl_job_column *col = &j->cols[c];
    sl_dbtable_column *t = target_of(j, c);
    if (!t || !col->asked || col->asked == t->affinity) return SL_OK;
    if (col->asked == SL_AS_TEXT && j->load->schema == SL_SCHEMA_EVOLVE) return widen(j, t, err);
    return sl_fail(err, SL_E_DATA, "the column '%.*s' of the table '%.*s' is %.*s and cannot become %s",
                   (int)t->name.n, t->name.s, (int)j->table.name.n, j->table.name.s,
                   t->type.n ? (int)t->type.n : 16, t->type.n ? t->type.s : "without a type",
                   type_names[col->asked]);
}

static sl_status refuse(const sl_dbtable_column *t, const sl_cell *cell, const sl_store_reader *r,
                        sl_error *err) {
    char digits[32], source[1024];
    sl_text text = sl_cell_text(cell, digits), from = r->row.source;
    sl_fail(err, SL_E_DATA,
            "item %llu: the value '%.*s' does not fit the column '%.*s' (%.*s), and the schema is frozen",
            (unsigned long long)r->number, text.n > 80 ? 80 : (int)text.n, text.s, (int)t->name.n, t->name.s,
            t->type.n ? (int)t->type.n : 16, t->type.n ? t->type.s : "without a type");
    snprintf(source, sizeof source, "%.*s", (int)from.n, from.n ? from.s : "");
    if (from.n) sl_error_at(err, source, r->row.line, 0);
    return SL_E_DATA;
}

/* Looks at the cells of the columns DOUBTFUL[0..*n): those that the table does not hold are taken from the list. */
static sl_status look_at_row(const sl_job *j, const sl_store_reader *r, uint32_t *doubtful, uint32_t *n,
                             sl_error *err) {
    for (uint32_t i = 0; i < *n; i++) {
        const sl_cell *cell = &r->row.cells[doubtful[i]];
        sl_dbtable_column *t = target_of(j, doubtful[i]);
        if (sl_column_holds(&j->table, t, cell)) continue;
        if (j->load->schema == SL_SCHEMA_FREEZE) return refuse(t, cell, r, err);
        TRY(widen(j, t, err));
        doubtful[i--] = doubtful[--*n];
    }
    return SL_OK;
}

static sl_status look_at_rows(const sl_job *j, uint32_t *doubtful, uint32_t n, sl_error *err) {
    sl_store_reader r = {.store = j->s};
    sl_status s = SL_OK;
    while (n && s == SL_OK && (s = sl_store_next(&r, err)) == SL_OK)
        s = look_at_row(j, &r, doubtful, &n, err);
    sl_store_reader_free(&r);
    return s == SL_DONE ? SL_OK : s;
}

sl_status sl_job_fit_columns(sl_job *j, sl_error *err) {
    uint32_t *doubtful = sl_arena_alloc(&j->arena, (j->s->ncols + 1) * sizeof *doubtful), n = 0;
    if (!doubtful) return sl_oom(err);
    for (uint32_t c = 0; c < j->s->ncols; c++) {
        TRY(take_asked(j, c, err));
        const sl_dbtable_column *t = target_of(j, c);
        if (t && !t->widen && sl_column_doubts(&j->table, t, j->s->cols[c].seen)) doubtful[n++] = c;
    }
    return look_at_rows(j, doubtful, n, err);
}
