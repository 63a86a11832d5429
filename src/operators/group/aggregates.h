/* aggregates.h: what can be computed of the values in a group. An aggregate is one const descriptor, in a file in ops/, and one
 * line in aggregates.def, from which its name as an `op`, help, docs, schema, completion and messages follow.
 *
 * It keeps a *state* for each group, a struct of its own. Workers add values to states of theirs, which the coordinator merges; a
 * state that travels to another process or goes to a file is saved in between:
 *
 *   worker: add* [save]        coordinator: [load] merge* result        both: drop
 *
 * Which worker saw which items must not show in the result. So add and merge are associative and commutative, and what depends on
 * the order of the input goes by ordinals. They may leave a state half changed when they fail, as the run is over then.
 *
 * Thread rule: a state belongs to one thread at a time; a column is read-only, and shared. */
#ifndef SL_OPERATORS_GROUP_AGGREGATES_H
#define SL_OPERATORS_GROUP_AGGREGATES_H

#include "record/path.h"

typedef struct sl_group_column sl_group_column;

/* One value on its way into a state. */
typedef struct sl_addend {
    const sl_group_column *column;
    sl_value value;   /* borrowed */
    uint64_t ordinal; /* of its item */
    size_t *held;     /* bytes that all states of a table hold beyond themselves, by which it knows when to spill: who allocates
                         adds to it */
} sl_addend;

typedef struct sl_aggregate {
    size_t size; /* bytes of a state. All zero means that nothing was seen; it is aligned to 16 */
    bool bare;   /* may do without a field: then every item is added, as a missing value */
    bool absent; /* absent and empty values are added too; otherwise it never sees one, but for `bare` */

    sl_status (*add)(void *state, const sl_addend *a, sl_error *err);
    /* Adds all that FROM has seen to INTO; FROM stays as it is. HELD as in an addend. */
    sl_status (*merge)(void *into, const void *from, size_t *held, sl_error *err);
    /* The result, in ARENA or in the state. */
    sl_status (*result)(const void *state, const sl_group_column *c, sl_arena *arena, sl_value *out, sl_error *err);
    /* As bytes for another process or a file, and back into a zeroed state. */
    void (*save)(const void *state, sl_buf *out);
    sl_status (*load)(void *state, sl_cursor *from, sl_error *err);
    /* Frees what it holds beyond itself, also when half made. NULL: it never holds anything. */
    void (*drop)(void *state);
} sl_aggregate;

/* One result of a group. */
struct sl_group_column {
    const sl_aggregate *op;
    sl_path path; /* of the field; no steps: none */
    sl_text name; /* of the result */
    bool strict;  /* absent and empty values are errors */
    bool riko;    /* sums are rounded to 28 digits, floats count by their binary value, NaN and infinities make a sum NaN */
};

#define X(name, help) extern const sl_aggregate sl_aggregate_##name;
#include "operators/group/aggregates.def"
#undef X

/* By their place in aggregates.def: the descriptors, and the names, ended by NULL. */
extern const sl_aggregate *const sl_aggregates[];
extern const char *const sl_aggregate_names[];
extern const char sl_aggregate_help[]; /* all of them in one line */

#endif
