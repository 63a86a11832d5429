/* read.c: reads a unit of JSON: elements, values one after another, or lines. Elements go straight into columns (table.c)
 * without a tree in between. Only a path of the riko dialect, which follows names inside lists, needs its one value as a whole. */
#include "formats/json/json.h"

#include <stdlib.h>

#include "base/error.h"

/* What a worker keeps from unit to unit: memory, and a guess at the size of rows. */
typedef struct state {
    sl_json_in in;
    sl_json_table *table;
    sl_arena arena;
} state;

sl_status sl_json_start(const void *conf, void **out, sl_error *err) {
    (void)conf;
    state *s = calloc(1, sizeof *s);
    *out = s;
    if (!s) return sl_oom(err);
    s->table = sl_json_table_new();
    return s->table ? SL_OK : sl_oom(err);
}

void sl_json_stop(void *state_) {
    state *s = state_;
    if (!s) return;
    sl_json_in_free(&s->in);
    sl_json_table_free(s->table);
    sl_arena_free(&s->arena);
    free(s);
}

/* ---- sequences ----------------------------------------------------------------------------------------------- */

/* Elements with commas between them; a unit has at least one. */
static const char *read_elements(state *s, const char *p) {
    sl_json_in *in = &s->in;
    p = sl_json_space(in, p);
    for (;;) {
        if (!(p = sl_json_table_element(s->table, p))) return NULL;
        p = sl_json_space(in, p);
        if (p >= in->end) return p;
        if (*p != ',') return sl_json_bad(in, p, "',' or ']'");
        p = sl_json_space(in, p + 1);
    }
}

static const char *read_values(state *s, const char *p) {
    while ((p = sl_json_space(&s->in, p)) < s->in.end)
        if (!(p = sl_json_table_element(s->table, p))) return NULL;
    return p;
}

static const char *read_lines(state *s, const char *p) {
    sl_json_in *in = &s->in;
    while (p < in->end) {
        p = sl_json_space(in, p);
        if (p < in->end && *p != '\n') {
            if (!(p = sl_json_table_element(s->table, p))) return NULL;
            p = sl_json_space(in, p);
            if (p < in->end && *p != '\n') return sl_json_bad(in, p, "the end of the line");
        }
        if (p < in->end) {
            p++;
            in->line++;
        }
    }
    return p;
}

/* ---- riko's paths -------------------------------------------------------------------------------------------- */

