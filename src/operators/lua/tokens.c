/* tokens.c: Lua as tokens: just enough of the lexer to tell code from strings and comments. It never fails on a bad text, since
 * the compiler says better what is wrong with it. */
#include "operators/lua/tokens.h"

#include "base/error.h"

typedef struct scanner {
    sl_text text;
    uint32_t at;
    sl_lua_token *tokens;
    uint32_t n;
} scanner;

enum { MOST_BRACKETS = 250 }; /* more are not Lua: the compiler refuses them */

static char peek(const scanner *s, uint32_t ahead) {
    return s->at + ahead < s->text.n ? s->text.s[s->at + ahead] : '\0';
}

static bool begins_name(char c) {
    return sl_ascii_letter(c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_keyword(sl_text t) {
    static const char *const words[] = {"and", "break",    "do",     "else", "elseif", "end",   "false",
                                        "for", "function", "if",     "in",   "local",  "nil",   "not",
                                        "or",  "repeat",   "return", "then", "true",   "until", "while"};
    for (size_t i = 0; i < SL_COUNT(words); i++)
        if (sl_text_is(t, words[i])) return true;
    return false;
}

/* Skips a long bracket [==[ ... ]==] that begins here; false when none does. One without an end takes the rest. */
static bool skip_long(scanner *s) {
    uint32_t level = 0;
    if (peek(s, 0) != '[') return false;
    while (peek(s, 1 + level) == '=') level++;
    if (peek(s, 1 + level) != '[') return false;
    for (s->at += level + 2; s->at < s->text.n; s->at++) {
        uint32_t equals = 0;
        if (peek(s, 0) != ']') continue;
        while (equals < level && peek(s, 1 + equals) == '=') equals++;
        if (equals < level || peek(s, 1 + level) != ']') continue;
        s->at += level + 2;
        return true;
    }
    return true;
}

static void skip_space(scanner *s) {
    while (s->at < s->text.n) {
        char c = peek(s, 0);
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            s->at++;
        } else if (c == '-' && peek(s, 1) == '-') {
            s->at += 2;
            if (skip_long(s)) continue;
            while (s->at < s->text.n && peek(s, 0) != '\n') s->at++;
        } else {
            return;
        }
    }
}

static void skip_string(scanner *s) {
    char quote = peek(s, 0);
    for (s->at++; s->at < s->text.n; s->at++) {
        char c = peek(s, 0);
        if (c == '\\') {
            s->at++;
        } else if (c == quote || c == '\n') {
            s->at++;
            return;
        }
    }
    s->at = s->text.n;
}

static void skip_number(scanner *s) {
    for (; s->at < s->text.n; s->at++) {
        char c = peek(s, 0), before = s->at ? s->text.s[s->at - 1] : '\0';
        bool sign =
            (c == '+' || c == '-') && (before == 'e' || before == 'E' || before == 'p' || before == 'P');
        if (!sl_ascii_digit(c) && !begins_name(c) && c != '.' && !sign) return;
    }
}

static void skip_sign(scanner *s) {
    static const char *const signs[] = {"...", "..", "==", "~=", "<=", ">=", "::"};
    for (size_t i = 0; i < SL_COUNT(signs); i++) {
        size_t n = strlen(signs[i]);
        if (s->text.n - s->at < n || memcmp(s->text.s + s->at, signs[i], n) != 0) continue;
        s->at += (uint32_t)n;
        return;
    }
    s->at++;
}

static sl_lua_kind skip_token(scanner *s) {
    char c = peek(s, 0);
    if (begins_name(c)) {
        while (begins_name(peek(s, 0)) || sl_ascii_digit(peek(s, 0))) s->at++;
        return SL_LUA_NAME;
    }
    if (sl_ascii_digit(c) || (c == '.' && sl_ascii_digit(peek(s, 1)))) {
        skip_number(s);
        return SL_LUA_NUMERAL;
    }
    if (c == '"' || c == '\'') {
        skip_string(s);
        return SL_LUA_STRING;
    }
    if (skip_long(s)) return SL_LUA_STRING;
    skip_sign(s);
    return SL_LUA_SIGN;
}

static sl_status read_tokens(scanner *s, sl_arena *arena, sl_error *err) {
    char brackets[MOST_BRACKETS + 1] = {0};
    uint32_t depth = 0;
    s->tokens = sl_arena_calloc(arena, (size_t)s->text.n + 1, sizeof *s->tokens);
    if (!s->tokens) return sl_oom(err);
    for (;;) {
        sl_lua_token *t = &s->tokens[s->n];
        skip_space(s);
        *t = (sl_lua_token){.from = s->at, .inside = brackets[depth]};
        if (s->at >= s->text.n) return SL_OK;
        t->kind = skip_token(s);
        t->text = (sl_text){s->text.s + t->from, s->at - t->from};
        if (t->kind == SL_LUA_NAME && is_keyword(t->text)) t->kind = SL_LUA_KEYWORD;
        char c = t->kind == SL_LUA_SIGN && t->text.n == 1 ? *t->text.s : '\0';
        if ((c == '(' || c == '[' || c == '{') && depth < MOST_BRACKETS) brackets[++depth] = c;
        if ((c == ')' || c == ']' || c == '}') && depth > 0) depth--;
        s->n++;
    }
}

sl_status sl_lua_read_tokens(sl_text text, sl_arena *arena, sl_lua_tokens *out, sl_error *err) {
    scanner s = {.text = text};
    TRY(read_tokens(&s, arena, err));
    *out = (sl_lua_tokens){text, s.tokens, s.n};
    return SL_OK;
}
