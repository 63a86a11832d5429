#include "operators/text/finding.h"

const char *const sl_find_locations[] = {"before", "after", "at", NULL};
const char *const sl_find_params[] = {"first", "last", NULL};
