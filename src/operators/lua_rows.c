#include "operators/lua_rows.h"

#include "base/error.h"
#include "operators/lua_scan.h"

enum {
    MOST_BLOCKS = 200, /* the compiler allows no more */
    MOST_KEYS =
        40, /* arguments take registers, of which a function has 250, and upvalues in the driver, of which one has 60 */
    MOST_ROWS = 100
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

/* {a = x; b = f(),} becomes CALL x,(f())). The last value is put in brackets: a call there could give more than one. */
static void edit_row(const sl_lua_tokens *t, uint32_t i, const char *call, sl_lua_rows *out) {
    out->edits[i++] = call;
    while (!sl_lua_is_sign(&t->list[i], "}")) {
        uint32_t equals = i + 1, behind = value_end(t, i + 2);
        bool separated = is_separator(&t->list[behind]);
        bool last = sl_lua_is_sign(&t->list[behind + separated], "}");
        out->edits[i] = "";
        out->edits[equals] = last ? "(" : "";
        if (separated) out->edits[behind] = last ? "" : ",";
        i = behind + separated;
    }
    out->edits[i] = "))";
}

static sl_status add_row(const sl_lua_tokens *t, uint32_t i, const sl_lua_row *row, sl_arena *arena,
                         sl_lua_rows *out, sl_error *err) {
    sl_text *keys = sl_arena_alloc(arena, row->nkeys * sizeof *keys);
    sl_text call = sl_arena_printf(arena, SL_LUA_ROWS "[%u](", out->n + 1);
    if (!keys || !call.s) return sl_oom(err);
    memcpy(keys, row->keys, row->nkeys * sizeof *keys);
    out->list[out->n++] = (sl_lua_row){keys, row->nkeys};
    edit_row(t, i, call.s, out);
    return SL_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------------------- */

sl_status sl_lua_find_rows(const sl_lua_tokens *t, sl_arena *arena, sl_lua_rows *out, sl_error *err) {
    sl_text keys[MOST_KEYS];
    sl_lua_row row = {.keys = keys};
    blocks open = {0};
    *out = (sl_lua_rows){.list = sl_arena_calloc(arena, MOST_ROWS, sizeof *out->list),
                         .edits = sl_arena_calloc(arena, (size_t)t->n + 1, sizeof *out->edits)};
    if (!out->list || !out->edits) return sl_oom(err);
    for (uint32_t i = 0; i < t->n && out->n < MOST_ROWS; i++) {
        follow(&open, &t->list[i]);
        bool result = i == 0 || (!open.functions && sl_lua_is_keyword(&t->list[i - 1], "return"));
        if (!result || !sl_lua_is_sign(&t->list[i], "{")) continue;
        uint32_t behind = read_row(t, i, &row);
        if (!behind || !ends_block(&t->list[behind])) continue;
        TRY(add_row(t, i, &row, arena, out, err));
    }
    return SL_OK;
}
