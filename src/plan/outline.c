/* outline.c: what a definition asks of its user, and which pipes it is made of; without preparing it. */
#include <stdlib.h>

#include "base/error.h"
#include "plan/internal.h"
#include "record/cast.h"
#include "record/number/number.h"

/* ---- inputs ------------------------------------------------------------------------------------------------------------ */

/* An input as people are to be asked for it. */
typedef struct question {
    sl_value position, name, prompt, type, fallback;
} question;

/* The member KEY of CONF, a typed literal read as its value; missing when it is not there. */
static sl_value literal(sl_value conf, const char *key) {
    sl_value v = sl_map_get_z(conf, key);
    sl_value inner = v.type == SL_MAP ? sl_map_get_z(v, "value") : sl_missing();
    return inner.type == SL_MISSING ? v : inner;
}

/* Riko lists what has a position, a name and a prompt; in the native dialect an input needs none of them. */
static bool asks(const sl_node *node) {
    bool native = node->home->settings.dialect == SL_NATIVE;
    if (native && node->pipe && !strcmp(node->pipe->name, "input")) return true;
    return sl_map_get_z(node->conf, "position").type != SL_MISSING &&
           sl_map_get_z(node->conf, "name").type != SL_MISSING &&
           sl_map_get_z(node->conf, "prompt").type != SL_MISSING;
}

static question question_of(const sl_node *node) {
    sl_value fallback = sl_map_get_z(node->conf, "default"), name = literal(node->conf, "name");
    question q = {.position = literal(node->conf, "position"),
                  .name = name.type == SL_MISSING ? literal(node->conf, "input_key") : name,
                  .prompt = literal(node->conf, "prompt"),
                  .fallback = literal(node->conf, "default")};
    q.type = fallback.type == SL_MAP ? sl_map_get_z(fallback, "type") : sl_missing();
    if (q.type.type == SL_MISSING) q.type = literal(node->conf, "type");
    if (q.type.type == SL_MISSING) q.type = sl_text_value(SL_TEXT("text"));
    return q;
}

static bool number_of(sl_value v, double *out) {
    if (v.type == SL_INT) *out = (double)v.as.i;
    if (v.type == SL_FLOAT) *out = v.as.f;
    if (v.type == SL_INT || v.type == SL_FLOAT) return true;
    return sl_is_text(v) && sl_parse_double(sl_bytes(v), out);
}

static int compare_values(sl_value a, sl_value b) {
    double x = 0, y = 0;
    if (number_of(a, &x) && number_of(b, &y)) return (x > y) - (x < y);
    sl_text s = sl_is_text(a) ? sl_bytes(a) : (sl_text){0}, t = sl_is_text(b) ? sl_bytes(b) : (sl_text){0};
    return sl_text_cmp(s, t);
}

static int compare_questions(const void *va, const void *vb) {
    const question *a = va, *b = vb;
    int order = compare_values(a->position, b->position);
    if (!order) order = compare_values(a->name, b->name);
    return order ? order : compare_values(a->prompt, b->prompt);
}

static void put_question(const question *q, sl_buf *o) {
    const sl_value *members[] = {&q->position, &q->name, &q->prompt, &q->type, &q->fallback};
    unsigned n = q->fallback.type == SL_MISSING ? 3 : 5;
    sl_buf_byte(o, '[');
    for (unsigned i = 0; i < n; i++) {
        if (i) sl_buf_str(o, ", ");
        sl_json_write(members[i]->type == SL_MISSING ? sl_null() : *members[i], o);
    }
    sl_buf_byte(o, ']');
}

static sl_status put_inputs(sl_node *const *all, uint32_t nall, sl_buf *o, sl_error *err) {
    question *v = calloc((size_t)nall + 1, sizeof *v);
    uint32_t n = 0;
    if (!v) return sl_oom(err);
    for (uint32_t i = 0; i < nall; i++)
        if (asks(all[i])) v[n++] = question_of(all[i]);
    qsort(v, n, sizeof *v, compare_questions);
    sl_buf_byte(o, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i) sl_buf_str(o, ", ");
        put_question(&v[i], o);
    }
    sl_buf_byte(o, ']');
    free(v);
    return SL_OK;
}

/* ---- dependencies ---------------------------------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b) {
    return sl_text_cmp(*(const sl_text *)a, *(const sl_text *)b);
}

static sl_status put_dependencies(const sl_plan *p, sl_node *const *all, uint32_t nall, sl_buf *o,
                                  sl_error *err) {
    sl_text *v = calloc((size_t)nall + p->nsources + 1, sizeof *v);
    uint32_t n = 0;
    if (!v) return sl_oom(err);
    for (uint32_t i = 0; i < nall; i++) v[n++] = all[i]->type;
    for (uint32_t i = 0; i < p->nsources; i++) v[n++] = sl_source_type(p->sources[i].conf);
    qsort(v, n, sizeof *v, compare_texts);
    sl_buf_byte(o, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i && sl_text_eq(v[i], v[i - 1])) continue;
        if (i) sl_buf_str(o, ", ");
        sl_json_text(v[i], o);
    }
    sl_buf_byte(o, ']');
    free(v);
    return SL_OK;
}

sl_status sl_plan_outline(const sl_plan *p, bool inputs, bool dependencies, sl_buf *out, sl_error *err) {
    sl_node *const *all = p->nall ? p->all : p->nodes;
    uint32_t n = p->nall ? p->nall : p->nnodes;
    if (p->output)
        return sl_fail(err, SL_E_USAGE, "a pipeline is described before it is checked or run, not after");
    if (inputs && dependencies) sl_buf_str(out, "{\"inputs\": ");
    if (inputs) TRY(put_inputs(all, n, out, err));
    if (inputs && dependencies) sl_buf_str(out, ", \"dependencies\": ");
    if (dependencies) TRY(put_dependencies(p, all, n, out, err));
    if (inputs && dependencies) sl_buf_byte(out, '}');
    sl_buf_byte(out, '\n');
    return sl_buf_check(out, err);
}
