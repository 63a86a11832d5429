#include "operators/url/query.h"

#include "net/url.h"

const sl_option sl_query_rows[] = {
    {.name = "key",
     .type = SL_OPT_TEXT,
     .offset = offsetof(sl_query_param, key),
     .help = "name of the parameter"},
    {.name = "value", .type = SL_OPT_VALUE, .offset = offsetof(sl_query_param, value), .help = "its value"},
    {0},
};

sl_status sl_query_append(const sl_rules *params, const char *mark, sl_arena *arena, sl_buf *url,
                          sl_error *err) {
    const sl_query_param *p = params->v;
    for (uint32_t i = 0; i < params->n; i++) {
        sl_text value;
        if (!p[i].key.n) continue;
        TRY(sl_to_text(p[i].value, "None", arena, &value, err));
        sl_buf_str(url, mark);
        sl_url_form(p[i].key, url);
        sl_buf_byte(url, '=');
        sl_url_form(value, url);
        mark = "&";
    }
    return SL_OK;
}
