/* plugin.h: functions of shared libraries (sluice_plugin.h) over batches.
 *
 *     load (prepare)  ->  open (each worker)  ->  items | values ...        ->  close  ->  unload
 *                         open (each run)     ->  gather ... -> result
 *
 * Ownership: what load notes lives in the arena of the step; the library stays loaded until unload, which must come after every
 * close. Thread rule: a loaded function is shared by all workers, read-only; an sl_plugin_call belongs to one. */
#ifndef SL_OPERATORS_CALL_PLUGIN_H
#define SL_OPERATORS_CALL_PLUGIN_H

#include "plan/pipe.h"
#include "sluice_plugin.h"

typedef struct sl_plugin_conf { /* as a definition gives it */
    sl_text plugin;             /* file; .s NULL: none */
    sl_text function;           /* .s NULL: the only one */
    sl_value conf;              /* map or missing */
} sl_plugin_conf;

typedef enum sl_plugin_role { SL_PLUGIN_ITEM, SL_PLUGIN_STREAM } sl_plugin_role; /* of sl_plugin's functions, or its aggregates */

typedef struct sl_plugin_program {
    void *library;              /* of dlopen; NULL: none is loaded */
    const struct sl_host *host; /* plan/host.h: the function is the program's, its state STATE; NULL: it is a library's */
    void *state;
    sl_plugin_aggregate function; /* result is NULL for SL_PLUGIN_ITEM */
    const char *conf;             /* JSON */
    sl_dialect dialect;
} sl_plugin_program;

/* The rows of an options table for the members of an sl_plugin_conf called MEMBER in the struct CONF, all but `function`. */
/* clang-format off */
#define SL_PLUGIN_OPTIONS(conf, member)                                              \
    {.name = "plugin", .type = SL_OPT_TEXT, .offset = offsetof(conf, member.plugin), \
     .help = "shared library that has the function, such as ./libx.so"},             \
    {.name = "conf", .type = SL_OPT_VALUE, .offset = offsetof(conf, member.conf),    \
     .help = "an object for the function of the plugin"}
/* clang-format on */

/* SL_E_PLAN when it is not clear where the function is: ELSEWHERE says whether the definition has one in Lua too. */
SL_MUST_CHECK sl_status sl_plugin_check(const sl_plugin_conf *c, bool elsewhere, sl_error *err);

/* Loads the library and finds the function. SL_E_PLAN says what is wrong with either, or with the conf. P, zeroed before, is to be
 * unloaded also after a failure. */
SL_MUST_CHECK sl_status sl_plugin_load(const sl_plugin_conf *c, sl_plugin_role role, const sl_step_info *info, sl_plugin_program *p,
                                       sl_error *err);
void sl_plugin_unload(sl_plugin_program *p);

/* The function NAME of the calling program (sl_pipeline_function) instead of a library's; SL_E_PLAN: it has none of that name. */
SL_MUST_CHECK sl_status sl_plugin_of_host(sl_text name, const sl_step_info *info, sl_plugin_program *p, sl_error *err);

/* The function with a state of its own. SL_E_DATA with the plugin's reason when it does not want to be opened. */
SL_MUST_CHECK sl_status sl_plugin_open(const sl_plugin_program *p, sl_plugin_call **out, sl_error *err);
void sl_plugin_close(sl_plugin_call **call); /* NULL-safe */

/* The results for the selected rows, MOST at most for each, as items to OUT. Takes the batch. */
SL_MUST_CHECK sl_status sl_plugin_items(sl_plugin_call *call, sl_batch *take, uint32_t most, sl_out *out, sl_error *err);

/* V[row] for the selected rows: the list of the results. V: nrows values. The lists live in the backing of B. */
SL_MUST_CHECK sl_status sl_plugin_values(sl_plugin_call *call, sl_batch *b, sl_value *v, sl_error *err);

/* SL_PLUGIN_STREAM: shows it the items of B; then what it makes of them, once, to OUT. */
SL_MUST_CHECK sl_status sl_plugin_gather(sl_plugin_call *call, sl_batch *b, sl_error *err);
SL_MUST_CHECK sl_status sl_plugin_result(sl_plugin_call *call, sl_out *out, sl_error *err);

#endif
