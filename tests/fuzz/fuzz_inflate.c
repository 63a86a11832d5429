/* gzip and zstd: the same bytes and the same end, whether the stream comes at once or in pieces. */
#include "fuzz.h"
#include "net/inflate.h"

enum { MOST = 1 << 20 };

typedef struct unpacked {
    sl_buf out;
    sl_status status;
    sl_error err;
} unpacked;

/* PIECE bytes of input and ROOM bytes of output at a time. */
static sl_status run(sl_coding coding, sl_text t, size_t piece, size_t room, unpacked *u) {
    char out[4096];
    sl_inflate *z = sl_inflate_new(coding);
    FUZZ_CHECK(z);
    sl_status status = SL_OK;
    for (size_t at = 0; !status && at < t.n && u->out.len < MOST; at += piece) {
        const char *in = t.s + at;
        size_t n = t.n - at < piece ? t.n - at : piece, made = 1;
        while (!status && (n || sl_inflate_pending(z)) && u->out.len < MOST) {
            size_t before = n;
            status = sl_inflate_run(z, &in, &n, out, room, &made, &u->err);
            FUZZ_CHECK(made <= room && n <= before);
            FUZZ_CHECK(status || made || n < before || !n);
            if (!status) sl_buf_add(&u->out, out, made);
            if (!made && !n) break;
        }
    }
    if (!status && u->out.len < MOST) status = sl_inflate_finish(z, &u->err);
    sl_inflate_free(&z);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    size_t piece = fuzz_byte(&in) % 17 + 1u, room = fuzz_byte(&in) % 33 + 1u;
    sl_text t = fuzz_rest(&in);
    sl_coding coding = sl_coding_of(t.s, t.n);
    if (coding == SL_CODING_NONE) return 0;
    unpacked whole = {0}, pieces = {0};
    whole.status = run(coding, t, t.n, 4096, &whole);
    pieces.status = run(coding, t, piece, room, &pieces);
    fuzz_agree(whole.status, &whole.err);
    fuzz_agree(pieces.status, &pieces.err);
    if (whole.out.len < MOST && pieces.out.len < MOST) {
        FUZZ_CHECK(whole.status == pieces.status);
        if (!whole.status) FUZZ_CHECK(whole.out.len == pieces.out.len);
        size_t n = whole.out.len < pieces.out.len ? whole.out.len : pieces.out.len;
        FUZZ_CHECK(!n || memcmp(whole.out.data, pieces.out.data, n) == 0);
    }
    sl_buf_free(&whole.out);
    sl_buf_free(&pieces.out);
    return 0;
}
