/* pipe.h: what a pipe is. One pipe is one file ending in one const sl_pipe, plus one line in registry.def.
 *
 * Every pipe has a control half (prepare: conf -> read-only compiled conf, once, in the coordinator) and a data half that is a
 * pure function, run on any worker. There are four shapes; a descriptor fills in exactly one:
 *
 *   each     processor: one item in, its results out. The shell (processor.c) does field, assign, emit, count, casts, confs that
 *            refer to the item; the pipe only computes. (text/strreplace.c is the model.)
 *   apply    stateless operator or processor that works on whole batches: rename, filter, regex.
 *   source   makes items from the outside: split in the coordinator, read in the worker.
 *   serial   operator that must see all items in order: truncate, uniq, tail. `pure` prepares in the worker what can be, `pass`
 *            runs in the coordinator in input order.
 *   fold     operator that folds in the workers and merges in the coordinator: count, sum, sort, aggregate.
 *   lookup   operator that reads a second stream first and then works on whole batches: join.
 *
 * Items leave a step by sl_emit(out, batch), any number of times, in order; sl_emit takes the batch and returns SL_DONE when
 * no more is wanted (hand it up at once).
 *
 * Thread rule: prepare and destroy in the coordinator; conf is read-only afterwards; state is one worker's own. */
#ifndef SL_PLAN_PIPE_H
#define SL_PLAN_PIPE_H

#include <signal.h>

#include "base/files.h"
#include "base/log.h"
#include "options/option.h"
#include "record/batch.h"
#include "record/cast.h"
#include "record/path.h"

/* ---- where items go -------------------------------------------------------------------------------------------- */

typedef struct sl_out sl_out;
struct sl_out {
    sl_status (*emit)(sl_out *out, sl_batch *take, sl_error *err);
};
static inline sl_status sl_emit(sl_out *out, sl_batch *take, sl_error *err) {
    return out->emit(out, take, err);
}
/* sl_emit in the form of sl_batch_sink (builder.h, path.h): TO is the sl_out. */
static inline sl_status sl_emit_batch(void *to, sl_batch *take, sl_error *err) {
    return sl_emit(to, take, err);
}

/* ---- what a pipe may know -------------------------------------------------------------------------------------- */

/* Of the run; read-only, outlives everything. */
typedef struct sl_env {
    int64_t now; /* run start, seconds since the epoch: all relative dates use it */
    sl_dialect dialect;
    size_t memory;        /* bytes a gathering pipe may hold, all its parts together */
    unsigned workers;     /* shares of it */
    bool shared;          /* workers share the coordinator's memory (inline, threads) */
    bool for_item;        /* the source runs in a worker, for one item: nothing of its units outlives it */
    const char *tmpdir;   /* for spill files */
    const char *base_dir; /* relative file names of sources start here; NULL: the working directory */
    uint64_t unit;        /* bytes of input per unit */
    unsigned connections, per_host;
    sl_value inputs;                            /* map: values for `input` pipes; missing: none */
    bool test;                                  /* `input` uses its default */
    bool unsafe_lua;                            /* Lua functions get the whole of Lua's library */
    bool no_exec;                               /* no commands are started */
    bool no_plugins;                            /* no shared libraries are loaded */
    const _Atomic bool *stopping;               /* long waits look at it */
    const sigset_t *signals;                    /* those that commands start with blocked: what the program had blocked itself */
    const struct sl_host *host;                 /* plan/host.h: what the program has put in; NULL: nothing */
    sl_log *log;                                /* what is decided is told there; NULL: nothing is */
    const struct sl_web *web;                   /* plan/web.h: how sources ask, and where data may lead; NULL: nothing was said */
    bool ordered;                               /* results keep the order of the input */
    bool keep_going;                            /* a source that fails is left out */
    bool allow_files;                           /* data from the network may name local files */
    struct sl_permits *permits;                 /* net/http/permits.h: for every HTTP session of the run; NULL: each has its own */
    const struct sl_cache_policy *cache_policy; /* net/cached.h: what is kept of HTTP answers; NULL: nothing */
    struct sl_cache *cache;                     /* of the session below */
    struct sl_ledger *ledger;                   /* base/ledger.h: what is read is noted there; NULL: it is not noted */
    struct sl_http *http; /* net/http/http.h: the session of the run's sources; coordinator only; NULL: each opens its own */
    sl_arena *keep;       /* where a source that a worker runs puts what its units name; NULL: where its conf lives */
} sl_env;

