#include "sinks/json/json.h"

#include <string.h>

const char *sl_json_separator(bool array) {
    return array ? ",\n" : "\n";
}

static sl_status put(sl_json_writer *w, const char *z, sl_error *err) {
    return sl_file_out_write(w->out, z, strlen(z), err);
}

sl_status sl_json_put(sl_json_writer *w, const char *frame, size_t n, uint64_t *rows, sl_error *err) {
    uint64_t items;
    sl_text texts;
    TRY(sl_json_frame(frame, n, &items, &texts, err));
    if (items == 0) return SL_OK;
    if (w->array) TRY(put(w, w->begun ? ",\n" : "[", err));
    w->begun = true;
    TRY(sl_file_out_write(w->out, texts.s, texts.n, err));
    *rows += items;
    return w->array ? SL_OK : put(w, "\n", err);
}

sl_status sl_json_end(sl_json_writer *w, sl_error *err) {
    if (!w->array) return SL_OK;
    return put(w, w->begun ? "]\n" : "[]\n", err);
}
