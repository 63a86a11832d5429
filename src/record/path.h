/* path.h: field paths, compiled once, read and written per row.
 *
 * Under riko's dialect a path is split at dots, names are matched ignoring case, {value} and {type, value} maps are
 * unwrapped, scalars pass through (docs/pipeline-format.md). Under the native dialect the literal
 * name is tried first, then the dotted path with exact names; no unwrapping. */
#ifndef SL_RECORD_PATH_H
#define SL_RECORD_PATH_H

#include "record/batch.h"

typedef enum sl_dialect { SL_NATIVE, SL_RIKO } sl_dialect;

typedef struct sl_segment {
    sl_text name;
    bool is_index;
    int64_t index;
} sl_segment;

typedef struct sl_path {
    sl_text text; /* as written; empty: the whole item */
    sl_segment *segments;
    uint32_t n;
    sl_dialect dialect;
} sl_path;

/* Compiles TEXT into ARENA (copied). */
SL_MUST_CHECK sl_status sl_path_compile(sl_path *p, sl_text text, sl_dialect dialect, sl_arena *arena, sl_error *err);

/* Lookup in a value (an item as a map, or anything nested). Missing where the path leads nowhere. New lists of a path
 * over a list come from ARENA. */
SL_MUST_CHECK sl_status sl_path_get(const sl_path *p, sl_value from, sl_arena *arena, sl_value *out, sl_error *err);

/* The value of every selected row of B, indexed by row: the column itself where the path is one name, else a new array
 * in the batch's arena. Missing where it leads nowhere. NULL on failure. Read-only. */
const sl_value *sl_path_column(const sl_path *p, sl_batch *b, sl_error *err);

/* The path's value for one row. */
SL_MUST_CHECK sl_status sl_path_row(const sl_path *p, sl_batch *b, uint32_t row, sl_value *out, sl_error *err);

/* Writes V[row] (NULL array entries of type missing are skipped: that row is unchanged) at the path for every selected
 * row. One segment: the column of that name, new at the end if absent. Several: nested maps are copied and extended,
 * intermediates that are not maps are replaced. V becomes part of B.
 * A row that lacks the key while others have it would get it out of order; such rows are split off, so the result comes
 * as one or more batches through SINK, in row order. Takes B. */
SL_MUST_CHECK sl_status sl_path_assign(const sl_path *p, sl_batch *take, sl_value *v,
                                       sl_status (*sink)(void *to, sl_batch *take, sl_error *err), void *to, sl_error *err);

/* Path assignment on a map value: a new map in ARENA. */
SL_MUST_CHECK sl_status sl_path_set(const sl_path *p, sl_value map, sl_value v, sl_arena *arena, sl_value *out, sl_error *err);

/* Dotted keys of MAP nested as riko does when a mapping becomes an item. */
SL_MUST_CHECK sl_status sl_nest_dotted(sl_value map, sl_arena *arena, sl_value *out, sl_error *err);

/* Column form of the same: columns with a dot in their name are merged into map columns, others stay as they are, lazy ones
 * too. A map stands where the first column of it stood, also in rows that lack that one. A no-op without any dots. */
SL_MUST_CHECK sl_status sl_batch_nest_dotted(sl_batch *b, sl_error *err);

#endif
