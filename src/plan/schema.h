/* schema.h: the JSON Schema of definitions (draft 2020-12), for editors and for whoever makes definitions by program.
 *
 * What is the same whatever pipes there are stands in definition.json; where that has a member "@NAME", the tables of pipes,
 * settings and sinks are written in its place. Native definitions are described to the last key. In riko's forms, whose keys match
 * in any case, confs are objects and no more. */
#ifndef SL_PLAN_SCHEMA_H
#define SL_PLAN_SCHEMA_H

#include "base/buffer.h"

SL_MUST_CHECK sl_status sl_schema_write(sl_buf *out, sl_error *err);

#endif
