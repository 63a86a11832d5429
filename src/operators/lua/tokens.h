/* tokens.h: a Lua text as tokens. A text that is not Lua gives tokens too: the compiler says what is wrong with it. */
#ifndef SL_OPERATORS_LUA_TOKENS_H
#define SL_OPERATORS_LUA_TOKENS_H

#include "base/arena.h"

typedef enum sl_lua_kind { SL_LUA_END, SL_LUA_NAME, SL_LUA_KEYWORD, SL_LUA_NUMERAL, SL_LUA_STRING, SL_LUA_SIGN } sl_lua_kind;

typedef struct sl_lua_token {
    sl_lua_kind kind;
    sl_text text;
    uint32_t from; /* where it begins; what stands before it back to the token before is white space and comments */
    char inside;   /* the bracket it stands in directly: '{', '(', '[' or 0 */
} sl_lua_token;

typedef struct sl_lua_tokens {
    sl_text text;
    sl_lua_token *list; /* [n], then one of kind SL_LUA_END; in the arena */
    uint32_t n;
} sl_lua_tokens;

SL_MUST_CHECK sl_status sl_lua_read_tokens(sl_text text, sl_arena *arena, sl_lua_tokens *out, sl_error *err);

static inline bool sl_lua_is_sign(const sl_lua_token *t, const char *z) {
    return t->kind == SL_LUA_SIGN && sl_text_is(t->text, z);
}

static inline bool sl_lua_is_keyword(const sl_lua_token *t, const char *z) {
    return t->kind == SL_LUA_KEYWORD && sl_text_is(t->text, z);
}

#endif
