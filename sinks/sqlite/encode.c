/* encode.c: batches as pages of SQLite, in the worker. Each value is stored by its own nature, as the type of a column is not
 * known before the last row. How a number was spelled is kept beside the pages where it cannot be told from the value, so that
 * a column can still become TEXT without a loss. */
#include "sinks/sqlite/encode.h"

#include <assert.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "record/cast.h"
#include "record/number/number.h"
#include "record/time.h"
#include "record/raw.h"
#include "sinks/sqlite/leaf.h"
#include "sinks/sqlite/flat.h"

typedef struct column {
    sl_text name; /* in the encoder's arena */
    sl_affinity asked;
    bool
        texts; /* texts are stored as they stand: as asked, or since the unit has shown one that is no number */
    uint8_t seen;
    const sl_flat_column *flat; /* of the batch at hand; NULL: not in it */
} column;

struct sl_sqlite_encoder {
    const sl_sqlite_shape *shape;
    sl_arena arena; /* names of the unit's columns */
    column *cols;
    uint32_t ncols, cap_cols, cap_head;
    bool headed;   /* the unit has columns and no row so far */
    uint8_t *head; /* of the record under way: 9 bytes a column */
    uint8_t *at;   /* its end */
    sl_buf body, spelled;
    const char *source; /* of the last row */
    sl_leaf_writer out;
};

sl_sqlite_encoder *sl_sqlite_encoder_new(const sl_sqlite_shape *shape) {
    sl_sqlite_encoder *e = calloc(1, sizeof *e);
    if (e) e->shape = shape;
    return e;
}

void sl_sqlite_encoder_free(sl_sqlite_encoder *e) {
    if (!e) return;
    sl_arena_free(&e->arena);
    sl_buf_free(&e->body);
    sl_buf_free(&e->spelled);
    sl_leaf_free(&e->out);
    free(e->cols);
    free(e->head);
    free(e);
}

sl_affinity sl_shape_type(const sl_sqlite_shape *shape, sl_text name) {
    for (int nocase = 0; nocase < 2; nocase++)
        for (uint32_t i = 0; i < shape->ntypes; i++)
            if (sl_flat_is_shown(name, shape->types[i].name, nocase)) return shape->types[i].affinity;
    return SL_BY_EVIDENCE;
}

/* ---- cells ----------------------------------------------------------------------------------------------------- */

static uint32_t number_of(const column *c, const sl_sqlite_encoder *e) {
    return (uint32_t)(c - e->cols);
}

static void put_null(sl_sqlite_encoder *e) {
    *e->at++ = 0;
}

static void put_marked(sl_sqlite_encoder *e, const column *c, sl_mark mark) {
    sl_leaf_mark(&e->out, number_of(c, e), mark);
    put_null(e);
}

static void put_text(sl_sqlite_encoder *e, sl_text t) {
    e->at = sl_varint_put(e->at, 13 + 2 * (uint64_t)t.n);
    sl_buf_text(&e->body, t);
}

/* Room for a number; NULL: no memory. */
static uint8_t *body_end(sl_sqlite_encoder *e) {
    return sl_buf_reserve(&e->body, 8) ? (uint8_t *)e->body.data + e->body.len : NULL;
}

static void store_int(sl_sqlite_encoder *e, int64_t i) {
    uint8_t *body = body_end(e);
    if (body) e->body.len += (size_t)(sl_record_int(&e->at, body, i) - body);
}

static void store_real(sl_sqlite_encoder *e, double f) {
    uint8_t *body = body_end(e);
    if (body) e->body.len += (size_t)(sl_record_real(&e->at, body, f) - body);
}

static void put_int(sl_sqlite_encoder *e, column *c, int64_t i) {
    const int64_t exact = (int64_t)1 << 53;
    c->seen |= i > exact || i < -exact ? SL_SEEN_INT | SL_SEEN_BIG : SL_SEEN_INT;
    store_int(e, i);
}

/* True when the shortest spelling of the double is T, found without making it: at most 15 digits, no exponent, no zero at the end
 * but a lone one, and of a size that is spelled without an exponent. False where in doubt. */
static bool spells_itself(sl_text t, double f) {
    if (t.n > 16 || memchr(t.s, 'e', t.n) || memchr(t.s, 'E', t.n)) return false;
    if (f != 0 && f < 1e-4 && f > -1e-4) return false;
    return t.s[t.n - 1] != '0' || t.s[t.n - 2] == '.';
}

