/* rows.c: finds constructors that a function returns, and what stands in them. The text is rewritten before it is compiled, so
 * that results go into columns without a table being made; it only looks at tokens, and leaves alone what it is not sure of. */
#include "operators/lua/rows.h"

#include "base/error.h"
#include "operators/lua/scan.h"

enum {
    MOST_BLOCKS = 200, /* the compiler allows no more */
    MOST_KEYS =
        40, /* arguments take registers, of which a function has 250, and upvalues in the driver, of which one has 60 */
    MOST_ROWS = 100,
    MOST_PIECES = 50
};

/* ---- where the text is ---------------------------------------------------------------------------------------------------- */

/* The blocks that are open at a token. */
typedef struct blocks {
    bool function[MOST_BLOCKS];
    uint32_t depth, functions;
} blocks;

static void follow(blocks *b, const sl_lua_token *t) {
    bool function = sl_lua_is_keyword(t, "function");
    bool opens = function || sl_lua_is_keyword(t, "if") || sl_lua_is_keyword(t, "do") ||
                 sl_lua_is_keyword(t, "repeat");
    bool closes = sl_lua_is_keyword(t, "end") || sl_lua_is_keyword(t, "until");
    if (opens && b->depth < MOST_BLOCKS) {
        b->function[b->depth++] = function;
        b->functions += function;
    } else if (closes && b->depth) {
        b->functions -= b->function[--b->depth];
    }
}

/* What may stand behind the result of a function. */
static bool ends_block(const sl_lua_token *t) {
    return t->kind == SL_LUA_END || sl_lua_is_sign(t, ";") || sl_lua_is_keyword(t, "end") ||
           sl_lua_is_keyword(t, "else") || sl_lua_is_keyword(t, "elseif") || sl_lua_is_keyword(t, "until");
}

/* ---- one constructor --------------------------------------------------------------------------------------------------------- */

static bool is_separator(const sl_lua_token *t) {
    return sl_lua_is_sign(t, ",") || sl_lua_is_sign(t, ";");
}

/* The token behind the value that begins at I: a separator or bracket of the constructor around it. 0 when there is no value, or one
 * with a function in it. */
static uint32_t value_end(const sl_lua_tokens *t, uint32_t i) {
    uint32_t from = i, depth = 0;
    for (; i < t->n; i++) {
        const sl_lua_token *at = &t->list[i];
        if (sl_lua_is_keyword(at, "function")) return 0;
        if (depth == 0 && (is_separator(at) || sl_lua_is_sign(at, "}"))) return i > from ? i : 0;
        if (sl_lua_is_sign(at, "(") || sl_lua_is_sign(at, "[") || sl_lua_is_sign(at, "{")) depth++;
        if (sl_lua_is_sign(at, ")") || sl_lua_is_sign(at, "]") || sl_lua_is_sign(at, "}")) {
            if (depth-- == 0) return 0;
        }
    }
    return 0;
}

static bool add_key(sl_lua_row *row, sl_text key) {
    for (uint32_t k = 0; k < row->nkeys; k++)
        if (sl_text_eq(row->keys[k], key)) return false;
    if (row->nkeys == MOST_KEYS) return false;
    row->keys[row->nkeys++] = key;
    return true;
}

/* The token behind the constructor that begins at I, or 0 when that is not one of NAME = value alone. */
static uint32_t read_row(const sl_lua_tokens *t, uint32_t i, sl_lua_row *row) {
    row->nkeys = 0;
    for (i++; i + 1 < t->n && !sl_lua_is_sign(&t->list[i], "}");) {
        const sl_lua_token *name = &t->list[i];
        if (name->kind != SL_LUA_NAME || !sl_lua_is_sign(name + 1, "=") || !add_key(row, name->text))
            return 0;
        i = value_end(t, i + 2);
        if (!i) return 0;
        if (is_separator(&t->list[i])) i++;
    }
    return row->nkeys && i < t->n && sl_lua_is_sign(&t->list[i], "}") ? i + 1 : 0;
}

/* ---- texts made of fields ------------------------------------------------------------------------------------------------------ */

static bool is_item(const sl_lua_tokens *t, uint32_t i) {
    bool member = i && (sl_lua_is_sign(&t->list[i - 1], ".") || sl_lua_is_sign(&t->list[i - 1], ":"));
    return !member && t->list[i].kind == SL_LUA_NAME && sl_text_is(t->list[i].text, "item");
}

static bool item_is_the_argument(const sl_lua_tokens *t) {
    for (uint32_t i = 0; i < t->n; i++)
        if (is_item(t, i) && !sl_lua_is_sign(&t->list[i + 1], ".")) return false;
    return true;
}

/* The token behind the piece that begins at I, or 0 when none does. */
static uint32_t piece_end(const sl_lua_tokens *t, uint32_t i, sl_text *piece) {
    bool literal = t->list[i].kind == SL_LUA_STRING;
    bool field = is_item(t, i) && i + 2 < t->n && t->list[i + 2].kind == SL_LUA_NAME;
    if (!literal && !field) return 0;
    *piece = t->list[literal ? i : i + 2].text;
    return literal ? i + 1 : i + 3;
}