static sl_status lower_name(sl_text *t, sl_arena *arena, sl_error *err) {
    char *copy = sl_arena_alloc(arena, t->n);
    if (!copy) return sl_oom(err);
    for (uint32_t i = 0; i < t->n; i++) {
        char c = t->s[i];
        copy[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    t->s = copy;
    return SL_OK;
}

/* Keys in lower case, in maps within maps; lists stay as they are. */
static sl_status lower_keys(sl_json_in *in, sl_value *v) {
    if (v->type != SL_MAP) return SL_OK;
    sl_pair *pairs = sl_arena_alloc(in->arena, v->n * sizeof *pairs);
    if (!pairs) return sl_oom(in->err);
    for (uint32_t i = 0; i < v->n; i++) {
        pairs[i] = v->as.map[i];
        TRY(lower_name(&pairs[i].key, in->arena, in->err));
        TRY(lower_keys(in, &pairs[i].value));
    }
    uint32_t n = sl_json_unite(in, pairs, v->n);
    if (n == UINT32_MAX) return sl_oom(in->err);
    *v = sl_map(pairs, n);
    return SL_OK;
}

/* What a value that a path leads to means as a stream. */
static sl_status emit(sl_json_in *in, sl_builder *bd, sl_value v) {
    if (v.type == SL_MISSING) v = sl_text_value(SL_TEXT(""));
    if (v.type == SL_NULL) return SL_OK;
    if (sl_is_text(v)) { /* an item, unlike the texts of a list */
        sl_pair content = {SL_TEXT("content"), v};
        return sl_builder_add(bd, sl_map(&content, 1), in->err);
    }
    if (v.type != SL_LIST) {
        TRY(lower_keys(in, &v));
        return sl_builder_add(bd, v, in->err);
    }
    for (uint32_t i = 0; i < v.n; i++)
        if (v.as.list[i].type != SL_NULL) TRY(sl_builder_add(bd, v.as.list[i], in->err));
    return SL_OK;
}

static sl_text first_name(sl_text path) {
    const char *dot = path.n ? memchr(path.s, '.', path.n) : NULL;
    return sl_text_n(path.s, dot ? (size_t)(dot - path.s) : path.n);
}

/* The one value of the unit, and from it the rest of the path. */
static sl_status follow(state *s, const sl_block *block, sl_value *v) {
    sl_json_in *in = &s->in;
    sl_text rest = {block->note.s + 1, block->note.n - 1};
    const char *p = sl_json_value(in, sl_json_space(in, in->start), false, v);
    if (p) p = sl_json_space(in, p);
    if (p && p < in->end) p = sl_json_bad(in, p, "the end of the value");
    if (!p) return SL_E_DATA;
    sl_pair pair = {first_name(rest), *v};
    sl_value from = block->note.s[0] == SL_JSON_WRAPPED ? sl_map(&pair, 1) : *v;
    sl_path path;
    TRY(sl_path_compile(&path, rest, SL_RIKO, in->arena, in->err));
    return sl_path_get(&path, from, in->arena, v, in->err);
}

static sl_status read_path(state *s, const sl_block *block, sl_input *input, sl_json_out *out) {
    sl_value v = sl_missing();
    s->in.arena = &s->arena;
    sl_arena_reset(&s->arena);
    if (block->note.s[0] != SL_JSON_NOTHING) TRY(follow(s, block, &v));
    sl_builder *bd = sl_builder_new(0, input, sl_json_hand_on, out);
    if (!bd) return sl_oom(s->in.err);
    sl_status status = emit(&s->in, bd, v);
    if (status == SL_OK) status = sl_builder_flush(bd, s->in.err);
    sl_builder_free(&bd);
    return status;
}

/* ---- units --------------------------------------------------------------------------------------------------- */

static sl_status read_sequence(state *s, char note, sl_input *input, sl_json_out *out) {
    const char *p = s->in.start;
    sl_json_table_open(s->table, &s->in, input, out);
    p = note == SL_JSON_LINES      ? read_lines(s, p)
        : note == SL_JSON_ELEMENTS ? read_elements(s, p)
                                   : read_values(s, p);
    if (p) return sl_json_table_flush(s->table);
    return out->status ? out->status : SL_E_DATA; /* the sink wants no more, or the text is bad */
}

static sl_status check_text(const state *s, const sl_json_conf *conf, const sl_block *block, sl_error *err) {
    const char *start = s->in.start;
    size_t n = (size_t)(s->in.end - start), valid = sl_encoding_valid(conf->encoding, start, n);
    if (valid == n) return SL_OK;
    sl_status status = sl_encoding_fail(conf->encoding, start[valid], err);
    sl_error_at(err, block->source, block->line + sl_json_count_lines(start, valid), 0);
    return status;
}

static void open_text(state *s, const sl_block *block, const sl_input *input, size_t from, size_t to,
                      char note, sl_error *err) {
    sl_json_in *in = &s->in;
    in->start = input->data + from;
    in->end = input->data + to;
    in->floor = block->input == input ? input->data : in->start;
    in->line = block->line;
    in->by_line = note == SL_JSON_LINES;
    in->python = block->dialect == SL_RIKO;
    in->depth = in->npairs = 0;
    in->err = err;
}

sl_status sl_json_read_block(void *state_, const sl_block *block, const sl_json_conf *conf,
                             sl_batch_sink sink, void *to, sl_error *err) {
    state *s = state_;
    sl_error local = {0};
    if (!err) err = &local;
    char note = block->note.n ? block->note.s[0] : SL_JSON_VALUES;
    sl_json_out out = {.sink = sink, .to = to, .block = block};
    open_text(s, block, block->input, block->from, block->to, note, err);
    TRY(check_text(s, conf, block, err));
    sl_input *decoded = NULL;
    TRY(sl_encoding_decode(conf->encoding, s->in.start, block->to - block->from, &decoded, err));
    sl_input *input = decoded ? decoded : block->input;
    if (decoded) open_text(s, block, decoded, 0, decoded->len, note, err);
    bool path = note == SL_JSON_EVALUATE || note == SL_JSON_WRAPPED || note == SL_JSON_NOTHING;
    sl_status status = path ? read_path(s, block, input, &out) : read_sequence(s, note, input, &out);
    if (status == SL_E_DATA && err->code) status = err->code;
    sl_error_at(err, block->source, 0, 0);
    sl_input_unref(&decoded);
    return status;
}