/* The real F that is written T. As SQLite does, one that is whole takes the room of an integer. */
static void put_real(sl_sqlite_encoder *e, column *c, double f, sl_text t) {
    bool whole = sl_record_is_whole(f);
    c->seen |= SL_SEEN_REAL;
    if (whole || !spells_itself(t, f)) sl_leaf_spell(&e->out, number_of(c, e), t);
    whole ? store_int(e, (int64_t)f) : store_real(e, f);
}

/* A column that turned out to hold texts: what reads like a number is stored as it stands from there on. */
static void turn_to_text(column *c) {
    c->seen |= SL_SEEN_TEXT;
    if (c->asked == SL_BY_EVIDENCE) c->texts = true;
}

static void put_evident_text(sl_sqlite_encoder *e, column *c, sl_text t) {
    turn_to_text(c);
    put_text(e, t);
}

/* By what the text is. */
static void put_by_evidence(sl_sqlite_encoder *e, column *c, sl_text t) {
    int64_t i;
    double f;
    if (t.n == 0) {
        c->seen |= SL_SEEN_EMPTY;
        put_marked(e, c, SL_MARK_EMPTY);
        return;
    }
    switch (sl_number_classify(t, &i, &f)) {
    case SL_WHOLE: put_int(e, c, i); break;
    case SL_REAL: put_real(e, c, f, t); break;
    case SL_NOT_NUMBER: put_evident_text(e, c, t); break;
    }
}

static bool asked_text(const column *c) {
    return c->asked == SL_AS_TEXT || c->asked == SL_AS_BLOB;
}

/* A number of a column whose type is asked for: its spelling does not matter any more. SQLite makes an integer of every real that is one. */
static void put_asked_real(sl_sqlite_encoder *e, column *c, double f) {
    bool fits = f > -9.2e18 && f < 9.2e18 && f == (double)(int64_t)f;
    bool whole = c->asked == SL_AS_REAL ? sl_record_is_whole(f) : fits;
    c->seen |= SL_SEEN_REAL;
    whole ? store_int(e, (int64_t)f) : store_real(e, f);
}

static void put_asked_int(sl_sqlite_encoder *e, column *c, int64_t i) {
    if (c->asked == SL_AS_REAL)
        put_asked_real(e, c, (double)i);
    else
        put_int(e, c, i);
}

/* As SQLite's own affinities would have it: what is a number becomes one, anything else stays text. */
static void put_asked(sl_sqlite_encoder *e, column *c, sl_text t) {
    int64_t i;
    double f;
    sl_text number = sl_text_trim(t);
    if (t.n == 0)
        put_null(e);
    else if (sl_parse_int(number, &i))
        put_asked_int(e, c, i);
    else if (sl_parse_double(number, &f))
        put_asked_real(e, c, f);
    else
        put_evident_text(e, c, t);
}

static void put_cell_text(sl_sqlite_encoder *e, column *c, sl_text t) {
    if (c->texts)
        put_text(e, t);
    else if (c->asked)
        put_asked(e, c, t);
    else
        put_by_evidence(e, c, t);
}

/* Times, lists and maps in their text form. */
static sl_text spell(sl_sqlite_encoder *e, sl_value v) {
    sl_buf_clear(&e->spelled);
    if (v.type == SL_TIME)
        sl_time_iso(v, &e->spelled);
    else if (v.type == SL_LIST || v.type == SL_MAP)
        sl_json_write(v, &e->spelled);
    else
        sl_text_form(v, "", &e->spelled);
    e->body.failed |= e->spelled.failed;
    return sl_text_n(e->spelled.data, e->spelled.len);
}

static void put_bool(sl_sqlite_encoder *e, column *c, bool b) {
    if (asked_text(c)) {
        put_text(e, b ? SL_TEXT("true") : SL_TEXT("false"));
    } else if (c->asked) {
        put_asked_int(e, c, b);
    } else {
        uint8_t *body = body_end(e);
        c->seen |= SL_SEEN_BOOL;
        if (body) e->body.len += (size_t)(sl_record_bool(&e->at, body, b) - body);
    }
}

/* The real F of a value that is a number, not a text: T is no text that would be read as one, 1e5, and is kept beside it. */
static void put_spelled_real(sl_sqlite_encoder *e, column *c, double f, sl_text t) {
    int64_t i;
    double again;
    if (c->texts && sl_number_classify(t, &i, &again) != SL_NOT_NUMBER)
        put_text(e, t);
    else
        put_real(e, c, f, t);
}

