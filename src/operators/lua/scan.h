/* scan.h: a Lua text made ready for a state with limits.
 *
 * Code that the JIT compiler has compiled calls no hooks, so `while true do end` could not be stopped from outside. Therefore every
 * loop, every function and every goto of the text gets a call of SL_LUA_CHECK, on the same line, which costs a subtraction once
 * compiled. For filter, a field compared with a number by < <= > >= is wrapped in SL_LUA_NUMBER; for a function of items,
 * constructors that are its results become calls (rows.h).
 *
 * The keys that the text writes ({total = ...}, item.total = ...) are listed in their order: the fields of results get that order,
 * for the order of a Lua table means nothing and differs from state to state. */
#ifndef SL_OPERATORS_LUA_SCAN_H
#define SL_OPERATORS_LUA_SCAN_H

#include "operators/lua/rows.h"

#define SL_LUA_CHECK  "sluice_check__"
#define SL_LUA_NUMBER "sluice_number__"
#define SL_LUA_ROWS   "sluice_rows__"
#define SL_LUA_TEXTS  "sluice_texts__"

typedef enum sl_lua_rewrite { SL_LUA_PLAIN, SL_LUA_NUMBERS, SL_LUA_RESULTS } sl_lua_rewrite;

typedef struct sl_lua_source {
    sl_text code;  /* the text with its checks */
    sl_text *keys; /* that it writes, each once */
    uint32_t nkeys;
    bool returns;     /* has a return of its own: is no mere expression */
    sl_lua_row *rows; /* constructors that became calls of SL_LUA_ROWS[1], [2] ... */
    uint32_t nrows;
} sl_lua_source;

/* Everything in OUT lives in ARENA. A text that is not Lua passes: the compiler says what is wrong, best of the PLAIN form.
 * SL_E_PLAN when the text uses one of the four names itself. */
SL_MUST_CHECK sl_status sl_lua_scan(sl_text text, sl_lua_rewrite rewrite, sl_arena *arena, sl_lua_source *out, sl_error *err);

#endif