/* What one partial of a fold may hold: those of workers that share the coordinator's memory all grow at once, beside the merged
 * one; a worker process sends its own home with every unit. */
static inline size_t sl_env_share(const sl_env *env) {
    return env->shared ? env->memory / (env->workers + 1) : env->memory;
}

/* Of the step, for prepare. */
typedef struct sl_step_info {
    const sl_env *env;
    sl_arena *arena;   /* lives as long as the conf */
    const char *field; /* call options as given; NULL: absent */
    const char *assign;
    int emit;           /* -1 absent, 0, 1 */
    int count;          /* 0 absent, 1 "first", 2 "all" */
    bool has_input;     /* an _INPUT wire or a step before it */
    bool url_from_data; /* the item or a terminal decides the conf's url */
    bool networked;     /* what decides it may have come from the network */
} sl_step_info;

/* ---- each: processors ------------------------------------------------------------------------------------------ */

/* Results of one item, made by any number of sl_result; a processor that returns an iterator in riko sets `many` even for 0 or 1.
 * The engine keeps one for all items of a batch; a pipe sees no more of it than the functions below. */
typedef struct sl_results {
    sl_value *v;
    size_t n, cap;
    bool many;       /* the pipe yields a sequence: emitted by default */
    sl_arena *arena; /* bytes of results must live here, in the item or in conf */
} sl_results;
SL_MUST_CHECK sl_status sl_result(sl_results *r, sl_value v, sl_error *err);
static inline void sl_results_many(sl_results *r) {
    r->many = true;
}
static inline sl_arena *sl_results_arena(sl_results *r) {
    return r->arena;
}

typedef struct sl_item { /* one row, for pipes that look at more than their field */
    sl_batch *batch;
    uint32_t row;
} sl_item;

typedef sl_status (*sl_each_fn)(const void *conf, void *state, sl_value field, sl_item item, sl_results *results, sl_error *err);

/* ---- source ---------------------------------------------------------------------------------------------------- */

/* A unit: the smallest thing a worker gets. The engine moves it; only its source looks inside. */
typedef struct sl_unit {
    sl_input *input;         /* bytes of whole records (owned reference), or NULL for a file range / nothing */
    const char *path;        /* file range to be read by the worker (processes), or NULL; outlives the run */
    sl_file_id file;         /* what PATH led to when the source opened it: the worker reads that or nothing */
    uint64_t offset, length; /* of the records: in the file, or in input->data */
    uint64_t line;           /* line of the first byte, from 1 */
    uint64_t index;          /* of this unit in its source, from 0 */
    uint64_t bytes;          /* of the original input it stands for (compressed bytes when compressed) */
    const char *source;      /* name for messages; outlives the run */
    sl_text note;            /* small extra bytes of the source's own (header names); owned by the source, outlives the run */
} sl_unit;

typedef struct sl_source_calls {
    /* Coordinator. open does no I/O beyond opening; split hands out the next unit (SL_DONE at the end). TOTAL: bytes if
     * known, else 0. */
    sl_status (*open)(const void *conf, const sl_env *env, void **split, sl_error *err);
    sl_status (*split)(void *split, sl_unit *unit, sl_error *err);
    uint64_t (*total)(void *split);
    /* Read to its end: everything came from the HTTP cache, as the servers said that it still holds. May be NULL. */
    bool (*unchanged)(void *split);
    /* Opened, instead of split: asks the servers whether their copies still hold, reading no more than that takes. False: one of
     * them does not, or that cannot be known. Without servers there is nobody to ask. NULL: it never has any. */
    bool (*ask)(void *split);
    /* What it waits for at the moment (sources/stream/opener.h); NULL: nothing. May be NULL. */
    struct sl_inflow *(*waits)(void *split);
    /* Does what can be done without waiting, so that what must be waited for next is under way; what goes wrong is for split to
     * say. May be NULL. */
    void (*advance)(void *split);
    void (*close)(void *split); /* NULL-safe */
    /* Worker: the unit's items to OUT. *QUARANTINED counts records refused by policy. */
    sl_status (*read)(const void *conf, void *state, const sl_unit *unit, sl_out *out, uint64_t *quarantined, sl_error *err);
} sl_source_calls;

