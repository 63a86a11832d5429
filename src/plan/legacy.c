/* legacy.c: what older formats call things, in today's words. All translation of names is here: the types of the 2016 API and of
 * Yahoo! Pipes, and the loops of the latter, whose submodule stands inside of the conf:
 *
 *     {"type": "loop", "conf": {"embed": {"value": {"type": T, "id": I, "conf": C}}, "with": FIELD, "mode": "assign",
 *                               "assign_to": PATH, "assign_part": "first", "emit_part": "all"}}
 *
 * means {"type": "loop", "embed": {"type": T, "id": I}, "conf": C, "field": FIELD, "emit": false, "assign": PATH, "count": "first"}. */
#include "base/error.h"
#include "plan/internal.h"

/* One old type: the pipe it stands for, and a key that its conf gets where it has none. */
static const struct {
    const char *old, *pipe, *key, *value;
} names[] = {
    {"createrss", "rssitembuilder", NULL, NULL},
    {"dateinput", "input", "type", "date"},
    {"locationinput", "input", "type", "location"},
    {"numberinput", "input", "type", "decimal"},
    {"privateinput", "input", NULL, NULL},
    {"stringbuilder", "strconcat", NULL, NULL},
    {"stringtokenizer", "tokenizer", NULL, NULL},
    {"strregex", "regex", NULL, NULL},
    {"textinput", "input", NULL, NULL},
    {"urlinput", "input", "type", "url"},
};

static const char *const gone[] = {"locationbuilder", "simpletagger", "termextractor",
                                   "translate",       "webservice",   "yql"};

static int find(sl_text old) {
    for (unsigned i = 0; i < SL_COUNT(names); i++)
        if (sl_text_is(old, names[i].old)) return (int)i;
    return -1;
}

sl_text sl_legacy_name(sl_text old) {
    int i = find(old);
    return i < 0 ? (sl_text){0} : sl_text_of(names[i].pipe);
}

const char *sl_legacy_at(unsigned i, const char **pipe) {
    if (i >= SL_COUNT(names)) return NULL;
    *pipe = names[i].pipe;
    return names[i].old;
}

bool sl_legacy_gone(sl_text old) {
    for (unsigned i = 0; i < SL_COUNT(gone); i++)
        if (sl_text_is(old, gone[i])) return true;
    return false;
}

/* V itself, or what stands in a typed literal. */
static sl_value inner(sl_value v) {
    sl_value value = v.type == SL_MAP ? sl_map_get_z(v, "value") : sl_missing();
    return value.type == SL_MISSING ? v : value;
}

static sl_text text_of(sl_value map, const char *key) {
    sl_value v = inner(sl_map_get_z(map, key));
    return sl_is_text(v) ? sl_text_trim(sl_bytes(v)) : (sl_text){0};
}

/* MAP with KEY, unless it has that already. */
static sl_status add_key(sl_plan *p, sl_value *map, sl_text key, sl_value v, sl_error *err) {
    uint32_t n = map->type == SL_MAP ? map->n : 0;
    if (n && sl_map_get(*map, key).type != SL_MISSING) return SL_OK;
    sl_pair *pairs = sl_arena_calloc(&p->arena, (size_t)n + 1, sizeof *pairs);
    if (!pairs) return sl_oom(err);
    if (n) memcpy(pairs, map->as.map, n * sizeof *pairs);
    pairs[n] = (sl_pair){key, v};
    *map = sl_map(pairs, n + 1);
    return SL_OK;
}

/* The rules of strregex name no field: they work on the text that it is given. */
static sl_status add_fields(sl_plan *p, sl_value *conf, sl_text field, sl_error *err) {
    sl_value rules = inner(sl_map_get_z(*conf, "rule"));
    uint32_t n = rules.type == SL_LIST ? rules.n : 1;
    sl_value *copy = sl_arena_calloc(&p->arena, n ? n : 1, sizeof *copy);
    sl_pair *pair = sl_arena_alloc(&p->arena, sizeof *pair);
    if (!copy || !pair) return sl_oom(err);
    for (uint32_t i = 0; i < n; i++) {
        copy[i] = rules.type == SL_LIST ? rules.as.list[i] : rules;
        if (copy[i].type == SL_MAP) TRY(add_key(p, &copy[i], SL_TEXT("field"), sl_text_value(field), err));
    }
    *pair = (sl_pair){SL_TEXT("rule"), sl_list(copy, n)};
    *conf = sl_map(pair, 1);
    return SL_OK;
}

