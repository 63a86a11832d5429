/* end.h: what the coordinator does with what the workers of a stage give it: the stage's end.
 *
 *     open  (batch | partial | saved)*  finish* until SL_DONE  close           get at any time between
 *
 * What comes of it is ready to be got, in order, by whoever reads the stage's result.
 *
 * Thread rule: the coordinator; workers look into `bound` once their stages have begun. */
#ifndef SL_ENGINE_END_END_H
#define SL_ENGINE_END_END_H

#include "engine/end/queue.h"
#include "engine/unit/unit.h"
#include "record/spool.h"

typedef enum sl_end_kind {
    SL_END_SERIAL, /* a pipe that sees the batches in order */
    SL_END_ZIP,    /* elements of terminals are laid beside the items */
    SL_END_WRAP,   /* each item becomes the value of one key of a fresh item */
    SL_END_FOLD,   /* the workers' partials are merged */
    SL_END_LOOKUP, /* a table is made, which workers probe */
    SL_END_SPOOL,  /* kept for several readers */
    SL_END_OUTPUT  /* sinks or the caller */
} sl_end_kind;

/* Read-only once the plan is cut. */
typedef struct sl_end {
    sl_end_kind kind;
    const sl_node *node; /* serial, fold, lookup, zip, wrap; else NULL */
    uint32_t *terminals; /* ids of stages that give streams bound to names which the node's conf uses */
    sl_text *terminal_names;
    uint32_t nterminals;
} sl_end;

/* The result of a stage, as those see it that read it. */
typedef struct sl_supply {
    void *from;
    sl_status (*pull)(void *from, sl_batch **out, sl_error *err); /* the next batch, the caller's; SL_DONE: there is no more */
    /* Of a spool: a copy of batch I, which every reader may have. */
    sl_status (*copy)(void *from, uint32_t i, sl_batch **out, sl_error *err);
    void (*put_back)(void *from, sl_batch *take); /* what is left of the batch that was pulled last */
} sl_supply;

/* An end at work. */
typedef struct sl_end_run {
    const sl_end *end;
    sl_bound *bound;          /* its own */
    const sl_supply *results; /* [stages], by id */
    sl_queue ready;
    void *serial;     /* SL_END_SERIAL: opened */
    void *partial;    /* SL_END_FOLD: merged so far */
    sl_spool *spool;  /* SL_END_SPOOL */
    bool wrapped;     /* SL_END_WRAP: something came */
    bool handed_on;   /* SL_END_SERIAL: something came out before all had come in */
    uint64_t in, out; /* items that came, and that were got */
    sl_arena arena;   /* resolved confs */
} sl_end_run;

SL_MUST_CHECK sl_status sl_end_open(sl_end_run *e, const sl_env *env, sl_error *err);
/* One batch, in order. SL_DONE: enough. */
SL_MUST_CHECK sl_status sl_end_batch(sl_end_run *e, sl_batch *take, sl_error *err);
/* A worker's sealed partial. */
SL_MUST_CHECK sl_status sl_end_partial(sl_end_run *e, void *take, sl_error *err);
/* One that a process has sent, packed; borrowed. */
SL_MUST_CHECK sl_status sl_end_saved(sl_end_run *e, sl_text saved, sl_error *err);
/* Makes something more of the result ready; SL_DONE when there is no more. */
SL_MUST_CHECK sl_status sl_end_finish(sl_end_run *e, sl_error *err);
/* The next batch that is ready, the caller's; NULL: there is none now. */
sl_batch *sl_end_get(sl_end_run *e);
void sl_end_put_back(sl_end_run *e, sl_batch *take);
void sl_end_close(sl_end_run *e);

#endif
