/* lua.h: functions that a definition brings along, in Lua, run by LuaJIT in a state of their own for each worker.
 *
 *     prepare (coordinator)  ->  program, read-only
 *     open (each worker)     ->  test | values | items ...            on batches
 *                                gather* result                       on the whole stream
 *     free
 *
 * The function is an expression ("item.a * item.b"), the body of a function ("return {total = item.a * item.b}"), or a function of
 * a file. `item` looks like a table of the item's fields; a field is decoded when it is first asked for.
 *
 *     null, no such field   nil                        text, time, decimal   string
 *     bool                  boolean                    list                  table 1..n
 *     int, float            number; an int from 2^53 map                   table
 *                           on a string
 *
 * Inside lists and maps null is the value `null`. Back: nil is no result, `null` null, a number without a fraction up to 2^53 an
 * int, a table with the keys 1..n a list, one with texts as keys a map; the empty table a map unless it is list{}.
 *
 * The state has no os, io, ffi, package, debug, jit, load and random numbers unless the caller allows them (env->unsafe_lua), may
 * hold `memory` bytes, and works at most `timeout` seconds on an item (scan.h tells how it is stopped). A single call of a function
 * of Lua's own library, such as string.find with a hopeless pattern, is not interrupted.
 *
 * Ownership: a program lives in the arena of the step. Thread rule: all workers share a program; an sl_lua belongs to one. */
#ifndef SL_OPERATORS_LUA_LUA_H
#define SL_OPERATORS_LUA_LUA_H

#include "plan/pipe.h"

typedef struct sl_lua_conf { /* as a definition gives it */
    sl_text lua;             /* expression or body; .s NULL: file and function */
    sl_text file, function;
    uint64_t memory; /* bytes a state, 0: any */
    double timeout;  /* seconds an item, 0: any */
} sl_lua_conf;

typedef enum sl_lua_role {
    SL_LUA_ITEM,   /* called with `item` */
    SL_LUA_FILTER, /* the same; fields are variables too, and numbers where they are compared with numbers */
    SL_LUA_STREAM  /* called with `items`, a list of plain tables */
} sl_lua_role;

typedef struct sl_lua_program sl_lua_program;
typedef struct sl_lua sl_lua;

/* The rows of an options table for the members of an sl_lua_conf called MEMBER in the struct CONF. */
/* clang-format off */
#define SL_LUA_OPTIONS(conf, member, help_lua, seconds)                                                                           \
    {.name = "lua", .type = SL_OPT_TEXT, .offset = offsetof(conf, member.lua), .help = help_lua},                                 \
    {.name = "memory", .type = SL_OPT_SIZE, .offset = offsetof(conf, member.memory), .fallback = "64M", .unit = "bytes",          \
     .help = "most that the state of the function may hold on each worker"},                                                      \
    {.name = "timeout", .type = SL_OPT_SECONDS, .offset = offsetof(conf, member.timeout), .fallback = seconds, .unit = "seconds", \
     .help = "longest that one call of the function may take; 0: any time"}

#define SL_LUA_FILE_OPTIONS(conf, member)                                                                                   \
    {.name = "file", .type = SL_OPT_TEXT, .offset = offsetof(conf, member.file), .help = "Lua file that has the function"}, \
    {.name = "function", .type = SL_OPT_TEXT, .offset = offsetof(conf, member.function),                                    \
     .help = "its name there, or in the plugin"}
/* clang-format on */

/* Whether C says where a function is: `lua` or `file`. */
static inline bool sl_lua_given(const sl_lua_conf *c) {
    return c->lua.s || c->file.s;
}

/* Reads and compiles, to find what is wrong with it: SL_E_PLAN with the line of the text, SL_E_IO for the file. */
SL_MUST_CHECK sl_status sl_lua_prepare(const sl_lua_conf *c, sl_lua_role role, const sl_step_info *info, const sl_lua_program **out,
                                       sl_error *err);

SL_MUST_CHECK sl_status sl_lua_open(const sl_lua_program *p, sl_lua **out, sl_error *err);
void sl_lua_free(sl_lua **l); /* NULL-safe */

/* Filter: KEEP[i] tells whether the function calls the i-th selected item true, as Lua does (0 and "" are). */
SL_MUST_CHECK sl_status sl_lua_test(sl_lua *l, sl_batch *b, bool *keep, sl_error *err);

/* V[row] for the selected rows: the result, missing for nil. V: nrows values, all missing. They live in the backing of B. */
SL_MUST_CHECK sl_status sl_lua_values(sl_lua *l, sl_batch *b, sl_value *v, sl_error *err);

/* The results as items to OUT: nil gives none. A list is one result when MOST is 0, else as many as it has elements, MOST at most.
 * Takes the batch. */
SL_MUST_CHECK sl_status sl_lua_items(sl_lua *l, sl_batch *take, uint32_t most, sl_out *out, sl_error *err);

/* SL_LUA_STREAM: the items of B join the list; then the function is called with it, once, and what it returns goes to OUT. */
SL_MUST_CHECK sl_status sl_lua_gather(sl_lua *l, sl_batch *b, sl_error *err);
SL_MUST_CHECK sl_status sl_lua_result(sl_lua *l, sl_out *out, sl_error *err);

#endif
