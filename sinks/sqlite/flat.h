/* flat.h: a batch as the flat columns of a table, each with the row in which it is first seen.
 *
 * The column of a member is known by its path, not by the name that it will have: {"a.b": 1} and {"a": {"b": 2}} are two columns,
 * in whatever units and batches they come, and frames are put together by these paths. What each is called in the table is decided
 * at the end, when all are known (columns.c). */
#ifndef SL_SINKS_SQLITE_FLAT_H
#define SL_SINKS_SQLITE_FLAT_H

#include "record/batch.h"

typedef struct sl_flat_column {
    sl_text name;
    const sl_value *values; /* [nrows]; NULL: still a field of the batch's records */
    uint32_t source;        /* column of the batch */
    uint32_t field;         /* of its records, when values is NULL */
    uint32_t first;         /* position in the selection of the first row that has it */
    uint32_t order;         /* in which the batch's columns gave it */
} sl_flat_column;

typedef struct sl_flat {
    sl_flat_column *v; /* in the order in which rows show them */
    uint32_t n, cap;
} sl_flat; /* in the batch's arena */

/* Between the names of a path. No UTF-8 has this byte. */
#define SL_FLAT_STEP ((char)0xff)

/* The columns that any selected row has. FLATTEN: members of maps are columns of their own, and a map without members is a value.
 * Where there are more than MOST, some above these may be left out. */
SL_MUST_CHECK sl_status sl_flat_make(sl_flat *flat, sl_batch *b, bool flatten, uint32_t most, sl_error *err);

/* NAME is the path of a member. */
bool sl_flat_is_member(sl_text name);
/* "a.b": NAME with dots, in ARENA if need be; .s is NULL when memory is out. */
sl_text sl_flat_shown(sl_text name, sl_arena *arena);
bool sl_flat_is_shown(sl_text name, sl_text shown, bool nocase); /* NOCASE: whatever the case of ASCII letters */

/* Most fields have no quotes and are read here; the batch knows about the others. */
static inline sl_value sl_flat_cell(const sl_flat_column *c, const sl_batch *b, uint32_t row) {
    if (c->values) return c->values[row];
    const sl_records *r = b->records;
    const uint32_t *end = r->end + (size_t)row * r->nfields + c->field;
    uint32_t from = c->field ? end[-1] + 1 : r->start[row];
    if (SL_UNLIKELY(*end == SL_NO_FIELD || (*end > from && r->base[from] == r->quote))) return sl_batch_peek(b, c->source, row);
    return sl_text_value((sl_text){r->base + from, *end - from});
}

#endif
