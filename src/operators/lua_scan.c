#include "operators/lua_scan.h"

#include "base/buffer.h"
#include "base/error.h"

typedef enum kind { SPACE_END, NAME, KEYWORD, NUMBER, STRING, OTHER } kind;

typedef struct token {
    kind kind;
    sl_text text;
    uint32_t
        from; /* where it begins; what stands before it back to the token before is white space and comments */
    char inside; /* the bracket it stands in directly: '{', '(', '[' or 0 */
} token;

typedef struct scanner {
    sl_text text;
    uint32_t at;
    token *tokens; /* [n], then one of kind SPACE_END */
    uint32_t n;
} scanner;

enum { MOST_BRACKETS = 250 }; /* more are not Lua: the compiler refuses them */

/* ---- tokens ------------------------------------------------------------------------------------------------------------- */

static char peek(const scanner *s, uint32_t ahead) {
    return s->at + ahead < s->text.n ? s->text.s[s->at + ahead] : '\0';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
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
        if (!is_digit(c) && !begins_name(c) && c != '.' && !sign) return;
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

static kind skip_token(scanner *s) {
    char c = peek(s, 0);
    if (begins_name(c)) {
        while (begins_name(peek(s, 0)) || is_digit(peek(s, 0))) s->at++;
        return NAME;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(s, 1)))) {
        skip_number(s);
        return NUMBER;
    }
    if (c == '"' || c == '\'') {
        skip_string(s);
        return STRING;
    }
    if (skip_long(s)) return STRING;
    skip_sign(s);
    return OTHER;
}

static bool is_sign(const token *t, const char *z) {
    return t->kind == OTHER && sl_text_is(t->text, z);
}

static sl_status read_tokens(scanner *s, sl_arena *arena, sl_error *err) {
    char brackets[MOST_BRACKETS + 1] = {0};
    uint32_t depth = 0;
    s->tokens = sl_arena_calloc(arena, (size_t)s->text.n + 1, sizeof *s->tokens);
    if (!s->tokens) return sl_oom(err);
    for (;;) {
        token *t = &s->tokens[s->n];
        skip_space(s);
        *t = (token){.from = s->at, .inside = brackets[depth]};
        if (s->at >= s->text.n) return SL_OK;
        t->kind = skip_token(s);
        t->text = (sl_text){s->text.s + t->from, s->at - t->from};
        if (t->kind == NAME && is_keyword(t->text)) t->kind = KEYWORD;
        char c = t->kind == OTHER && t->text.n == 1 ? *t->text.s : '\0';
        if ((c == '(' || c == '[' || c == '{') && depth < MOST_BRACKETS) brackets[++depth] = c;
        if ((c == ')' || c == ']' || c == '}') && depth > 0) depth--;
        s->n++;
    }
}

/* ---- the keys that are written -------------------------------------------------------------------------------------------- */

/* NAME = in a constructor, .NAME = behind a table, or ["NAME"] = anywhere. */
static bool is_key(const scanner *s, uint32_t i) {
    const token *t = &s->tokens[i], *before = i ? t - 1 : NULL;
    if (!before) return false;
    if (t->kind == STRING) return is_sign(before, "[") && is_sign(t + 1, "]") && is_sign(t + 2, "=");
    if (t->kind != NAME || !is_sign(t + 1, "=")) return false;
    bool listed = is_sign(before, "{") || is_sign(before, ",") || is_sign(before, ";");
    return is_sign(before, ".") || (listed && t->inside == '{');
}

/* Strings with escapes are left out: their keys come in alphabetical order. */
static sl_text key_text(const token *t) {
    if (t->kind == NAME) return t->text;
    bool plain = t->text.n >= 2 && t->text.s[0] != '[' && !memchr(t->text.s, '\\', t->text.n);
    return plain ? (sl_text){t->text.s + 1, t->text.n - 2} : (sl_text){0};
}

static void add_key(sl_lua_source *out, sl_text key) {
    for (uint32_t i = 0; i < out->nkeys; i++)
        if (sl_text_eq(out->keys[i], key)) return;
    out->keys[out->nkeys++] = key;
}

static sl_status list_keys(const scanner *s, sl_arena *arena, sl_lua_source *out, sl_error *err) {
    uint32_t most = 0;
    for (uint32_t i = 0; i + 1 < s->n; i++) most += is_key(s, i);
    out->keys = sl_arena_calloc(arena, (size_t)most + 1, sizeof *out->keys);
    if (!out->keys) return sl_oom(err);
    for (uint32_t i = 0; i + 1 < s->n; i++) {
        sl_text key = is_key(s, i) ? key_text(&s->tokens[i]) : (sl_text){0};
        if (key.s) add_key(out, key);
    }
    return SL_OK;
}

/* ---- fields compared with numbers -------------------------------------------------------------------------------------------- */

