/* inflate.c: takes gzip, deflate and zstd off a stream. The libraries stop at the end of a member and do not mind what follows
 * or that there is no end; here both are errors, since a transfer that broke off must not look like a short file. The ratio of
 * output to input is limited, against bombs. */
#include "net/inflate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <strings.h>

#include <zlib.h>
#include <zstd.h>

#include "base/error.h"

#define RATIO_LIMIT 200         /* times the input */
#define RATIO_GRACE (10u << 20) /* bytes that may come out before the ratio counts */
#define GZIP_ONLY   (15 + 16)   /* zlib: largest window, gzip wrapper */
#define ZLIB_ONLY   15
#define BARE        (-15)

struct sl_inflate {
    sl_coding coding;
    bool opened;  /* the zlib stream is set up */
    bool sniffed; /* DEFLATE: it is known whether it has the zlib wrapper */
    bool between; /* at the end of a complete member */
    bool pending; /* the last output was cut off by CAP */
    z_stream gzip;
    ZSTD_DStream *zstd;
    uint64_t in, out;
};

sl_coding sl_coding_of(const char *head, size_t n) {
    if (n >= 3 && !memcmp(head, "\x1f\x8b\x08", 3)) return SL_CODING_GZIP;
    if (n >= 4 && !memcmp(head, "\x28\xb5\x2f\xfd", 4)) return SL_CODING_ZSTD;
    return SL_CODING_NONE;
}

sl_coding sl_coding_named(const char *name) {
    if (!strcasecmp(name, "gzip") || !strcasecmp(name, "x-gzip")) return SL_CODING_GZIP;
    if (!strcasecmp(name, "deflate")) return SL_CODING_DEFLATE;
    return strcasecmp(name, "zstd") ? SL_CODING_NONE : SL_CODING_ZSTD;
}

static const char *name_of(sl_coding coding) {
    return coding == SL_CODING_ZSTD ? "zstd" : coding == SL_CODING_GZIP ? "gzip" : "deflate";
}

sl_inflate *sl_inflate_new(sl_coding coding) {
    sl_inflate *z = calloc(1, sizeof *z);
    if (!z) return NULL;
    z->coding = coding;
    if (coding == SL_CODING_ZSTD) {
        z->zstd = ZSTD_createDStream();
    } else {
        z->opened = inflateInit2(&z->gzip, coding == SL_CODING_GZIP ? GZIP_ONLY : ZLIB_ONLY) == Z_OK;
    }
    if (!z->opened && !z->zstd) sl_inflate_free(&z);
    return z;
}

void sl_inflate_free(sl_inflate **z) {
    if (!*z) return;
    if ((*z)->opened) inflateEnd(&(*z)->gzip);
    ZSTD_freeDStream((*z)->zstd);
    free(*z);
    *z = NULL;
}

/* The low half of a zlib stream's first byte names its method, 8; bare deflate has there what is no method of zlib's, but
 * for blocks that no packer makes. */
static bool sniff(sl_inflate *z, const char *in) {
    z->sniffed = true;
    return ((unsigned char)in[0] & 0x0f) == 8 || inflateReset2(&z->gzip, BARE) == Z_OK;
}

static sl_status run_zlib(sl_inflate *z, const char **in, size_t *n, char *out, size_t cap, size_t *made,
                          sl_error *err) {
    if (z->coding == SL_CODING_DEFLATE && *n && !z->sniffed && !sniff(z, *in)) {
        return sl_fail(err, SL_E_INTERNAL, "zlib cannot be reset");
    }
    uInt give = *n < UINT_MAX ? (uInt)*n : UINT_MAX, room = cap < UINT_MAX ? (uInt)cap : UINT_MAX;
    if (z->between) {
        if (inflateReset(&z->gzip) != Z_OK) return sl_fail(err, SL_E_INTERNAL, "zlib cannot be reset");
        z->between = false;
    }
    z->gzip.next_in = (z_const Bytef *)(uintptr_t)*in;
    z->gzip.avail_in = give;
    z->gzip.next_out = (Bytef *)out;
    z->gzip.avail_out = room;
    int rc = inflate(&z->gzip, Z_NO_FLUSH);
    *in += give - z->gzip.avail_in;
    *n -= give - z->gzip.avail_in;
    *made = room - z->gzip.avail_out;
    z->between = rc == Z_STREAM_END;
    if (rc == Z_MEM_ERROR) return sl_oom(err);
    if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR) return SL_OK;
    return sl_fail(err, SL_E_IO, "damaged %s stream: %s", name_of(z->coding),
                   z->gzip.msg ? z->gzip.msg : "unknown reason");
}

static sl_status run_zstd(sl_inflate *z, const char **in, size_t *n, char *out, size_t cap, size_t *made,
                          sl_error *err) {
    ZSTD_inBuffer source = {*in, *n, 0};
    ZSTD_outBuffer target = {out, cap, 0};
    size_t rc = ZSTD_decompressStream(z->zstd, &target, &source);
    *in += source.pos;
    *n -= source.pos;
    *made = target.pos;
    z->between = rc == 0;
    if (!ZSTD_isError(rc)) return SL_OK;
    return sl_fail(err, SL_E_IO, "damaged zstd stream: %s", ZSTD_getErrorName(rc));
}

static sl_status check_ratio(const sl_inflate *z, sl_error *err) {
    if (z->out <= RATIO_GRACE || z->out / RATIO_LIMIT <= z->in) return SL_OK;
    return sl_fail(
        err, SL_E_IO,
        "compressed data grows to more than %d times its size; refused (unpack it first if that is right)",
        RATIO_LIMIT);
}

sl_status sl_inflate_run(sl_inflate *z, const char **in, size_t *n, char *out, size_t cap, size_t *made,
                         sl_error *err) {
    *made = 0;
    while (!*made && (*n || sl_inflate_pending(z))) {
        size_t before = *n;
        if (z->coding == SL_CODING_ZSTD) {
            TRY(run_zstd(z, in, n, out, cap, made, err));
        } else {
            TRY(run_zlib(z, in, n, out, cap, made, err));
        }
        z->pending = *made == cap;
        z->in += before - *n;
        z->out += *made;
        TRY(check_ratio(z, err));
    }
    return SL_OK;
}

bool sl_inflate_pending(const sl_inflate *z) {
    return z->pending && !z->between;
}

sl_status sl_inflate_finish(const sl_inflate *z, sl_error *err) {
    if (z->between) return SL_OK;
    return sl_fail(err, SL_E_IO, "%s stream ends early", name_of(z->coding));
}
