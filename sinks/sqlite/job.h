/* job.h: one table being loaded, as the files that do it share it. Coordinator only; one thread. */
#ifndef SL_SINKS_SQLITE_JOB_H
#define SL_SINKS_SQLITE_JOB_H

#include "sinks/sqlite/load.h"
#include "sinks/sqlite/store.h"
#include "sinks/sqlite/table.h"

typedef struct sl_job_column { /* one of the loaded ones */
    sl_text shown;             /* as the items call it, members with dots */
    sl_text name;              /* in the table */
    sl_affinity asked;         /* as the conf asks for it */
    sl_affinity evident;       /* as all its values are, or as asked */
    int target;                /* the column of the table, -1: it has none yet */
} sl_job_column;

typedef struct sl_job {
    const sl_load *load;
    const sl_sink_env *env;
    sl_store *s;
    const sl_db *d;
    sl_arena arena;
    sl_job_column *cols; /* [s->ncols] */
    sl_dbtable table;
    sl_buf sql;
} sl_job;

/* ---- columns.c: names and types of what is loaded ---- */

/* Names and types of the loaded columns, whatever the table is like. */
SL_MUST_CHECK sl_status sl_job_name_columns(sl_job *j, sl_error *err);
/* Finds the table's columns for those loaded. */
SL_MUST_CHECK sl_status sl_job_match_columns(sl_job *j, sl_error *err);
/* What the table cannot hold as it is: sets widen on its columns, or fails as `schema` says. */
SL_MUST_CHECK sl_status sl_job_fit_columns(sl_job *j, sl_error *err);
/* The loaded columns that the table lacks, at its end. */
SL_MUST_CHECK sl_status sl_job_add_columns(sl_job *j, sl_error *err);
/* "CREATE TABLE main.name(...)" of the loaded columns into j->sql. */
void sl_job_put_create(sl_job *j);
/* to_text[ncols] for sl_store_table, in the job's arena; NULL: no memory. */
const bool *sl_job_texts(sl_job *j);

/* ---- insert.c: rows into a table that is there ---- */

/* The table has a unique index for the key, made if need be. */
SL_MUST_CHECK sl_status sl_job_make_key(sl_job *j, sl_error *err);
/* Every row by itself, in the order of the input, as the mode says. */
SL_MUST_CHECK sl_status sl_job_insert(sl_job *j, sl_error *err);

#endif
