/* send: items pass, and receives elsewhere in the definition read them too. The planner makes the wires. */
#include "plan/pipe.h"

typedef struct conf {
    sl_texts others;
    double max_wait;
} conf;

static const sl_option options[] = {
    {.name = "others",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(conf, others),
     .flags = SL_OPT_REQUIRED,
     .help = "names of the receives that get a copy, one or a list"},
    {.name = "max_wait",
     .type = SL_OPT_SECONDS,
     .offset = offsetof(conf, max_wait),
     .fallback = "5",
     .help = "accepted for riko's sake: nothing is waited for"},
    {.name = NULL},
};

static sl_status apply(const void *vconf, void *state, sl_batch *take, sl_out *out, sl_error *err) {
    (void)vconf, (void)state;
    return sl_emit(out, take, err);
}

const sl_pipe sl_pipe_send = {
    .name = "send",
    .kind = SL_KIND_OPERATOR,
    .summary = "Passes items on and gives a copy to receives",
    .details =
        "Every receive of one of these names, anywhere in the same definition, gets all items in order.",
    .example = "{\"modules\": [\n"
               "  {\"id\": \"text\", \"type\": \"itembuilder\", \"conf\": {\"attrs\": {\"key\": \"content\", "
               "\"value\": \"a,b,c\"}}},\n"
               "  {\"id\": \"letters\", \"type\": \"tokenizer\"},\n"
               "  {\"id\": \"copy\", \"type\": \"send\", \"conf\": {\"others\": \"box\"}},\n"
               "  {\"id\": \"number\", \"type\": \"count\"},\n"
               "  {\"id\": \"box\", \"type\": \"receive\", \"conf\": {\"name\": \"box\"}},\n"
               "  {\"id\": \"all\", \"type\": \"union\"}],\n"
               " \"wires\": [[\"text\", \"letters\"], [\"letters\", \"copy\"], [\"copy\", \"number\"], "
               "[\"number\", \"all\"], [\"box\", \"all\", \"_OTHER\"]]}",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "others",
    .apply = apply,
};
