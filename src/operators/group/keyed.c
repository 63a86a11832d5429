#include "operators/group/keyed.h"

#include "base/error.h"

enum { OWN_KEYS = 128 }; /* a batch of items with a key each has as many columns as items */

static sl_status emit_value(const sl_keyed *k, sl_value v, sl_builder *to, sl_error *err) {
    sl_pair item = {k->assign, v};
    return sl_builder_add(to, k->emits ? v : sl_map(&item, 1), err);
}

static sl_status emit(const sl_grouping *g, const sl_value *keys, const sl_value *results, sl_builder *to,
                      sl_arena *arena, sl_error *err) {
    const sl_keyed *k = g->owner;
    if (!g->nby) return emit_value(k, results[0], to, err);
    sl_pair pair = {sl_bytes(keys[0]), results[0]};
    sl_value item = sl_map(&pair, 1);
    if (k->nest) TRY(sl_nest_dotted(item, arena, &item, err));
    return emit_value(k, item, to, err);
}

sl_status sl_keyed_prepare(sl_keyed *k, const char *name, const sl_aggregate *op, sl_text field, sl_text key,
                           const sl_step_info *info, sl_error *err) {
    sl_dialect dialect = info->env->dialect;
    bool keyed = key.n > 0;
    k->assign = sl_text_of(info->assign ? info->assign : name);
    k->emits = info->emit >= 0 ? info->emit == 1 : keyed;
    k->nest = dialect == SL_RIKO;
    k->column = (sl_group_column){.op = op, .strict = true, .riko = dialect == SL_RIKO};
    k->grouping = (sl_grouping){.by = &k->by,
                                .nby = keyed,
                                .by_text = true,
                                .columns = &k->column,
                                .ncolumns = 1,
                                .batch_rows = OWN_KEYS,
                                .always = !keyed,
                                .emit = emit,
                                .owner = k};
    if (field.n) TRY(sl_path_compile(&k->column.path, field, dialect, info->arena, err));
    return keyed ? sl_path_compile(&k->by, key, dialect, info->arena, err) : SL_OK;
}
