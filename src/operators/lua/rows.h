/* rows.h: results that a text makes with a constructor, seen before it runs.
 *
 * Most functions end with `return {id = item.id, total = a * b}`. Such a table lives for a moment only: it is made, gone through
 * and dropped. So a constructor that a function of items returns becomes a call, SL_LUA_ROWS[1](item.id, (a * b)), of a function
 * which puts its arguments straight into the columns when results go into columns with those keys, and else makes the table.
 *
 * A value of the constructor that is a text made of fields, item.a .. ', ' .. item.b or item.a alone, becomes SL_LUA_TEXTS[1]() or
 * item.a .. ', ' .. item.b: the call stands for the text where its bytes can go from columns to a column with no string made. */
#ifndef SL_OPERATORS_LUA_ROWS_H
#define SL_OPERATORS_LUA_ROWS_H

#include "operators/lua/tokens.h"

/* A text made of fields. */
typedef struct sl_lua_text {
    sl_text *pieces;  /* [npieces] names of fields of the item, and literals as they are written, with their quotes */
    uint32_t npieces; /* 0: the value is anything else */
} sl_lua_text;

typedef struct sl_lua_row {
    sl_text *keys;      /* [nkeys] names, in their order, all different */
    sl_lua_text *texts; /* [nkeys] their values */
    uint32_t nkeys;
} sl_lua_row;

typedef struct sl_lua_rows {
    sl_lua_row *list; /* [n] the constructors, in their order */
    uint32_t n;
    uint32_t ntexts;    /* of all of them */
    const char **edits; /* [tokens] what takes the place of a token; NULL: it stays */
} sl_lua_rows;

/* Those constructors in T, the body of a function or an expression, that are the result as a whole and have nothing but names as
 * keys. The others, and those with a function in them, stay tables. There are texts made of fields only where T uses `item` for
 * nothing but its fields, so that no other variable has its name. Everything in OUT lives in ARENA. */
SL_MUST_CHECK sl_status sl_lua_find_rows(const sl_lua_tokens *t, sl_arena *arena, sl_lua_rows *out, sl_error *err);

#endif
