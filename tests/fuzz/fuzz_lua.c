/* Lua texts made ready for a state with limits: what is written in the place of a text is Lua just when the text is. Only results are not
 * asked about texts that are none: they are looked for once the compiler has taken the text. */
#include <lauxlib.h>
#include <lua.h>

#include "fuzz.h"
#include "operators/lua/scan.h"

enum { MOST = 4096 };

/* BEFORE CODE AFTER, as a function is compiled. OUT: the compiler's message, or "". */
static bool compiles(sl_text code, const char *before, const char *after, char out[256]) {
    sl_buf all = {0};
    sl_buf_str(&all, "local " SL_LUA_CHECK "," SL_LUA_NUMBER "," SL_LUA_ROWS "," SL_LUA_TEXTS "=... ");
    sl_buf_str(&all, before);
    sl_buf_add(&all, code.s, code.n);
    sl_buf_str(&all, after);
    lua_State *L = luaL_newstate();
    FUZZ_CHECK(L && sl_buf_check(&all, NULL) == SL_OK);
    bool good = luaL_loadbuffer(L, sl_buf_cstr(&all), all.len, "=lua") == 0;
    snprintf(out, 256, "%s", good ? "" : lua_tostring(L, -1));
    lua_close(L);
    sl_buf_free(&all);
    return good;
}

/* What is written is longer than the text, and may meet a limit of the compiler's that the text just keeps. */
static bool too_long(const char *message) {
    return strstr(message, "too many") || strstr(message, "has more than") || strstr(message, "overflow");
}

static void check(sl_text text, sl_text code, sl_lua_rewrite rewrite, const char *before, const char *after) {
    char of_text[256], of_code[256];
    if (compiles(text, before, after, of_text))
        FUZZ_CHECK(compiles(code, before, after, of_code) || too_long(of_code));
    else if (rewrite != SL_LUA_RESULTS)
        FUZZ_CHECK(!compiles(code, before, after, of_code));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    sl_lua_rewrite rewrite = (sl_lua_rewrite)(fuzz_byte(&in) % 3);
    char *z = fuzz_string(fuzz_rest(&in));
    sl_text text = sl_text_n(z, in.n);
    sl_arena arena = {0};
    sl_lua_source source;
    sl_error err = {0};
    sl_status status = in.n > MOST ? SL_DONE : sl_lua_scan(text, rewrite, &arena, &source, &err);
    if (status != SL_DONE) fuzz_agree(status, &err);
    FUZZ_CHECK(status == SL_OK || status == SL_E_PLAN || status == SL_DONE);
    if (status == SL_OK) {
        check(text, source.code, rewrite, "return function(item) ", "\nend");
        check(text, source.code, rewrite, "return function(item) return (", "\n) end");
    }
    sl_arena_free(&arena);
    free(z);
    return 0;
}
