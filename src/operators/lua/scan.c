/* scan.c: rewrites a Lua text: checks go into loops, functions and gotos, since compiled code calls no hooks and could not be
 * stopped. The rewriting keeps every line where it is, so that Lua's own messages point at the right one. */
#include "operators/lua/scan.h"

#include "base/buffer.h"
#include "base/error.h"

/* ---- the keys that are written -------------------------------------------------------------------------------------------- */

/* NAME = in a constructor, .NAME = behind a table, or ["NAME"] = anywhere. */
static bool is_key(const sl_lua_tokens *s, uint32_t i) {
    const sl_lua_token *t = &s->list[i], *before = i ? t - 1 : NULL;
    if (!before) return false;
    if (t->kind == SL_LUA_STRING)
        return sl_lua_is_sign(before, "[") && sl_lua_is_sign(t + 1, "]") && sl_lua_is_sign(t + 2, "=");
    if (t->kind != SL_LUA_NAME || !sl_lua_is_sign(t + 1, "=")) return false;
    bool listed = sl_lua_is_sign(before, "{") || sl_lua_is_sign(before, ",") || sl_lua_is_sign(before, ";");
    return sl_lua_is_sign(before, ".") || (listed && t->inside == '{');
}

/* Strings with escapes are left out: their keys come in alphabetical order. */
static sl_text key_text(const sl_lua_token *t) {
    if (t->kind == SL_LUA_NAME) return t->text;
    bool plain = t->text.n >= 2 && t->text.s[0] != '[' && !memchr(t->text.s, '\\', t->text.n);
    return plain ? (sl_text){t->text.s + 1, t->text.n - 2} : (sl_text){0};
}

static void add_key(sl_lua_source *out, sl_text key) {
    for (uint32_t i = 0; i < out->nkeys; i++)
        if (sl_text_eq(out->keys[i], key)) return;
    out->keys[out->nkeys++] = key;
}

static sl_status list_keys(const sl_lua_tokens *s, sl_arena *arena, sl_lua_source *out, sl_error *err) {
    uint32_t most = 0;
    for (uint32_t i = 0; i + 1 < s->n; i++) most += is_key(s, i);
    out->keys = sl_arena_calloc(arena, (size_t)most + 1, sizeof *out->keys);
    if (!out->keys) return sl_oom(err);
    for (uint32_t i = 0; i + 1 < s->n; i++) {
        sl_text key = is_key(s, i) ? key_text(&s->list[i]) : (sl_text){0};
        if (key.s) add_key(out, key);
    }
    return SL_OK;
}

/* ---- fields compared with numbers -------------------------------------------------------------------------------------------- */

static bool is_order(const sl_lua_token *t) {
    return sl_lua_is_sign(t, "<") || sl_lua_is_sign(t, "<=") || sl_lua_is_sign(t, ">") ||
           sl_lua_is_sign(t, ">=");
}

/* The last token of the chain NAME.NAME... that begins at I, or 0 when none does. */
static uint32_t chain_end(const sl_lua_tokens *s, uint32_t i) {
    const sl_lua_token *t = s->list;
    static const char *const tight[] = {".", ":", "#", "..", "^"};
    if (t[i].kind != SL_LUA_NAME) return 0;
    for (size_t k = 0; i && k < SL_COUNT(tight); k++)
        if (sl_lua_is_sign(&t[i - 1], tight[k])) return 0;
    while (i + 2 < s->n && sl_lua_is_sign(&t[i + 1], ".") && t[i + 2].kind == SL_LUA_NAME) i += 2;
    return i + 1;
}

static bool is_number_from(const sl_lua_tokens *s, uint32_t i) {
    if (i < s->n && sl_lua_is_sign(&s->list[i], "-")) i++;
    return i < s->n && s->list[i].kind == SL_LUA_NUMERAL;
}

/* Whether the chain [I, END) is one side of an order comparison whose other side is, or begins or ends with, a number. */
static bool compares_with_number(const sl_lua_tokens *s, uint32_t i, uint32_t end) {
    const sl_lua_token *t = s->list;
    static const char *const goes_on[] = {"(", "[", "{", ":", "..", "^"};
    if (end < s->n && is_order(&t[end])) return is_number_from(s, end + 1);
    if (i < 2 || !is_order(&t[i - 1]) || t[i - 2].kind != SL_LUA_NUMERAL) return false;
    for (size_t k = 0; k < SL_COUNT(goes_on); k++)
        if (sl_lua_is_sign(&t[end], goes_on[k])) return false;
    return t[end].kind != SL_LUA_STRING;
}