static bool is_order(const token *t) {
    return is_sign(t, "<") || is_sign(t, "<=") || is_sign(t, ">") || is_sign(t, ">=");
}

/* The last token of the chain NAME.NAME... that begins at I, or 0 when none does. */
static uint32_t chain_end(const scanner *s, uint32_t i) {
    const token *t = s->tokens;
    static const char *const tight[] = {".", ":", "#", "..", "^"};
    if (t[i].kind != NAME) return 0;
    for (size_t k = 0; i && k < SL_COUNT(tight); k++)
        if (is_sign(&t[i - 1], tight[k])) return 0;
    while (i + 2 < s->n && is_sign(&t[i + 1], ".") && t[i + 2].kind == NAME) i += 2;
    return i + 1;
}

static bool is_number_from(const scanner *s, uint32_t i) {
    if (i < s->n && is_sign(&s->tokens[i], "-")) i++;
    return i < s->n && s->tokens[i].kind == NUMBER;
}

/* Whether the chain [I, END) is one side of an order comparison whose other side is, or begins or ends with, a number. */
static bool compares_with_number(const scanner *s, uint32_t i, uint32_t end) {
    const token *t = s->tokens;
    static const char *const goes_on[] = {"(", "[", "{", ":", "..", "^"};
    if (end < s->n && is_order(&t[end])) return is_number_from(s, end + 1);
    if (i < 2 || !is_order(&t[i - 1]) || t[i - 2].kind != NUMBER) return false;
    for (size_t k = 0; k < SL_COUNT(goes_on); k++)
        if (is_sign(&t[end], goes_on[k])) return false;
    return t[end].kind != STRING;
}

/* ---- writing ----------------------------------------------------------------------------------------------------------------- */

typedef struct writer {
    const scanner *s;
    sl_buf out;
    uint32_t copied;     /* bytes of the text */
    bool parameters;     /* between `function` and the end of its parameters */
    uint32_t number_end; /* token behind the chain that is being wrapped, or 0 */
} writer;

static void insert(writer *w, uint32_t place, const char *code) {
    sl_buf_add(&w->out, w->s->text.s + w->copied, place - w->copied);
    sl_buf_str(&w->out, code);
    w->copied = place;
}

static void write_checks(writer *w, uint32_t i) {
    const token *t = &w->s->tokens[i];
    uint32_t behind = t->from + t->text.n;
    bool jump = t->kind == NAME && sl_text_is(t->text, "goto") && t[1].kind == NAME;
    if (jump) insert(w, t->from, " " SL_LUA_CHECK "() ");
    if (t->kind == KEYWORD && sl_text_is(t->text, "function")) w->parameters = true;
    bool begins = t->kind == KEYWORD && (sl_text_is(t->text, "do") || sl_text_is(t->text, "repeat"));
    if (w->parameters && is_sign(t, ")")) {
        w->parameters = false;
        begins = true;
    }
    if (begins) insert(w, behind, " " SL_LUA_CHECK "() ");
}

static void write_numbers(writer *w, uint32_t i) {
    const token *t = &w->s->tokens[i];
    if (!w->number_end) {
        uint32_t end = chain_end(w->s, i);
        if (!end || !compares_with_number(w->s, i, end)) return;
        insert(w, t->from, SL_LUA_NUMBER "(");
        w->number_end = end;
    }
    if (i + 1 < w->number_end) return;
    insert(w, t->from + t->text.n, ")");
    w->number_end = 0;
}

static sl_status refuse_names(const scanner *s, sl_error *err) {
    for (uint32_t i = 0; i < s->n; i++) {
        sl_text t = s->tokens[i].text;
        if (sl_text_is(t, SL_LUA_CHECK) || sl_text_is(t, SL_LUA_NUMBER))
            return sl_fail(err, SL_E_PLAN, "the name '%.*s' is taken, use another", (int)t.n, t.s);
    }
    return SL_OK;
}

sl_status sl_lua_scan(sl_text text, bool numbers, sl_arena *arena, sl_lua_source *out, sl_error *err) {
    scanner s = {.text = text};
    writer w = {.s = &s};
    *out = (sl_lua_source){0};
    TRY(read_tokens(&s, arena, err));
    TRY(refuse_names(&s, err));
    TRY(list_keys(&s, arena, out, err));
    for (uint32_t i = 0; i < s.n; i++) {
        out->returns |= s.tokens[i].kind == KEYWORD && sl_text_is(s.tokens[i].text, "return");
        write_checks(&w, i);
        if (numbers) write_numbers(&w, i);
    }
    insert(&w, text.n, "");
    sl_status status = sl_buf_check(&w.out, err);
    if (status == SL_OK) out->code = sl_arena_text(arena, sl_text_n(sl_buf_cstr(&w.out), w.out.len));
    sl_buf_free(&w.out);
    return status == SL_OK && !out->code.s ? sl_oom(err) : status;
}
