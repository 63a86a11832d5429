/* tap: shows items as they pass, and leaves them as they are.
 *
 * A library prints nothing, and a worker does not know whether its unit is the first. So every worker keeps the lines of the items that might be
 * among those to be shown, and the coordinator, which sees the units in order, tells the program of those that are. */
#include <stdlib.h>

#include "base/error.h"
#include "plan/pipe.h"
#include "record/cast.h"

typedef struct conf {
    sl_text label;
    int64_t limit;
    sl_log *log;
} conf;

typedef struct tap {
    const conf *conf;
    uint64_t
        kept; /* lines of all units: a worker that has given as many as are shown is never asked for more */
    sl_buf lines;
} tap;

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    (void)err;
    c->log = info->env->log;
    return SL_OK;
}

/* Without somebody who listens there is no state, and nothing to do. */
static sl_status start(const void *vconf, void **state, sl_error *err) {
    const conf *c = vconf;
    if (!sl_log_wants(c->log, SL_LOG_INFO)) return SL_OK;
    tap *t = *state = calloc(1, sizeof *t);
    if (!t) return sl_oom(err);
    t->conf = c;
    return SL_OK;
}

static void stop(void *state) {
    tap *t = state;
    sl_buf_free(&t->lines);
    free(t);
}

static sl_status keep_line(tap *t, sl_batch *b, uint32_t row, sl_error *err) {
    sl_value item;
    sl_text label = t->conf->label;
    TRY(b->bare ? sl_batch_cell(b, 0, row, &item, err) : sl_batch_item(b, row, &item, err));
    if (label.n) {
        sl_buf_byte(&t->lines, '{');
        sl_json_text(label, &t->lines);
        sl_buf_byte(&t->lines, ':');
    }
    sl_json_write(item, &t->lines);
    sl_buf_str(&t->lines, label.n ? "}\n" : "\n");
    t->kept++;
    return sl_buf_check(&t->lines, err);
}

static sl_status apply(const void *vconf, void *state, sl_batch *take, sl_out *out, sl_error *err) {
    const conf *c = vconf;
    tap *t = state;
    sl_status s = SL_OK;
    for (uint32_t i = 0; t && i < take->nsel && s == SL_OK; i++) {
        if (c->limit && t->kept >= (uint64_t)c->limit) break;
        s = keep_line(t, take, sl_batch_row(take, i), err);
    }
    if (s == SL_OK) return sl_emit(out, take, err);
    sl_batch_free(&take);
    return s;
}

static sl_buf *shown(void *state, uint64_t *limit) {
    tap *t = state;
    *limit = (uint64_t)t->conf->limit;
    return &t->lines;
}

static const sl_option options[] = {
    {.name = "label",
     .type = SL_OPT_TEXT,
     .offset = offsetof(conf, label),
     .help = "shows {label: item} instead of the item"},
    {.name = "limit",
     .type = SL_OPT_INT,
     .offset = offsetof(conf, limit),
     .fallback = "10",
     .max = INT64_MAX / 2,
     .unit = "items",
     .help = "how many items to show; 0: all"},
    {0},
};

const sl_pipe sl_pipe_tap = {
    .name = "tap",
    .kind = SL_KIND_OPERATOR,
    .summary = "Shows items as they pass",
    .details =
        "The first items, in order, are shown on standard error, one JSON text a line; the items themselves "
        "go on unchanged. They are shown once the unit they are in has gone through the steps behind, also "
        "if one of those has failed. In a subpipe that a loop runs for each item, each run shows its own. A "
        "program gets them by its log function.",
    .example = "itembuilder attrs.key=a attrs.value=1 | tap",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "label",
    .flags = SL_PIPE_HEADINGS | SL_PIPE_BARE,
    .prepare = prepare,
    .start = start,
    .stop = stop,
    .apply = apply,
    .shown = shown,
};
