/* stream.c: a pipeline is read item by item. */
#include <stdlib.h>

#include "engine/api/internal.h"
#include "record/cast.h"
#include "record/view.h"

struct sl_stream {
    sl_pipeline *p;
    sl_batch *batch; /* being read */
    uint32_t at;     /* next of its selected rows */
    sl_view view;
    sl_buf line;
};

sl_stream *sl_pipeline_open(sl_pipeline *p, sl_error *err) {
    SL_ENTER(p);
    if (sl_api_begin(p, err) != SL_OK) return NULL;
    sl_stream *s = calloc(1, sizeof *s);
    if (!s) {
        sl_oom(err);
        sl_api_end(p);
        return NULL;
    }
    s->p = p;
    if (sl_api_start(p, false, err) != SL_OK) sl_stream_close(&s);
    return s;
}

static sl_status next_batch(sl_stream *s, sl_error *err) {
    sl_batch_free(&s->batch);
    s->at = 0;
    if (!s->p->run) return SL_DONE;
    return sl_run_next(s->p->run, &s->batch, err);
}

static sl_status show_next(sl_stream *s, sl_error *err) {
    while (!s->batch || s->at == s->batch->nsel) {
        sl_status status = next_batch(s, err);
        if (status != SL_OK) return status == SL_DONE ? SL_DONE : sl_api_remember(s->p, status, err);
    }
    return sl_view_row(&s->view, s->batch, sl_batch_row(s->batch, s->at++), err);
}

sl_status sl_stream_item(sl_stream *s, const sl_value **item, sl_error *err) {
    SL_ENTER(s->p);
    *item = &s->view.item;
    return show_next(s, err);
}

sl_status sl_stream_next(sl_stream *s, const char **json, size_t *length, sl_error *err) {
    SL_ENTER(s->p);
    TRY(show_next(s, err));
    sl_buf_clear(&s->line);
    sl_json_write(s->view.item, &s->line);
    TRY(sl_buf_check(&s->line, err));
    *json = sl_buf_cstr(&s->line);
    if (length) *length = s->line.len;
    return SL_OK;
}

/* Workers and sources end here; the report stays. */
void sl_stream_close(sl_stream **sp) {
    SL_PLAIN_LOCALE;
    sl_stream *s = *sp;
    if (!s) return;
    sl_batch_free(&s->batch);
    sl_buf_free(&s->line);
    sl_view_free(&s->view);
    if (s->p->run && sl_api_make_report(s->p, NULL) != SL_OK) sl_buf_clear(&s->p->report);
    sl_run_free(&s->p->run);
    sl_api_end(s->p);
    free(s);
    *sp = NULL;
}