/* ---- serial: in order, in the coordinator ---------------------------------------------------------------------- */

typedef struct sl_serial {
    /* Worker, pure, optional: cuts a batch down before it travels; ITEMS already let through in this unit. Takes B. */
    sl_status (*pure)(const void *conf, void *state, sl_batch *take, uint64_t items_before, sl_out *out, sl_error *err);
    /* Coordinator. */
    sl_status (*open)(const void *conf, const sl_env *env, void **serial, sl_error *err);
    sl_status (*pass)(void *serial, sl_batch *take, sl_out *out, sl_error *err); /* SL_DONE: enough */
    /* All input seen. Called again and again, each time emitting a little, until it returns SL_DONE: so a large result never
     * stands in memory twice. May be NULL. */
    sl_status (*finish)(void *serial, sl_out *out, sl_error *err);
    void (*close)(void *serial);
    /* How many items from the start this step looks at, 0: all. Lets a sort before it keep no more. May be NULL. */
    uint64_t (*needs)(const void *conf);
    /* After pass has said SL_DONE: how many of the items it was given it had a use for, those it dropped included; for the report,
     * which does not count what came behind them in the same batch. NULL: all. */
    uint64_t (*taken)(const void *serial);
} sl_serial;

/* ---- fold: partial results in the workers, merged in the coordinator ---------------------------------------------- */

typedef struct sl_fold {
    /* Worker. A partial belongs to one worker at a time. ORDINAL numbers the selected rows of B in input order (the i-th selected
     * row is ORDINAL + i); batches of one partial may come in any order of ordinals. */
    sl_status (*open)(const void *conf, const sl_env *env, void **partial, sl_error *err);
    sl_status (*add)(void *partial, sl_batch *take, uint64_t ordinal, sl_error *err);
    /* All added: does the worker's share of the final work (sorting), once, still in parallel. May be NULL. */
    sl_status (*seal)(void *partial, sl_error *err);
    /* For another process: the sealed partial as bytes, and back. */
    sl_status (*save)(void *partial, sl_buf *out, sl_error *err);
    sl_status (*load)(const void *conf, const sl_env *env, const char *data, size_t n, void **partial, sl_error *err);
    /* Coordinator: FROM is emptied into INTO (both sealed). The order of merging must not matter to the result. */
    sl_status (*merge)(void *into, void *from, sl_error *err);
    /* The result, in order, to OUT: called again and again, each time emitting about a batch, until it returns SL_DONE. */
    sl_status (*finish)(void *partial, sl_out *out, sl_error *err);
    void (*close)(void *partial); /* NULL-safe */
    /* Only the first N items of the result will be looked at. Changes the compiled CONF before the run. May be NULL. */
    void (*limit)(void *conf, uint64_t n);
} sl_fold;

/* ---- lookup: a second stream, read first (join) -------------------------------------------------------------------- */

typedef struct sl_lookup {
    /* Coordinator: the second stream, whole, in order. */
    sl_status (*open)(const void *conf, const sl_env *env, void **table, sl_error *err);
    sl_status (*add)(void *table, sl_batch *take, sl_error *err);
    sl_status (*seal)(void *table, sl_error *err); /* read-only from here on, shared by all workers */
    void (*close)(void *table);
    /* Worker: items of the first stream, matched against TABLE. Takes B. */
    sl_status (*probe)(const void *conf, const void *table, void *state, sl_batch *take, sl_out *out, sl_error *err);
} sl_lookup;

/* ---- the descriptor -------------------------------------------------------------------------------------------- */

typedef enum sl_kind { SL_KIND_SOURCE, SL_KIND_PROCESSOR, SL_KIND_OPERATOR, SL_KIND_SPLITTER } sl_kind;

