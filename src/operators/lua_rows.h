/* lua_rows.h: results that a text makes with a constructor, seen before it runs.
 *
 * Most functions end with `return {id = item.id, total = a * b}`. Such a table lives for a moment only: it is made, gone through and
 * dropped. So a constructor that a function of items returns becomes a call, SL_LUA_ROWS[1](item.id, (a * b)), of a function which puts
 * its arguments straight into the columns when results go into columns with those keys, and else makes the table. */
#ifndef SL_OPERATORS_LUA_ROWS_H
#define SL_OPERATORS_LUA_ROWS_H

#include "operators/lua_tokens.h"

typedef struct sl_lua_row {
    sl_text *keys; /* [nkeys] names, in their order, all different */
    uint32_t nkeys;
} sl_lua_row;

typedef struct sl_lua_rows {
    sl_lua_row *list;   /* [n] the constructors, in their order */
    uint32_t n;
    const char **edits; /* [tokens] what takes the place of a token; NULL: it stays */
} sl_lua_rows;

/* Those constructors in T, the body of a function or an expression, that are the result as a whole and have nothing but names as keys.
 * The others, and those with a function in them, stay tables. Everything in OUT lives in ARENA. */
SL_MUST_CHECK sl_status sl_lua_find_rows(const sl_lua_tokens *t, sl_arena *arena, sl_lua_rows *out, sl_error *err);

#endif
