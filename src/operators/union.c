/* union: several streams one after another. The planner makes it of branches; nothing happens at run time. */
#include "plan/pipe.h"

const sl_pipe sl_pipe_union = {
    .name = "union",
    .kind = SL_KIND_OPERATOR,
    .summary = "Puts streams one after another",
    .details = "The items of its own input, then those of every stream wired to an _OTHER port, in the order "
               "of the wires.",
    .example = "{\"modules\": [\n"
               "  {\"id\": \"a\", \"type\": \"itembuilder\", \"conf\": {\"attrs\": {\"key\": \"n\", "
               "\"value\": 1}}},\n"
               "  {\"id\": \"b\", \"type\": \"itembuilder\", \"conf\": {\"attrs\": {\"key\": \"n\", "
               "\"value\": 2}}},\n"
               "  {\"id\": \"c\", \"type\": \"itembuilder\", \"conf\": {\"attrs\": {\"key\": \"n\", "
               "\"value\": 3}}},\n"
               "  {\"id\": \"all\", \"type\": \"union\"}],\n"
               " \"wires\": [[\"a\", \"all\"], [\"b\", \"all\", \"_OTHER\"], [\"c\", \"all\", \"_OTHER2\"]]}",
    .flags = SL_PIPE_OTHERS,
};
