/* skip_if: rules that say which items a processor passes on as they are. */
#include "plan/internal.h"

#include "base/error.h"

static const char *const ops[] = {"contains", "intersection", "search", NULL};

const sl_option sl_skip_options[] = {
    {.name = "field",
     .type = SL_OPT_PATH,
     .offset = offsetof(sl_skip_rule, field),
     .flags = SL_OPT_REQUIRED,
     .help = "field to look at"},
    {.name = "text",
     .type = SL_OPT_TEXT,
     .offset = offsetof(sl_skip_rule, text),
     .flags = SL_OPT_REQUIRED,
     .help = "what to look for in it"},
    {.name = "op",
     .type = SL_OPT_ENUM,
     .offset = offsetof(sl_skip_rule, op),
     .fallback = "contains",
     .names = ops,
     .help = "contains the text, has one of its characters, or the regular expression is found"},
    {.name = "include",
     .type = SL_OPT_BOOL,
     .offset = offsetof(sl_skip_rule, include),
     .fallback = "false",
     .help = "skip the items for which that is not so"},
    {0},
};

static const sl_option options[] = {
    {.name = "skip_if", .type = SL_OPT_RULES, .rules = sl_skip_options, .rule_size = sizeof(sl_skip_rule)},
    {0},
};

sl_status sl_node_skips(sl_node *node, sl_error *err) {
    if (sl_is_absent(node->skip_if)) return SL_OK;
    sl_text bad = {0};
    sl_status status = SL_OK;
    if (node->pipe->kind != SL_KIND_PROCESSOR && node->pipe->kind != SL_KIND_SOURCE) {
        status = sl_fail(err, SL_E_PLAN, "skip_if is for processors; put a filter before this operator");
    } else {
        sl_pair pair = {SL_TEXT("skip_if"), node->skip_if};
        bool nocase = node->home->settings.dialect == SL_RIKO;
        status =
            sl_options_parse(options, sl_map(&pair, 1), nocase, &node->skip, &node->home->arena, &bad, err);
    }
    return status == SL_OK ? SL_OK : sl_node_blame(node, bad, status, err);
}
