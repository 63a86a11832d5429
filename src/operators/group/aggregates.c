#include "operators/group/aggregates.h"

const sl_aggregate *const sl_aggregates[] = {
#define X(name, help) &sl_aggregate_##name,
#include "operators/group/aggregates.def"
#undef X
};

const char *const sl_aggregate_names[] = {
#define X(name, help) #name,
#include "operators/group/aggregates.def"
#undef X
    NULL};

const char sl_aggregate_help[] =
#define X(name, help) #name " (" help "), "
#include "operators/group/aggregates.def"
#undef X
    "each of one group";
