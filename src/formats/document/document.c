#include "formats/document/document.h"

#include <stdlib.h>

#include "base/error.h"

/* Nothing need be remembered: what is not consumed is shown again. */
sl_status sl_document_split_new(const void *conf, void **splitter, sl_error *err) {
    (void)conf;
    *splitter = calloc(1, 1);
    return *splitter ? SL_OK : sl_oom(err);
}

sl_status sl_document_split(void *splitter, const char *data, size_t n, bool last, sl_cut *cut,
                            sl_error *err) {
    (void)splitter;
    (void)data;
    *cut = (sl_cut){.line = 1};
    if (n > SL_DOCUMENT_MOST) {
        return sl_fail(err, SL_E_DATA,
                       "the document is larger than 64 MiB, and it can only be read as a whole");
    }
    if (!last) return SL_OK;
    cut->to = cut->end = n;
    cut->whole = cut->done = true;
    return SL_OK;
}

void sl_document_split_free(void *splitter) {
    free(splitter);
}
