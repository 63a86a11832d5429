#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "sinks/file/file.h"

sl_status sl_file_prepare(void *conf, sl_text target, const sl_sink_env *env, sl_error *err) {
    (void)env;
    return sl_file_path(&((sl_file_conf *)conf)->path, target, err);
}

void sl_file_destroy(void *conf) {
    sl_file_conf *c = conf;
    free(c->path);
    c->path = NULL;
}

const char *sl_file_of(const void *conf) {
    return ((const sl_file_conf *)conf)->path;
}

sl_status sl_file_open(size_t size, const void *conf, const sl_sink_env *env, void **sink, sl_error *err) {
    assert(size >= sizeof(sl_file_sink));
    sl_file_sink *s = *sink = calloc(1, size);
    return s ? sl_file_out_open(&s->out, sl_file_of(conf), env->stopping, err) : sl_oom(err);
}

sl_status sl_file_ready(void *sink, sl_error *err) {
    return sl_file_out_ready(((sl_file_sink *)sink)->out, err);
}

sl_status sl_file_commit(void *sink, sl_error *err) {
    return sl_file_out_commit(((sl_file_sink *)sink)->out, err);
}

void sl_file_close(void *sink) {
    sl_file_sink *s = sink;
    if (!s) return;
    sl_file_out_close(&s->out);
    free(s);
}
