/* Text in any encoding: what it is taken for, and its conversion at once and in pieces: the same UTF-8, or
 * a bad byte both times, told at its place to within a character. */
#include "base/buffer.h"
#include "base/error.h"
#include "base/unicode.h"
#include "fuzz.h"
#include "sources/stream/sniff.h"
#include "sources/stream/transcode.h"

typedef struct conversion {
    sl_buf out;
    sl_status status;
    sl_error err;
} conversion;

/* PIECE bytes of input, ROOM bytes of output at a time. */
static void convert(sl_text name, bool lenient, sl_text text, size_t piece, size_t room, conversion *c) {
    sl_transcode *t = NULL;
    char buf[4096];
    FUZZ_CHECK(sl_transcode_new(name, &t, NULL) == SL_OK);
    if (lenient) sl_transcode_lenient(t);
    const char *at = text.s, *end = text.s + text.n;
    for (size_t made = 1; !c->status && (at < end || made);) {
        size_t n = (size_t)(end - at) < piece ? (size_t)(end - at) : piece;
        c->status = sl_transcode_run(t, &at, &n, buf, room, &made, &c->err);
        FUZZ_CHECK(made <= room);
        if (!c->status) sl_buf_add(&c->out, buf, made);
    }
    size_t rest = 0;
    if (!c->status) c->status = sl_transcode_finish(t, buf, &rest, &c->err);
    if (!c->status) sl_buf_add(&c->out, buf, rest);
    FUZZ_CHECK(!lenient || !c->status);
    sl_transcode_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    bool lenient = fuzz_byte(&in) & 1;
    size_t piece = fuzz_byte(&in) + 1u, room = 16 + fuzz_byte(&in);
    sl_text name = fuzz_line(&in), text = fuzz_rest(&in);
    sl_transcode *probe = NULL;
    sl_sniffed found;
    FUZZ_CHECK(sl_sniff(text.s, text.n, name, lenient, &found, NULL) == SL_OK);
    if (found.name[0]) FUZZ_CHECK(sl_transcode_new(sl_text_of(found.name), &probe, NULL) == SL_OK);
    sl_transcode_free(&probe);
    if (sl_encoding_is_utf8(name)) name = sl_text_of(found.name);
    if (!name.n || sl_transcode_new(name, &probe, NULL)) return 0;
    sl_transcode_free(&probe);
    conversion whole = {0}, pieces = {0};
    convert(name, lenient, text, SIZE_MAX, 4096, &whole);
    convert(name, lenient, text, piece, room, &pieces);
    FUZZ_CHECK(whole.status == pieces.status && whole.out.len == pieces.out.len);
    if (whole.out.len) FUZZ_CHECK(!memcmp(whole.out.data, pieces.out.data, whole.out.len));
    if (whole.out.len) FUZZ_CHECK(sl_utf8_valid_prefix(whole.out.data, whole.out.len) == whole.out.len);
    sl_buf_free(&whole.out);
    sl_buf_free(&pieces.out);
    return 0;
}
