/* itembuilder.c: an item from the conf alone, so everything is done once, in prepare; a conf that refers to the item
 * is prepared once an item. */
#include "base/error.h"
#include "plan/pipe.h"

typedef struct attr {
    sl_text key;
    sl_value value;
} attr;

typedef struct itembuilder_conf {
    sl_rules attrs;
    sl_value item; /* made by prepare */
} itembuilder_conf;

static const sl_option attr_options[] = {
    {.name = "key",
     .type = SL_OPT_PATH,
     .offset = offsetof(attr, key),
     .flags = SL_OPT_REQUIRED,
     .help = "name of the field; dots nest"},
    {.name = "value", .type = SL_OPT_VALUE, .offset = offsetof(attr, value), .help = "any value; none: null"},
    {.name = NULL},
};

static const sl_option options[] = {
    {.name = "attrs",
     .type = SL_OPT_RULES,
     .offset = offsetof(itembuilder_conf, attrs),
     .rules = attr_options,
     .rule_size = sizeof(attr),
     .flags = SL_OPT_REQUIRED,
     .help = "the fields of the item, one or a list"},
    {.name = NULL},
};

static sl_status lower_key(sl_text *key, sl_arena *arena, sl_error *err) {
    char *copy = sl_arena_strndup(arena, key->s ? key->s : "", key->n);
    if (!copy) return sl_oom(err);
    for (uint32_t i = 0; i < key->n; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z') copy[i] = (char)(copy[i] + ('a' - 'A'));
    }
    key->s = copy;
    return SL_OK;
}

/* riko's items from itembuilder have only lower-case keys, nested ones included. */
static sl_status lower_keys(sl_value *v, sl_arena *arena, sl_error *err) {
    if (v->type == SL_LIST) {
        sl_value *list = sl_arena_alloc(arena, v->n * sizeof *list);
        if (!list) return sl_oom(err);
        for (uint32_t i = 0; i < v->n; i++) {
            list[i] = v->as.list[i];
            TRY(lower_keys(&list[i], arena, err));
        }
        v->as.list = list;
    } else if (v->type == SL_MAP) {
        sl_pair *map = sl_arena_alloc(arena, v->n * sizeof *map);
        if (!map) return sl_oom(err);
        for (uint32_t i = 0; i < v->n; i++) {
            map[i] = v->as.map[i];
            TRY(lower_key(&map[i].key, arena, err));
            TRY(lower_keys(&map[i].value, arena, err));
        }
        v->as.map = map;
    }
    return SL_OK;
}

static sl_status prepare(void *conf, const sl_step_info *info, sl_error *err) {
    itembuilder_conf *c = conf;
    const attr *attrs = c->attrs.v;
    sl_dialect dialect = info->env->dialect;
    c->item = sl_map(NULL, 0);
    for (uint32_t i = 0; i < c->attrs.n; i++) {
        sl_text key = attrs[i].key;
        sl_value value = sl_is_absent(attrs[i].value) ? sl_null() : attrs[i].value;
        if (dialect == SL_RIKO) {
            TRY(lower_key(&key, info->arena, err));
            TRY(lower_keys(&value, info->arena, err));
        }
        sl_path path;
        TRY(sl_path_compile(&path, key, dialect, info->arena, err));
        TRY(sl_path_set(&path, c->item, value, info->arena, &c->item, err));
    }
    return SL_OK;
}

static sl_status each(const void *conf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    (void)state, (void)field, (void)item;
    const itembuilder_conf *c = conf;
    return sl_result(results, c->item, err);
}

const sl_pipe sl_pipe_itembuilder = {
    .name = "itembuilder",
    .kind = SL_KIND_SOURCE,
    .summary = "Makes an item of keys and values given in the conf",
    .details = "Without input one item; with input one for each, whose fields a value may refer to by "
               "subkey. The input item itself is "
               "not part of the result. A key that comes twice keeps its last value. Under riko's dialect "
               "all keys become lower "
               "case.",
    .example = "itembuilder attrs.key=title attrs.value=hello",
    .options = options,
    .conf_size = sizeof(itembuilder_conf),
    .flags = SL_PIPE_NO_FIELD | SL_PIPE_EMITS,
    .cast = SL_CAST_PASS,
    .assign = "content",
    .prepare = prepare,
    .each = each,
};
