/* decl.h: the text of a CREATE TABLE statement, as a database keeps it, taken apart as far as loading needs.
 *
 * Only statements that SQLite has accepted are looked at. Grammar: sqlite.org/lang_createtable.html. Pure. */
#ifndef SL_SINKS_SQLITE_DECL_H
#define SL_SINKS_SQLITE_DECL_H

#include "base/buffer.h"

typedef struct sl_decl {
    bool found;   /* it is a list of columns; false: a virtual table, or nothing that we understand */
    bool plain;   /* names and types of columns, and nothing else */
    bool checked; /* CHECK somewhere, which may refuse a row */
} sl_decl;

sl_decl sl_decl_look(sl_text sql);

/* Appends SQL as the statement for the table NAME, whose columns TO_TEXT[0..n) (as SQLite knows them) have the type TEXT. False: it
 * was not found. */
bool sl_decl_retype(sl_text sql, sl_text name, const sl_text *to_text, uint32_t n, sl_buf *out);

#endif
