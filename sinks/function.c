/* function.c: a unit's frame is its batches, packed, one behind the other; the coordinator shows their items to the function. */
#include "sinks/function.h"

#include <stdlib.h>

#include "base/error.h"
#include "record/pack.h"
#include "record/view.h"

typedef struct function_sink {
    const sl_function_conf *conf;
    sl_view view;
} function_sink;

static sl_status function_encode(const void *conf, void *state, sl_batch *b, sl_buf *frame, sl_error *err) {
    (void)conf, (void)state;
    return sl_batch_pack(b, frame, err);
}

static sl_status function_open(const void *conf, const sl_sink_env *env, void **sink, sl_error *err) {
    (void)env;
    function_sink *s = *sink = calloc(1, sizeof *s);
    if (!s) return sl_oom(err);
    s->conf = conf;
    return SL_OK;
}

/* The function in the program's own locale. */
static sl_status call(function_sink *s, sl_error *err) {
    locale_t ours = sl_locale_of_program(s->conf->locale);
    sl_status status = s->conf->fn(s->conf->user, &s->view.item, err);
    uselocale(ours);
    if (status == SL_OK) return SL_OK;
    if (status == SL_DONE) status = SL_E_STOPPED;
    if (err && !err->code) sl_fail(err, status, "the program wants no more items");
    return status;
}

static sl_status show(function_sink *s, sl_batch *b, uint64_t *rows, sl_error *err) {
    for (uint32_t i = 0; i < b->nsel; i++) {
        TRY(sl_view_row(&s->view, b, sl_batch_row(b, i), err));
        TRY(call(s, err));
        ++*rows;
    }
    return SL_OK;
}

static sl_status show_block(function_sink *s, sl_input *in, size_t *at, uint64_t *rows, sl_error *err) {
    sl_batch *b = NULL;
    size_t used = 0;
    TRY(sl_batch_unpack(in, *at, in->len - *at, &used, &b, err));
    *at += used;
    sl_status status = show(s, b, rows, err);
    sl_batch_free(&b);
    return status;
}

static sl_status function_write(void *sink, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    sl_input *in = sl_input_copy(frame, n);
    if (!in) return sl_oom(err);
    sl_status status = SL_OK;
    for (size_t at = 0; at < n && status == SL_OK;) status = show_block(sink, in, &at, rows, err);
    sl_input_unref(&in);
    return status;
}

static sl_status function_commit(void *sink, sl_error *err) {
    (void)sink, (void)err;
    return SL_OK;
}

static void function_close(void *sink) {
    function_sink *s = sink;
    if (s) sl_view_free(&s->view);
    free(s);
}

const sl_sink sl_sink_function = {
    .name = "function",
    .summary = "a function of the calling program",
    .conf_size = sizeof(sl_function_conf),
    .encode = function_encode,
    .open = function_open,
    .write = function_write,
    .commit = function_commit,
    .close = function_close,
};
