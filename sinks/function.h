/* function.h: the sink that is a function of the calling program (sl_pipeline_sink_function). No text names it. */
#ifndef SL_SINKS_FUNCTION_H
#define SL_SINKS_FUNCTION_H

#include "base/locale.h"
#include "sinks/sink.h"

typedef struct sl_function_conf {
    sl_item_fn fn;
    void *user;
    const sl_program_locale *locale; /* of the program, in which FN runs */
} sl_function_conf;

extern const sl_sink sl_sink_function;

#endif