enum {
    SL_PIPE_EMITS = 1,      /* emits by default whatever the result is (regex, rename, urlbuilder ...) */
    SL_PIPE_NO_FIELD = 2,   /* never looks at a field (sources) */
    SL_PIPE_OTHER = 4,      /* needs a second stream: join's `other` */
    SL_PIPE_OTHERS = 8,     /* takes any number of further streams: union */
    SL_PIPE_ITEM = 16,      /* works on the whole item when no field is given */
    SL_PIPE_VALUE = 32,     /* operator that handles emit and assign itself (count, sum): its result is a value */
    SL_PIPE_STEADY = 64,    /* the state that start makes does not look at the conf: a worker makes it once, also where the conf
                               refers to the item */
    SL_PIPE_HEADINGS = 128, /* `apply` keeps to columns: given a batch without rows it emits the columns that items would have */
    SL_PIPE_NO_LOOP = 256,  /* a source that cannot be the submodule of a loop (input) */
    SL_PIPE_MAKES = 512, /* a serial or fold whose results are not items that came but made of them, like those of SL_PIPE_VALUE */
    SL_PIPE_BARE = 1024  /* `apply` hands bare values on as they are (tap) */
};

typedef struct sl_pipe {
    const char *name;
    sl_kind kind;
    const char *summary;      /* one line */
    const char *details;      /* a paragraph or more: edge cases; may be NULL */
    const char *example;      /* a text that `sluice pipe` runs, or, where that cannot show it, a definition: { ... } */
    const sl_option *options; /* ended by a NULL name; NULL: none */
    size_t conf_size;
    const char *main; /* conf key that the bare word of the pipe notation sets (sort FIELD); may be NULL */
    unsigned flags;

    /* `each` pipes: */
    const char *field;  /* default field; NULL: the whole item */
    sl_cast cast;       /* of the field value before the pipe sees it; SL_CAST_PASS: raw */
    const char *assign; /* default assign; NULL: the pipe's name (sources: "content") */

    /* Compiles the parsed conf; coordinator. May be NULL. For `each` pipes it also runs on workers, for confs that refer to the
     * item. */
    sl_status (*prepare)(void *conf, const sl_step_info *info, sl_error *err);
    void (*destroy)(void *conf); /* NULL-safe members; may be NULL */
    /* Worker scratch; may be NULL. */
    sl_status (*start)(const void *conf, void **state, sl_error *err);
    void (*stop)(void *state);
    /* Worker: the last word of a state, before stop, when every item of the stage has gone through: what is only known then, such
     * as that a command ended well. Its failure is the step's, and nothing is committed. Not called after a failure, nor where a
     * step behind wanted no more. Not for sources. May be NULL. */
    sl_status (*finish)(void *state, sl_error *err);
    /* Worker, after each unit: the lines, each with its end, that STATE has for the program's log, one for each of the first items
     * of the unit that came here; emptied by the caller. *LIMIT: how many items of the run have one, 0: all. Of `apply`; may be
     * NULL. */
    sl_buf *(*shown)(void *state, uint64_t *limit);

    /* One of them; `serial` may stand beside `apply` or `fold`: see in_order. */
    sl_each_fn each;
    sl_status (*apply)(const void *conf, void *state, sl_batch *take, sl_out *out, sl_error *err);
    const sl_source_calls *source;
    const sl_serial *serial;
    const sl_fold *fold;
    const sl_lookup *lookup;
    /* A pipe with `apply` or `fold` beside `serial` needs the serial form when this says so of its conf (filter with stop,
     * aggregate by a function). It is asked of the conf as parsed: what only an item or a terminal decides is still empty. */
    bool (*in_order)(const void *conf);
} sl_pipe;

/* ---- the registry ---------------------------------------------------------------------------------------------- */

const sl_pipe *sl_pipe_named(sl_text name); /* resolves aliases (stringtokenizer); NULL: unknown */
const sl_pipe *sl_pipe_at(unsigned i);      /* in alphabetical order; NULL past the last */
const char *sl_pipe_suggest(sl_text name);  /* nearest name or NULL */
/* CODE, with that suggestion or where to look. */
sl_status sl_pipe_unknown(sl_text name, sl_status code, sl_error *err);

#endif