/* The pieces of the value [I, END), or 0 when it is not a text made of fields. */
static uint32_t read_pieces(const sl_lua_tokens *t, uint32_t i, uint32_t end, sl_text pieces[MOST_PIECES]) {
    bool field = false;
    for (uint32_t n = 0; n < MOST_PIECES;) {
        uint32_t behind = piece_end(t, i, &pieces[n++]);
        field |= behind == i + 3;
        if (behind == end && field) return n;
        if (!behind || behind >= end || !sl_lua_is_sign(&t->list[behind], "..")) return 0;
        i = behind + 1;
    }
    return 0;
}

static sl_status find_text(const sl_lua_tokens *t, uint32_t i, uint32_t end, sl_arena *arena,
                           sl_lua_text *out, sl_error *err) {
    sl_text pieces[MOST_PIECES];
    uint32_t n = read_pieces(t, i, end, pieces);
    *out = (sl_lua_text){sl_arena_alloc(arena, (n + 1) * sizeof *pieces), n};
    if (!out->pieces) return sl_oom(err);
    memcpy(out->pieces, pieces, n * sizeof *pieces);
    return SL_OK;
}

/* ---- one call ---------------------------------------------------------------------------------------------------------------- */

/* What stands before a value in the call. The last one is put in brackets: a call there could give more than one. */
static const char *value_begins(const sl_lua_text *text, bool last, sl_arena *arena, sl_lua_rows *out) {
    const char *bracket = last ? "(" : "";
    if (!text->npieces) return bracket;
    return sl_arena_printf(arena, "%s" SL_LUA_TEXTS "[%u]() or ", bracket, ++out->ntexts).s;
}

/* {a = x; b = f(), c = item.c} becomes CALL x,f(),(TEXT or item.c)). */
static sl_status edit_row(const sl_lua_tokens *t, uint32_t i, sl_lua_row *row, bool texts, sl_arena *arena,
                          sl_lua_rows *out, sl_error *err) {
    for (uint32_t k = 0; k < row->nkeys; k++) {
        uint32_t equals = i + 1, behind = value_end(t, i + 2);
        bool separated = is_separator(&t->list[behind]), last = k + 1 == row->nkeys;
        if (texts) TRY(find_text(t, i + 2, behind, arena, &row->texts[k], err));
        out->edits[i] = "";
        out->edits[equals] = value_begins(&row->texts[k], last, arena, out);
        if (!out->edits[equals]) return sl_oom(err);
        if (separated) out->edits[behind] = last ? "" : ",";
        i = behind + separated;
    }
    out->edits[i] = "))";
    return SL_OK;
}

static sl_status add_row(const sl_lua_tokens *t, uint32_t i, const sl_lua_row *row, bool texts,
                         sl_arena *arena, sl_lua_rows *out, sl_error *err) {
    sl_lua_row *to = &out->list[out->n++];
    *to = (sl_lua_row){.keys = sl_arena_alloc(arena, row->nkeys * sizeof *row->keys),
                       .texts = sl_arena_calloc(arena, row->nkeys, sizeof *row->texts),
                       .nkeys = row->nkeys};
    out->edits[i] = sl_arena_printf(arena, SL_LUA_ROWS "[%u](", out->n).s;
    if (!to->keys || !to->texts || !out->edits[i]) return sl_oom(err);
    memcpy(to->keys, row->keys, row->nkeys * sizeof *to->keys);
    return edit_row(t, i + 1, to, texts, arena, out, err);
}

/* ---- all of them ------------------------------------------------------------------------------------------------------------- */

sl_status sl_lua_find_rows(const sl_lua_tokens *t, sl_arena *arena, sl_lua_rows *out, sl_error *err) {
    sl_text keys[MOST_KEYS];
    sl_lua_row row = {.keys = keys};
    blocks open = {0};
    bool texts = item_is_the_argument(t);
    *out = (sl_lua_rows){.list = sl_arena_calloc(arena, MOST_ROWS, sizeof *out->list),
                         .edits = sl_arena_calloc(arena, (size_t)t->n + 1, sizeof *out->edits)};
    if (!out->list || !out->edits) return sl_oom(err);
    for (uint32_t i = 0; i < t->n && out->n < MOST_ROWS; i++) {
        follow(&open, &t->list[i]);
        bool result = i == 0 || (!open.functions && sl_lua_is_keyword(&t->list[i - 1], "return"));
        if (!result || !sl_lua_is_sign(&t->list[i], "{")) continue;
        uint32_t behind = read_row(t, i, &row);
        if (!behind || !ends_block(&t->list[behind])) continue;
        TRY(add_row(t, i, &row, texts, arena, out, err));
    }
    return SL_OK;
}
