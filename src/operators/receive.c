/* receive: what sends elsewhere in the definition were given. The planner makes it a union of them. */
#include "plan/pipe.h"

typedef struct conf {
    sl_text name;
    double wait, max_wait;
    int64_t max_len;
} conf;

static const sl_option options[] = {
    {.name = "name",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, name),
     .flags = SL_OPT_REQUIRED,
     .help = "the name that sends use"},
    {.name = "max_len",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, max_len),
     .min = 1,
     .max = INT64_MAX / 2,
     .unit = "items",
     .help = "keep the newest so many and drop those before; default: all"},
    {.name = "wait",
     .type = SL_OPT_SECONDS,
     .offset = offsetof(conf, wait),
     .fallback = "1",
     .help = "accepted for riko's sake: nothing is waited for"},
    {.name = "max_wait",
     .type = SL_OPT_SECONDS,
     .offset = offsetof(conf, max_wait),
     .fallback = "5",
     .help = "accepted for riko's sake: nothing is waited for"},
    {.name = NULL},
};

const sl_pipe sl_pipe_receive = {
    .name = "receive",
    .kind = SL_KIND_OPERATOR,
    .summary = "The items that were sent to its name",
    .details = "Everything that sends of the same definition give to this name, one send after another in "
               "the order of the "
               "definition. It ends when they do, and at once when there is none. What is wired to it does "
               "not matter.",
    .example = "{\"modules\": [\n"
               "  {\"id\": \"text\", \"type\": \"itembuilder\", \"conf\": {\"attrs\": {\"key\": \"content\", "
               "\"value\": \"a,b,c\"}}},\n"
               "  {\"id\": \"letters\", \"type\": \"tokenizer\"},\n"
               "  {\"id\": \"copy\", \"type\": \"send\", \"conf\": {\"others\": \"box\"}},\n"
               "  {\"id\": \"box\", \"type\": \"receive\", \"conf\": {\"name\": \"box\", \"max_len\": 2}},\n"
               "  {\"id\": \"all\", \"type\": \"union\"}],\n"
               " \"wires\": [[\"text\", \"letters\"], [\"letters\", \"copy\"], [\"copy\", \"all\"], "
               "[\"box\", \"all\", \"_OTHER\"]]}",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "name",
    .flags = SL_PIPE_OTHERS,
};
