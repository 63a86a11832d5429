/* sink.h: where items end. One file per sink, each ending in one const descriptor; sinks.def lists them (docs/adding-a-sink.md).
 *
 * The pure half (encode) runs in the workers and turns batches into bytes; the serial half runs in the coordinator, in
 * order, and is all or nothing: until commit returns SL_OK the old output is untouched.
 *
 *   coordinator: open  write*  join*  ready  commit   close           worker: start encode* finish stop
 *
 * What encode appends for a unit is a *frame* only this sink understands; write gets each unit's frame whole, in order.
 *
 * A run commits in two phases: every sink is made ready, which does all that can fail, and only then is any of them committed.
 * Sinks that share a place (tables of one database) join one transaction. */
#ifndef SL_SINKS_SINK_H
#define SL_SINKS_SINK_H

#include <stdatomic.h>

#include "base/log.h"
#include "options/option.h"
#include "record/batch.h"

typedef struct sl_sink sl_sink;

/* The environment a sink may ask for; outlives it. */
typedef struct sl_sink_env {
    const char *tmpdir;
    bool to_terminal;                  /* stdout is one */
    int out_fd;                        /* file descriptor for "-": normally 1 */
    int64_t now;                       /* run start, seconds since the epoch */
    void (*before_output)(void *user); /* called before something is written to standard output; may be NULL */
    void *output_user;
    sl_log *log;                  /* what is decided is told there; NULL: nothing is */
    const _Atomic bool *stopping; /* set by a signal: whatever takes long asks sl_sink_stopping now and then; NULL: never */
} sl_sink_env;

/* Whether the run shall end: what was asked returns SL_E_STOPPED. Cheap enough for every step of a merge; within one call of
 * SQLite, sqlite3_progress_handler asks it. */
static inline bool sl_sink_stopping(const sl_sink_env *env) {
    return env->stopping && atomic_load_explicit(env->stopping, memory_order_relaxed);
}

struct sl_sink {
    const char *name;            /* "csv" */
    const char *summary;         /* one line */
    const char *const *suffixes; /* NULL-terminated ".csv", ...; NULL: none, it is chosen by its name alone */
    const sl_option *options;    /* conf keys, ended by a NULL name; offsets into the conf struct */
    size_t conf_size;

    /* The file that it writes, of a prepared conf. NULL: standard output. */
    const char *(*file)(const void *conf);
    /* Which table of that file, of a prepared conf; upper and lower case of ASCII are the same. For sinks that are a table of a
     * database: others may write into the file too, and its commit, a transaction, may still fail, so that it comes before those
     * that only rename. Such a sink is written FILE:TABLE as well. NULL: the file is the sink's alone. */
    sl_text (*table)(const void *conf);

    /* Coordinator, before anything is made ready: whether the place holds a record now that a commit would take away. May be NULL:
     * nothing is ever taken away. Where that cannot be told, the commit fails anyhow. */
    sl_status (*takes_away)(const void *conf, bool *some, sl_error *err);

    /* Coordinator, before any I/O: checks the conf. TARGET is the part of the sink text that names the place. */
    sl_status (*prepare)(void *conf, sl_text target, const sl_sink_env *env, sl_error *err);
    void (*destroy)(void *conf); /* NULL-safe for half-prepared confs; may be NULL */

    /* Worker, pure. STATE per worker; both may be NULL when a sink needs none. */
    sl_status (*start)(const void *conf, void **state, sl_error *err);
    void (*stop)(void *state);
    /* Appends the selected rows of B (borrowed; columns may be decoded) to the unit's frame. */
    sl_status (*encode)(const void *conf, void *state, sl_batch *b, sl_buf *frame, sl_error *err);
    /* The unit is complete: closes the frame. May be NULL. */
    sl_status (*finish)(const void *conf, void *state, sl_buf *frame, sl_error *err);

    /* Coordinator, serial, in order. */
    sl_status (*open)(const void *conf, const sl_sink_env *env, void **sink, sl_error *err);
    sl_status (*write)(void *sink, const char *frame, size_t n, uint64_t *rows, sl_error *err); /* adds to *rows */
    /* OTHER, a sink of this kind that is made ready before SINK: the two share one transaction if they have the same place.
     * May be NULL: nothing is ever shared. */
    sl_status (*join)(void *sink, void *other, sl_error *err);
    /* Everything is written: rows in, constraints checked, bytes on the disk, and nothing visible yet. May be NULL. */
    sl_status (*ready)(void *sink, sl_error *err);
    sl_status (*commit)(void *sink, sl_error *err);
    /* What became of it, once it is ready: members of a JSON object appended to OUT, for the report. May be NULL. */
    sl_status (*describe)(void *sink, sl_buf *out, sl_error *err);
    void (*close)(void *sink); /* without commit: leaves everything as it was. NULL-safe */
};

#define X(name) extern const sl_sink sl_sink_##name;
#include "sinks/sinks.def"
#undef X

/* The sink for a text such as "x.csv" or "out.db:table"; *TARGET gets its place. NULL and an error with the accepted forms
 * otherwise. */
const sl_sink *sl_sink_for(sl_text text, sl_text *target, sl_error *err);
const sl_sink *sl_sink_named(sl_text name);
const sl_sink *sl_sink_at(unsigned i); /* NULL past the last */

#endif