/* A number by its type; T: how it is written. */
static void put_number(sl_sqlite_encoder *e, column *c, sl_value v, sl_text t) {
    if (v.type == SL_FLOAT && v.as.f != v.as.f) /* SQLite has no NaN */
        put_null(e);
    else if (asked_text(c))
        put_text(e, t);
    else if (c->asked)
        v.type == SL_INT ? put_asked_int(e, c, v.as.i) : put_asked_real(e, c, v.as.f);
    else if (v.type == SL_FLOAT)
        put_spelled_real(e, c, v.as.f, t);
    else if (sl_text_is(t, "-0"))
        put_real(e, c, -0.0, t);
    else if (c->texts)
        put_text(e, t);
    else
        put_int(e, c, v.as.i);
}

/* A JSON number spelled in a way of its own, 1e5, -0, or one that neither an integer nor a double keeps, which is a text. */
static void put_odd_number(sl_sqlite_encoder *e, column *c, sl_text t) {
    sl_value number = sl_number_python(t);
    double f;
    if (number.type == SL_INT)
        put_number(e, c, number, t);
    else if (!c->asked && sl_number_keeps(t, &f))
        put_spelled_real(e, c, f, t);
    else
        put_cell_text(e, c, t);
}

/* A JSON number still in its digits. */
static void put_raw_number(sl_sqlite_encoder *e, column *c, sl_text t) {
    int64_t i;
    double f;
    switch (sl_number_classify(t, &i, &f)) {
    case SL_WHOLE: put_number(e, c, sl_int(i), t); break;
    case SL_REAL: put_number(e, c, sl_float(f), t); break;
    case SL_NOT_NUMBER: put_odd_number(e, c, t); break;
    }
}

static sl_status put_cell(sl_sqlite_encoder *e, column *c, sl_value v, sl_arena *arena, sl_error *err) {
    switch ((sl_type)v.type) {
    case SL_TEXT_TYPE:
        if (v.flags & SL_RAW) TRY(sl_value_decode(&v, arena, err));
        if (sl_is_typed_text(v) && v.n && !c->asked)
            put_evident_text(e, c, sl_bytes(v));
        else
            put_cell_text(e, c, sl_bytes(v));
        break;
    case SL_MISSING: put_marked(e, c, SL_MARK_MISSING); break;
    case SL_NULL: put_null(e); break;
    case SL_INT:
    case SL_FLOAT:
        if (v.flags & SL_RAW_NUMBER)
            put_raw_number(e, c, sl_bytes(v));
        else if (v.type == SL_INT && !c->asked && !c->texts)
            put_int(e, c, v.as.i);
        else
            put_number(e, c, v, spell(e, v));
        break;
    case SL_BOOL: put_bool(e, c, v.as.b); break;
    case SL_DECIMAL:
        sl_is_written(v) ? put_raw_number(e, c, sl_bytes(v)) : put_cell_text(e, c, sl_bytes(v));
        break;
    default: put_evident_text(e, c, spell(e, v)); break;
    }
    return SL_OK;
}

/* ---- columns --------------------------------------------------------------------------------------------------- */

static sl_status add_column(sl_sqlite_encoder *e, sl_text name, sl_error *err) {
    if (e->ncols == e->shape->most_columns)
        return sl_fail(err, SL_E_DATA,
                       "the items have more than %u different fields, and a table of SQLite cannot have more "
                       "columns: keep fewer of them, or write a CSV file",
                       e->ncols);
    if (!SL_ROOM(e->cols, e->cap_cols, e->ncols + 1) || !SL_ROOM(e->head, e->cap_head, 9 * (e->ncols + 1)))
        return sl_oom(err);
    column *c = &e->cols[e->ncols++];
    *c = (column){.name = sl_arena_text(&e->arena, name), .asked = sl_shape_type(e->shape, name)};
    c->texts = asked_text(c);
    return c->name.s ? SL_OK : sl_oom(err);
}

static column *find_column(sl_sqlite_encoder *e, sl_text name, uint32_t guess) {
    if (guess < e->ncols && sl_text_eq(e->cols[guess].name, name)) return &e->cols[guess];
    for (uint32_t c = 0; c < e->ncols; c++)
        if (sl_text_eq(e->cols[c].name, name)) return &e->cols[c];
    return NULL;
}

