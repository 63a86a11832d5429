/* loop: a submodule run for each item. The planner puts the submodule in its place; nothing of its own happens at run time. */
#include "plan/pipe.h"

const sl_pipe sl_pipe_loop = {
    .name = "loop",
    .kind = SL_KIND_OPERATOR,
    .summary = "Runs a submodule for each item",
    .details = "The submodule stands beside the conf: embed is {\"type\": PIPE}, a processor or a source, or "
               "a subpipe, "
               "pipe:ID. The conf is the submodule's and may refer to the item; field is handed to it. Its "
               "results are the "
               "new items; with emit: false each of them is stored in a copy of the item, under assign or "
               "else under "
               "loop, and an item without results stays as it is. count: first keeps one result of each item "
               "and asks "
               "for no more. A subpipe gets the item, and neither conf nor field.",
    .example =
        "itembuilder attrs.key=title attrs.value='a b' | loop @embed=tokenizer @field=title @emit=false "
        "delimiter=' '",
};
