/* split: one stream for several readers. The planner makes it a spool; nothing happens at run time. */
#include "plan/pipe.h"

typedef struct conf {
    int64_t splits;
} conf;

static const sl_option options[] = {
    {.name = "splits",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, splits),
     .fallback = "2",
     .min = 1,
     .max = 1024,
     .unit = "streams",
     .help = "accepted for riko's sake: every wire that leaves the step gets a copy"},
    {0},
};

const sl_pipe sl_pipe_split = {
    .name = "split",
    .kind = SL_KIND_SPLITTER,
    .summary = "Gives every wire that leaves it the whole stream",
    .details = "Each reader gets all items in order. What does not fit into the memory setting waits in a "
               "temporary file.",
    .example = "{\"modules\": [\n"
               "  {\"id\": \"text\", \"type\": \"itembuilder\", \"conf\": {\"attrs\": {\"key\": \"content\", "
               "\"value\": \"a,b,c\"}}},\n"
               "  {\"id\": \"letters\", \"type\": \"tokenizer\"},\n"
               "  {\"id\": \"copies\", \"type\": \"split\"},\n"
               "  {\"id\": \"last\", \"type\": \"tail\", \"conf\": {\"count\": 1}},\n"
               "  {\"id\": \"number\", \"type\": \"count\"},\n"
               "  {\"id\": \"all\", \"type\": \"union\"}],\n"
               " \"wires\": [[\"text\", \"letters\"], [\"letters\", \"copies\"], [\"copies\", \"last\"], "
               "[\"copies\", \"number\"],\n"
               "           [\"last\", \"all\"], [\"number\", \"all\", \"_OTHER\"]]}",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "splits",
};
