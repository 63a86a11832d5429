/* table.h: a table as its database declares it, and what a load may have to do to it first.
 *
 * A column of a table that exists holds what SQLite's affinity makes of a value. Where that would alter one (007 becomes 7), the
 * column is *widened* to TEXT: the table is made anew with the one word of its declaration changed, and all that belongs to it.
 * All of it happens in the caller's transaction. Facts: sqlite.org/datatype3.html, stricttables.html, lang_altertable.html
 * section 7. */
#ifndef SL_SINKS_SQLITE_TABLE_H
#define SL_SINKS_SQLITE_TABLE_H

#include "base/arena.h"
#include "sinks/sqlite/db.h"
#include "sinks/sqlite/decl.h"
#include "sinks/sqlite/encode.h"
#include "sinks/sqlite/cells.h"

typedef struct sl_dbtable_column {
    sl_text name, type; /* as declared; the type in upper case */
    sl_affinity affinity;
    bool any;   /* ANY of a STRICT table: nothing is converted */
    bool rowid; /* INTEGER PRIMARY KEY */
    bool generated;
    bool needed; /* NOT NULL, and nothing stands in for a value */
    bool linked; /* part of a foreign key, on either side */
    bool widen;  /* to be TEXT */
} sl_dbtable_column;

typedef struct sl_dbtable {
    const sl_db *d;
    sl_text name;
    sl_arena arena;
    bool exists, strict, without_rowid;
    bool guarded; /* CHECKs, triggers or needed columns: a row may be refused that only changes one */
    sl_text sql;
    sl_decl decl;
    sl_dbtable_column *cols;
    uint32_t ncols;
} sl_dbtable; /* all zero before study */

/* What the database says of the table NAME. An error when it is no table that can be loaded into. */
SL_MUST_CHECK sl_status sl_dbtable_study(sl_dbtable *t, const sl_db *d, sl_text name, sl_error *err);
void sl_dbtable_free(sl_dbtable *t);                                   /* NULL-safe, fine on all zero */
sl_dbtable_column *sl_dbtable_find(const sl_dbtable *t, sl_text name); /* ignoring ASCII case; NULL: none */

/* Whether the column holds CELL without altering it. */
bool sl_column_holds(const sl_dbtable *t, const sl_dbtable_column *c, const sl_cell *cell);
/* Whether there may be a cell that it does not hold, in a column that has shown SEEN. */
bool sl_column_doubts(const sl_dbtable *t, const sl_dbtable_column *c, uint8_t seen);
/* Whether it may be widened; an error otherwise. */
SL_MUST_CHECK sl_status sl_column_may_widen(const sl_dbtable *t, const sl_dbtable_column *c, sl_error *err);

/* Statements that made what belongs to a table, and what did compile before it was touched. */
typedef struct sl_extras {
    sl_buf made;  /* indexes and triggers, each ended by a NUL */
    sl_buf views; /* names of those that compile, each ended by a NUL */
} sl_extras;
SL_MUST_CHECK sl_status sl_extras_save(sl_extras *x, const sl_dbtable *t, sl_error *err);
/* Makes them again; all that did compile must compile. */
SL_MUST_CHECK sl_status sl_extras_restore(const sl_extras *x, const sl_dbtable *t, sl_error *err);
void sl_extras_free(sl_extras *x);

/* The table anew, with its columns to be widened as TEXT: with its rows, or empty. Indexes and triggers are gone: the caller saves
 * and restores them. T is studied anew. */
SL_MUST_CHECK sl_status sl_dbtable_remake(sl_dbtable *t, bool with_rows, sl_error *err);
/* Rows of the table. */
SL_MUST_CHECK sl_status sl_dbtable_count(const sl_dbtable *t, uint64_t *rows, sl_error *err);

/* "main"."name" */
void sl_dbtable_put_name(sl_buf *sql, sl_text name);

#endif