/* ---- writing ----------------------------------------------------------------------------------------------------------------- */

typedef struct writer {
    const sl_lua_tokens *s;
    sl_buf out;
    uint32_t copied;     /* bytes of the text */
    bool parameters;     /* between `function` and the end of its parameters */
    uint32_t number_end; /* token behind the chain that is being wrapped, or 0 */
    sl_lua_rows rows;
} writer;

static void insert(writer *w, uint32_t place, const char *code) {
    sl_buf_add(&w->out, w->s->text.s + w->copied, place - w->copied);
    sl_buf_str(&w->out, code);
    w->copied = place;
}

static void replace(writer *w, const sl_lua_token *t, const char *code) {
    insert(w, t->from, code);
    w->copied += t->text.n;
}

static void write_checks(writer *w, uint32_t i) {
    const sl_lua_token *t = &w->s->list[i];
    uint32_t behind = t->from + t->text.n;
    bool jump = t->kind == SL_LUA_NAME && sl_text_is(t->text, "goto") && t[1].kind == SL_LUA_NAME;
    if (jump) insert(w, t->from, " " SL_LUA_CHECK "(); ");
    if (sl_lua_is_keyword(t, "function")) w->parameters = true;
    bool begins = sl_lua_is_keyword(t, "do") || sl_lua_is_keyword(t, "repeat");
    if (w->parameters && sl_lua_is_sign(t, ")")) {
        w->parameters = false;
        begins = true;
    }
    if (begins) insert(w, behind, " " SL_LUA_CHECK "(); ");
}

static void write_numbers(writer *w, uint32_t i) {
    const sl_lua_token *t = &w->s->list[i];
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

static bool is_ours(sl_text name) {
    static const char *const ours[] = {SL_LUA_CHECK, SL_LUA_NUMBER, SL_LUA_ROWS, SL_LUA_TEXTS};
    for (size_t i = 0; i < SL_COUNT(ours); i++)
        if (sl_text_is(name, ours[i])) return true;
    return false;
}

static sl_status refuse_names(const sl_lua_tokens *s, sl_error *err) {
    for (uint32_t i = 0; i < s->n; i++) {
        sl_text t = s->list[i].text;
        if (is_ours(t))
            return sl_fail(err, SL_E_PLAN, "the name '%.*s' is taken, use another", (int)t.n, t.s);
    }
    return SL_OK;
}

static void write_token(writer *w, uint32_t i, sl_lua_rewrite rewrite) {
    const char *edit = w->rows.edits ? w->rows.edits[i] : NULL;
    if (edit)
        replace(w, &w->s->list[i], edit);
    else
        write_checks(w, i);
    if (rewrite == SL_LUA_NUMBERS) write_numbers(w, i);
}

static sl_status finish(writer *w, sl_arena *arena, sl_text *out, sl_error *err) {
    insert(w, w->s->text.n, "");
    sl_status s = sl_buf_check(&w->out, err);
    if (s == SL_OK) *out = sl_arena_text(arena, sl_text_n(w->out.data ? w->out.data : "", w->out.len));
    sl_buf_free(&w->out);
    return s == SL_OK && !out->s ? sl_oom(err) : s;
}

sl_status sl_lua_scan(sl_text text, sl_lua_rewrite rewrite, sl_arena *arena, sl_lua_source *out,
                      sl_error *err) {
    sl_lua_tokens s;
    writer w = {.s = &s};
    *out = (sl_lua_source){0};
    TRY(sl_lua_read_tokens(text, arena, &s, err));
    TRY(refuse_names(&s, err));
    TRY(list_keys(&s, arena, out, err));
    if (rewrite == SL_LUA_RESULTS) TRY(sl_lua_find_rows(&s, arena, &w.rows, err));
    for (uint32_t i = 0; i < s.n; i++) {
        out->returns |= sl_lua_is_keyword(&s.list[i], "return");
        write_token(&w, i, rewrite);
    }
    out->rows = w.rows.list;
    out->nrows = w.rows.n;
    return finish(&w, arena, &out->code, err);
}
