/* sqlite_rows.h: the rows of a table of an SQLite database, as a source.
 *
 * Coordinator: reads the rows in order, in one transaction of a read-only connection, and packs them into units; the database is
 * never held as a whole. Worker: unpacks them. Integers, reals and texts keep their types; blobs become hexadecimal text.
 *
 * The database is not trusted: no extension is loaded, its schema may not call functions with side effects. One on a medium that
 * cannot be written to is opened as immutable where it has no log beside it. */
#ifndef SL_SOURCES_TABLE_SQLITE_ROWS_H
#define SL_SOURCES_TABLE_SQLITE_ROWS_H

#include "sources/stream/stream.h"

/* The conf's only choice is this format: its options are those of the table; it has neither splitter nor reader. */
extern const sl_format sl_format_table_sqlite;

/* For pipes whose conf begins with a sl_source_conf. */
extern const sl_source_calls sl_sqlite_source;

#endif