/* A submodule says in its conf which pipeline it is. */
static sl_status name_subpipe(sl_plan *p, sl_text *type, sl_value *conf, sl_error *err) {
    static const char *const keys[] = {"id", "pipe", "name"};
    sl_text id = {0};
    for (unsigned i = 0; i < SL_COUNT(keys) && !id.n; i++) id = text_of(*conf, keys[i]);
    if (!id.n)
        return sl_fail(err, SL_E_PLAN, "'submodule' does not say which pipeline: write its type as pipe:ID");
    *type = sl_arena_printf(&p->arena, "pipe:%.*s", (int)id.n, id.s);
    *conf = sl_map(NULL, 0);
    return type->s ? SL_OK : sl_oom(err);
}

sl_status sl_legacy_translate(sl_plan *p, sl_text *type, sl_value *conf, sl_text field, sl_error *err) {
    int i = find(*type);
    if (!sl_is_absent(*conf) && conf->type != SL_MAP) return SL_OK; /* refused where confs are read */
    if (sl_text_is(*type, "submodule")) return name_subpipe(p, type, conf, err);
    if (i < 0) return SL_OK;
    bool strregex = sl_text_is(*type, "strregex") && sl_map_get_z(*conf, "rule").type != SL_MISSING;
    *type = sl_text_of(names[i].pipe);
    if (strregex) return add_fields(p, conf, field.n ? field : SL_TEXT("content"), err);
    if (!names[i].key) return SL_OK;
    return add_key(p, conf, sl_text_of(names[i].key), sl_text_value(sl_text_of(names[i].value)), err);
}

/* ---- loops ----------------------------------------------------------------------------------------------------------- */

/* A text of the old conf as a member of the module. */
static sl_status move_text(sl_plan *p, sl_value *module, const char *key, sl_text text, sl_error *err) {
    return text.n ? add_key(p, module, sl_text_of(key), sl_text_value(text), err) : SL_OK;
}

static sl_status move_mode(sl_plan *p, sl_value *module, sl_value conf, sl_error *err) {
    bool assigns = sl_text_eq_nocase(text_of(conf, "mode"), SL_TEXT("assign"));
    sl_text part = text_of(conf, assigns ? "assign_part" : "emit_part");
    TRY(add_key(p, module, SL_TEXT("emit"), sl_bool(!assigns), err));
    if (assigns) TRY(move_text(p, module, "assign", text_of(conf, "assign_to"), err));
    return sl_text_eq_nocase(part, SL_TEXT("first")) ? move_text(p, module, "count", SL_TEXT("first"), err)
                                                     : SL_OK;
}

static sl_status move_embed(sl_plan *p, sl_value *module, sl_value embed, sl_error *err) {
    sl_value pairs = sl_map(NULL, 0), type = sl_map_get_z(embed, "type"), id = sl_map_get_z(embed, "id");
    TRY(add_key(p, &pairs, SL_TEXT("type"), type, err));
    if (id.type != SL_MISSING) TRY(add_key(p, &pairs, SL_TEXT("id"), id, err));
    TRY(add_key(p, module, SL_TEXT("embed"), pairs, err));
    sl_value conf = sl_map_get_z(embed, "conf");
    return add_key(p, module, SL_TEXT("conf"), conf.type == SL_MISSING ? sl_null() : conf, err);
}

bool sl_legacy_loop(sl_value module) {
    sl_value embed = sl_map_get_z(sl_map_get_z(module, "conf"), "embed");
    return sl_map_get_z(module, "embed").type == SL_MISSING && inner(embed).type == SL_MAP &&
           sl_text_is(text_of(module, "type"), "loop");
}

sl_status sl_legacy_unfold(sl_plan *p, sl_value *module, sl_error *err) {
    sl_value conf = sl_map_get_z(*module, "conf"), out = sl_map(NULL, 0);
    for (uint32_t i = 0; i < module->n; i++) {
        const sl_pair *pair = &module->as.map[i];
        if (!sl_text_is(pair->key, "conf")) TRY(add_key(p, &out, pair->key, pair->value, err));
    }
    TRY(move_embed(p, &out, inner(sl_map_get_z(conf, "embed")), err));
    TRY(move_text(p, &out, "field", text_of(conf, "with"), err));
    TRY(move_mode(p, &out, conf, err));
    *module = out;
    return SL_OK;
}