static sl_status place_columns(sl_sqlite_encoder *e, const sl_flat *flat, sl_error *err) {
    for (uint32_t c = 0; c < e->ncols; c++) e->cols[c].flat = NULL;
    for (uint32_t i = 0; i < flat->n; i++) {
        column *c = find_column(e, flat->v[i].name, i);
        if (!c) {
            TRY(add_column(e, flat->v[i].name, err));
            c = &e->cols[e->ncols - 1];
        }
        c->flat = &flat->v[i];
    }
    return SL_OK;
}

/* A column whose first filled cell is a text, no number, is stored as text from its empty cells on: the usual text column then
 * never has to be written again. */
static void look_ahead(column *c, const sl_batch *b) {
    int64_t i;
    double f;
    if (!c->flat || c->asked || c->texts || c->seen & (SL_SEEN_INT | SL_SEEN_REAL)) return;
    for (uint32_t at = 0; at < b->nsel; at++) {
        sl_value v = sl_flat_cell(c->flat, b, sl_batch_row(b, at));
        if (v.type <= SL_NULL || (v.type == SL_TEXT_TYPE && v.n == 0)) continue;
        bool text = v.type == SL_TEXT_TYPE && (sl_is_typed_text(v) || v.flags & SL_RAW ||
                                               sl_number_classify(sl_bytes(v), &i, &f) == SL_NOT_NUMBER);
        if (text) turn_to_text(c);
        return;
    }
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

static sl_status put_row(sl_sqlite_encoder *e, sl_batch *b, uint32_t row, sl_error *err) {
    e->at = e->head;
    e->body.len = 0;
    for (uint32_t i = 0; i < e->ncols; i++) {
        column *c = &e->cols[i];
        if (c->flat)
            TRY(put_cell(e, c, sl_flat_cell(c->flat, b, row), sl_batch_arena(b), err));
        else
            put_marked(e, c, SL_MARK_MISSING);
    }
    TRY(sl_buf_check(&e->body, err));
    assert(e->at >= e->head && e->at <= e->head + 9 * (size_t)e->ncols);
    sl_leaf_place(&e->out, sl_text_of(b->source), e->source == b->source, sl_batch_line(b, row));
    e->source = b->source;
    sl_leaf_row(&e->out, e->head, (size_t)(e->at - e->head), (const uint8_t *)e->body.data, e->body.len);
    return SL_OK;
}

static sl_status at_first_row(const sl_batch *b, sl_error *err) {
    if (b->nsel) sl_error_at(err, b->source, sl_batch_line(b, sl_batch_row(b, 0)), 0);
    return err ? (sl_status)err->code : SL_E_DATA;
}

static void begin_unit(sl_sqlite_encoder *e, sl_buf *frame) {
    sl_arena_reset(&e->arena);
    e->ncols = 0;
    e->headed = false;
    sl_leaf_begin(&e->out, frame, -1);
}

sl_status sl_sqlite_encode(sl_sqlite_encoder *e, sl_batch *b, sl_buf *frame, sl_error *err) {
    if (frame->len == 0) begin_unit(e, frame);
    if (b->nsel == 0 && frame->len) return SL_OK;
    e->headed = b->nsel == 0;
    sl_flat flat;
    TRY(sl_flat_make(&flat, b, e->shape->flatten, e->shape->most_columns, err));
    if (place_columns(e, &flat, err) != SL_OK) return at_first_row(b, err);
    if (!sl_buf_reserve(&e->body, 1) || (!e->head && !(e->head = malloc(1)))) return sl_oom(err);
    for (uint32_t c = 0; c < e->ncols; c++) look_ahead(&e->cols[c], b);
    for (uint32_t i = 0; i < b->nsel; i++) TRY(put_row(e, b, sl_batch_row(b, i), err));
    return sl_buf_check(frame, err);
}

static sl_status finish_frame(sl_sqlite_encoder *e, sl_text *names, uint8_t *seen, sl_error *err) {
    if (!names || !seen) return sl_oom(err);
    for (uint32_t c = 0; c < e->ncols; c++) {
        names[c] = e->cols[c].name;
        seen[c] = e->cols[c].seen;
    }
    return sl_leaf_finish(&e->out, names, seen, e->ncols, err);
}

sl_status sl_sqlite_encode_end(sl_sqlite_encoder *e, sl_buf *frame, sl_error *err) {
    if (frame->len == 0 && !e->headed) return SL_OK;
    e->headed = false;
    sl_text *names = sl_arena_calloc(&e->arena, e->ncols + 1, sizeof *names);
    uint8_t *seen = sl_arena_calloc(&e->arena, e->ncols + 1, 1);
    return finish_frame(e, names, seen, err);
}
