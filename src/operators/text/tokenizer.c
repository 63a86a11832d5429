/* tokenizer: the pieces of a text between delimiters. Pieces are views into the field: nothing is copied. */
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/unicode.h"
#include "operators/text/text.h"
#include "operators/result/result.h"

typedef struct conf {
    sl_text delimiter, token_key;
    bool dedupe, sort;
    sl_wrap wrap;
} conf;

/* The pieces of one text, when they have to be seen together; a worker's own. */
typedef struct piece {
    sl_text text, folded; /* folded: what it sorts by */
    uint32_t order;
} piece;

typedef struct pieces {
    piece *v;
    uint32_t n, cap;
    uint32_t *slots; /* hash table for dedupe: index + 1 into v, 0 free */
    uint32_t nslots;
} pieces;

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    c->wrap = sl_wrap_of(c->token_key, info->env->dialect);
    if (c->delimiter.n) return SL_OK;
    return sl_fail(err, SL_E_PLAN, "key 'delimiter' must not be empty: it is what stands between two pieces");
}

static sl_status start(const void *vconf, void **state, sl_error *err) {
    (void)vconf;
    *state = calloc(1, sizeof(pieces));
    return *state ? SL_OK : sl_oom(err);
}

static void stop(void *state) {
    pieces *p = state;
    free(p->v);
    free(p->slots);
    free(p);
}

/* ---- cutting ------------------------------------------------------------------------------------------------------- */

/* The next piece that is not empty, before trimming; false at the end. *REST is what comes behind its delimiter. */
static inline bool next_piece(sl_text *rest, sl_text delimiter, sl_text *out) {
    while (rest->n) {
        const char *p = memchr(rest->s, delimiter.s[0], rest->n);
        int64_t at = !p ? -1 : delimiter.n == 1 ? p - rest->s : sl_text_find(*rest, delimiter, 0);
        uint32_t n = at < 0 ? rest->n : (uint32_t)at, skip = at < 0 ? n : n + delimiter.n;
        *out = (sl_text){rest->s, n};
        *rest = (sl_text){rest->s + skip, rest->n - skip};
        if (n) return true;
    }
    return false;
}

static sl_status cut(const conf *c, sl_text rest, sl_results *results, sl_error *err) {
    sl_text t;
    while (next_piece(&rest, c->delimiter, &t))
        TRY(sl_wrap_result(&c->wrap, sl_text_value(sl_utf8_strip(t)), results, err));
    return SL_OK;
}

/* ---- sorting and deduping ------------------------------------------------------------------------------------------ */

static sl_status keep_piece(pieces *p, sl_text t, sl_error *err) {
    if (!SL_ROOM(p->v, p->cap, p->n + 1)) return sl_oom(err);
    p->v[p->n] = (piece){.text = t, .order = p->n};
    p->n++;
    return SL_OK;
}

static sl_status clear_slots(pieces *p, sl_error *err) {
    uint32_t need = 16;
    while (need / 2 < p->n) need *= 2;
    if (need > p->nslots) {
        free(p->slots);
        p->slots = malloc(need * sizeof *p->slots);
        p->nslots = p->slots ? need : 0;
        if (!p->slots) return sl_oom(err);
    }
    memset(p->slots, 0, p->nslots * sizeof *p->slots);
    return SL_OK;
}

static sl_status dedupe(pieces *p, sl_error *err) {
    uint32_t kept = 0;
    TRY(clear_slots(p, err));
    for (uint32_t i = 0; i < p->n; i++) {
        sl_text t = p->v[i].text;
        uint32_t at = (uint32_t)sl_hash(t.s, t.n, 0) & (p->nslots - 1);
        while (p->slots[at] && !sl_text_eq(p->v[p->slots[at] - 1].text, t)) at = (at + 1) & (p->nslots - 1);
        if (p->slots[at]) continue;
        p->v[kept++] = p->v[i];
        p->slots[at] = kept;
    }
    p->n = kept;
    return SL_OK;
}

static int by_folded_text(const void *va, const void *vb) {
    const piece *a = va, *b = vb;
    int order = sl_text_cmp(a->folded, b->folded);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static sl_status sort(pieces *p, sl_arena *arena, sl_error *err) {
    for (uint32_t i = 0; i < p->n; i++) TRY(sl_case_map(p->v[i].text, SL_LOWER, arena, &p->v[i].folded, err));
    if (p->n) qsort(p->v, p->n, sizeof *p->v, by_folded_text);
    return SL_OK;
}

static sl_status gather(const conf *c, pieces *p, sl_text rest, sl_results *results, sl_error *err) {
    sl_text t;
    p->n = 0;
    while (next_piece(&rest, c->delimiter, &t)) TRY(keep_piece(p, sl_utf8_strip(t), err));
    if (c->dedupe) TRY(dedupe(p, err));
    if (c->sort) TRY(sort(p, sl_results_arena(results), err));
    for (uint32_t i = 0; i < p->n; i++)
        TRY(sl_wrap_result(&c->wrap, sl_text_value(p->v[i].text), results, err));
    return SL_OK;
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    (void)item;
    sl_results_many(results);
    if (c->dedupe || c->sort) return gather(c, state, sl_bytes(field), results, err);
    return cut(c, sl_bytes(field), results, err);
}

static const sl_option options[] = {
    {.name = "delimiter",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, delimiter),
     .fallback = ",",
     .help = "what stands between two pieces"},
    {.name = "dedupe",
     .type = SL_OPT_BOOL,
     .offset = offsetof(conf, dedupe),
     .fallback = "false",
     .help = "keep the first of equal pieces only"},
    {.name = "sort",
     .type = SL_OPT_BOOL,
     .offset = offsetof(conf, sort),
     .fallback = "false",
     .help = "pieces in alphabetical order, ignoring case"},
    {.name = "token_key",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, token_key),
     .fallback = "content",
     .help = "key of each piece in its new item; \"\": bare texts"},
    {0},
};

const sl_pipe sl_pipe_tokenizer = {
    .name = "tokenizer",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Cuts a text into pieces",
    .details =
        "Cuts the field at each delimiter. Empty pieces are dropped, then white space at both ends of each "
        "piece, so a piece of blanks stays as an empty text. The pieces become items of their own; with "
        "@emit=false the item keeps them as a list of objects.",
    .example = "itembuilder attrs.0.key=content attrs.0.value=a,b,c | tokenizer ,",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "delimiter",
    .flags = SL_PIPE_STEADY,
    .field = "content",
    .cast = SL_CAST_TEXT,
    .prepare = prepare,
    .start = start,
    .stop = stop,
    .each = each,
};
