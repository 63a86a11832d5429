/* opener.c: a stream of bytes from a file, a pipe or the network, in layers: bytes, unpacked, converted to UTF-8. A layer that
 * has nothing to do is not in the way: plain UTF-8 is read straight into the unit's buffer. */
#include "sources/stream/opener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/ledger.h"
#include "base/missing.h"
#include "base/tempfile.h"
#include "net/cached.h"
#include "net/http/http.h"
#include "net/inflate.h"
#include "net/url.h"
#include "plan/web.h"
#include "sources/stream/sniff.h"
#include "sources/stream/transcode.h"

#define LONG     (1 << 17)          /* bytes of a file that is worth telling the kernel about */
#define LOOK_MS  100                /* how soon a wait notices that the run stops */
#define RAW_SIZE ((size_t)64 << 10) /* bytes looked ahead: what is unpacked or converted goes through here */
#define REST     ((size_t)1 << 20)  /* bytes of an answer that are read although they are not wanted */
#define REST_MS  100                /* how long to wait for each piece of them */

/* Bytes on their way from one layer to the next. */
typedef struct lane {
    char *data;
    size_t at, len;
} lane;

struct sl_inflow {
    const char *name;
    const sl_env *env;
    const sl_access *access; /* NULL: nothing special */
    int fd;                  /* -1: a fetch */
    bool regular, looked, raw_ended;
    bool ask, guess, lenient; /* for the encoding; for one that is not declared; see sl_inflow_lenient */
    uint64_t taken, total;
    sl_file_id file;   /* when regular */
    sl_http *own_http; /* when the environment has no session */
    sl_cache *own_cache;
    sl_fetch *fetch;
    int spool; /* file that holds all of the answer; -1: there is none */
    uint64_t spooled;
    lane raw; /* as it comes from the file or the network */
    sl_inflate *inflate;
    lane unpacked; /* only when there is something to convert */
    sl_transcode *transcode;
    char converted[64]; /* for a reader with too little room for a whole character */
    size_t converted_at, converted_len;
};

/* ---- names --------------------------------------------------------------------------------------------- */

bool sl_source_is_http(sl_text url) {
    sl_text scheme = sl_url_scheme(url);
    return sl_text_eq_nocase(scheme, SL_TEXT("http")) || sl_text_eq_nocase(scheme, SL_TEXT("https"));
}

static sl_status add_name(sl_texts *names, const char *name, size_t n, sl_arena *arena, sl_error *err) {
    char *copy = sl_arena_strndup(arena, name, n);
    if (!copy) return sl_oom(err);
    names->v[names->n++] = sl_text_n(copy, n);
    return SL_OK;
}

static sl_status one_name(sl_texts *names, const char *name, size_t n, sl_arena *arena, sl_error *err) {
    *names = (sl_texts){.v = sl_arena_alloc(arena, sizeof *names->v), .given = true};
    return names->v ? add_name(names, name, n, arena, err) : sl_oom(err);
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static sl_status take_matches(glob_t *found, sl_arena *arena, sl_texts *names, sl_error *err) {
    qsort(found->gl_pathv, found->gl_pathc, sizeof *found->gl_pathv, by_bytes);
    *names = (sl_texts){.v = sl_arena_alloc(arena, found->gl_pathc * sizeof *names->v), .given = true};
    if (!names->v) return sl_oom(err);
    for (size_t i = 0; i < found->gl_pathc; i++) {
        TRY(add_name(names, found->gl_pathv[i], strlen(found->gl_pathv[i]), arena, err));
    }
    return SL_OK;
}

/* A path with wildcards that is not itself the name of a file. Order by bytes, not by the locale of the day. */
static sl_status expand(const char *path, size_t n, sl_arena *arena, sl_texts *names, sl_error *err) {
    struct stat st;
    if (!strpbrk(path, "*?[") || stat(path, &st) == 0) return one_name(names, path, n, arena, err);
    glob_t found = {0};
    int rc = glob(path, GLOB_NOSORT, NULL, &found);
    sl_status status = SL_OK;
    if (rc == GLOB_NOSPACE) {
        status = sl_oom(err);
    } else if (rc) {
        status = sl_fail(err, SL_E_IO, "no file matches '%s'", path);
    } else {
        status = take_matches(&found, arena, names, err);
    }
    globfree(&found);
    return status;
}

static sl_status append_file_url(sl_text url, sl_buf *path, sl_error *err) {
    sl_url u;
    if (!sl_url_parse(url, &u) || !u.has_authority || (u.host.n && !sl_text_is(u.host, "localhost")) ||
        !u.path.n) {
        return sl_fail(err, SL_E_IO, "'%.*s' is not a file URL of this machine; file:///dir/name is",
                       (int)url.n, url.s);
    }
    sl_url_decode(u.path, path);
    return SL_OK;
}

static void append_relative(sl_text name, const char *base_dir, sl_buf *path) {
    if (base_dir && base_dir[0] && name.s[0] != '/') {
        sl_buf_str(path, base_dir);
        if (path->data && path->data[path->len - 1] != '/') sl_buf_byte(path, '/');
    }
    sl_buf_text(path, name);
}

static sl_status file_names(sl_text url, bool is_url, const char *base_dir, sl_arena *arena, sl_texts *names,
                            sl_error *err) {
    sl_buf path = {0};
    sl_status status = SL_OK;
    if (is_url) {
        status = append_file_url(url, &path, err);
    } else {
        append_relative(url, base_dir, &path);
    }
    const char *z = sl_buf_cstr(&path);
    if (!status) status = sl_buf_check(&path, err);
    if (!status) status = expand(z, path.len, arena, names, err);
    sl_buf_free(&path);
    return status;
}

sl_status sl_source_names(sl_text url, const char *base_dir, sl_arena *arena, sl_texts *names,
                          sl_error *err) {
    if (!url.n) return sl_fail(err, SL_E_IO, "the url is empty");
    if (memchr(url.s, 0, url.n)) return sl_fail(err, SL_E_IO, "the url has a zero byte in it");
    if (sl_text_is(url, "-") || sl_text_is(url, "stdin:")) return one_name(names, "-", 1, arena, err);
    sl_text scheme = sl_url_scheme(url);
    if (sl_source_is_http(url)) return one_name(names, url.s, url.n, arena, err);
    bool is_url = url.n > scheme.n + 2 && scheme.n && !memcmp(url.s + scheme.n, "://", 3);
    bool is_file = sl_text_eq_nocase(scheme, SL_TEXT("file"));
    if (!is_url || is_file) return file_names(url, is_url, base_dir, arena, names, err);
    sl_text shown = sl_url_shown(url, arena);
    return sl_fail(err, SL_E_IO,
                   "cannot open '%.*s': urls begin with http://, https:// or file://, or are file names",
                   (int)shown.n, shown.s ? shown.s : "");
}

bool sl_source_is_file(const char *name) {
    return strcmp(name, "-") != 0 && !sl_source_is_http(sl_text_of(name));
}

void sl_source_names_sum(const sl_texts *names, char out[SL_CACHE_KEY]) {
    sl_buf all = {0};
    for (uint32_t i = 0; i < names->n; i++) {
        sl_buf_text(&all, names->v[i]);
        sl_buf_byte(&all, 0);
    }
    sl_cache_key(SL_TEXT("names"), sl_text_n(all.data, all.len), out);
    if (all.failed) out[0] = 0;
    sl_buf_free(&all);
}

void sl_source_note_names(const sl_env *env, sl_text url, const sl_texts *names) {
    char sum[SL_CACHE_KEY];
    bool pattern = false;
    for (uint32_t i = 0; i < url.n; i++) pattern = pattern || strchr("*?[", url.s[i]);
    if (!env->ledger || !pattern || !sl_source_is_file(names->v[0].s)) return;
    sl_source_names_sum(names, sum);
    sl_ledger_note(env->ledger, "glob %s %s|%.*s", sum, env->base_dir ? env->base_dir : "", (int)url.n,
                   url.s);
}

sl_status sl_access_check(const sl_access *access, sl_text url, sl_error *err) {
    if (!access->no_files || sl_source_is_http(url)) return SL_OK;
    return sl_fail(
        err, SL_E_IO,
        "'%.*s' names a file of this machine, and comes from data that may have come from the network; "
        "allow-files permits it",
        (int)url.n, url.s);
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static sl_status open_fetch(sl_inflow *b, sl_error *err) {
    const sl_web *web = b->env->web;
    const sl_cache_policy *policy = b->env->cache_policy;
    sl_http *session = b->env->http;
    sl_cache *cache = b->env->cache;
    if (!session) {
        sl_http_options options = {.permits = b->env->permits,
                                   .connections = b->env->connections,
                                   .per_host = b->env->per_host,
                                   .allowed = web ? web->allowed : NULL,
                                   .nallowed = web ? web->nallowed : 0,
                                   .stopping = b->env->stopping};
        TRY(sl_http_new(&options, &b->own_http, err));
        TRY(sl_cached_open(policy, true, &b->own_cache, err));
        session = b->own_http;
        cache = b->own_cache;
    }
    const sl_access *a = b->access;
    if (!cache) sl_ledger_spoil(b->env->ledger);
    sl_request request = {.url = b->name,
                          .manners = a ? &a->manners : NULL,
                          .from_data = a && a->from_data,
                          .origin = a ? a->origin : NULL};
    return sl_cached_get(session, cache, policy, &request, &b->fetch, err);
}

static sl_status open_file(sl_inflow *b, sl_error *err) {
    struct stat st;
    TRY(sl_standard_check_path(b->name, false, err));
    TRY(sl_range_open(b->name, &b->fd, err));
    if (fstat(b->fd, &st)) return sl_fail_errno(err, errno, "cannot open", b->name);
    if (S_ISDIR(st.st_mode))
        return sl_fail(err, SL_E_IO, "'%s' is a folder; name its files, as in '%s%s*.csv'", b->name, b->name,
                       b->name[strlen(b->name) - 1] == '/' ? "" : "/");
    sl_ledger_note_file(b->env->ledger, b->name, &st);
    b->regular = S_ISREG(st.st_mode);
    if (!b->regular) return SL_OK;
    b->total = (uint64_t)st.st_size;
    b->file = sl_file_id_of(&st);
    if (b->total > LONG) (void)posix_fadvise(b->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* nothing depends on it */
    return SL_OK;
}

static sl_status open_any(sl_inflow *b, sl_text encoding, sl_error *err) {
    b->guess = sl_text_eq_nocase(encoding, SL_TEXT("auto"));
    b->ask = b->guess || encoding.n == 0;
    if (!b->ask && !sl_encoding_is_utf8(encoding)) TRY(sl_transcode_new(encoding, &b->transcode, err));
    if (sl_source_is_file(b->name)) return open_file(b, err);
    if (strcmp(b->name, "-")) return open_fetch(b, err);
    TRY(sl_standard_check(STDIN_FILENO, false, err));
    sl_ledger_spoil(b->env->ledger);
    b->fd = STDIN_FILENO;
    b->name = "stdin";
    return SL_OK;
}

sl_status sl_inflow_open(const char *name, sl_text encoding, const sl_access *access, const sl_env *env,
                         sl_inflow **out, sl_error *err) {
    sl_inflow *b = calloc(1, sizeof *b);
    if (!b) return sl_oom(err);
    b->name = name;
    b->env = env;
    b->access = access;
    b->fd = b->spool = -1;
    sl_status status = open_any(b, encoding, err);
    if (status) {
        sl_inflow_close(&b);
    } else {
        *out = b;
    }
    return status;
}

void sl_inflow_close(sl_inflow **b) {
    sl_inflow *gone = *b;
    if (!gone) return;
    sl_fetch_close(&gone->fetch);
    sl_http_free(&gone->own_http);
    sl_cache_free(&gone->own_cache);
    if (gone->fd > STDIN_FILENO) close(gone->fd);
    if (gone->spool >= 0) close(gone->spool);
    sl_inflate_free(&gone->inflate);
    sl_transcode_free(&gone->transcode);
    free(gone->raw.data);
    free(gone->unpacked.data);
    free(gone);
    *b = NULL;
}

void sl_inflow_lenient(sl_inflow *b) {
    b->lenient = b->guess = true;
    if (b->transcode) sl_transcode_lenient(b->transcode);
}

/* ---- reading as it comes ------------------------------------------------------------------------------- */

static bool is_stopping(const sl_inflow *b) {
    return b->env->stopping && atomic_load_explicit(b->env->stopping, memory_order_relaxed);
}

static bool has_input(int fd, int ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) > 0;
}

/* What has been added behind the size that was seen first is not read. A file of the system's own may say 0 and have something in it. */
static sl_status read_regular(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err) {
    *n = 0;
    if (b->total && b->taken == b->total) return SL_OK;
    if (b->total && cap > b->total - b->taken) cap = (size_t)(b->total - b->taken);
    ssize_t got;
    do {
        got = pread(b->fd, buf, cap, (off_t)b->taken);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return sl_fail_errno(err, errno, "cannot read", b->name);
    *n = (size_t)got;
    return sl_range_check(b->fd, b->name, &b->file, err);
}

/* A pipe or a terminal may keep us waiting for ever: so wait where the run can be stopped. */
static sl_status read_fd(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err) {
    if (b->regular) return read_regular(b, buf, cap, n, err);
    for (;;) {
        while (!has_input(b->fd, LOOK_MS)) {
            if (is_stopping(b)) return sl_fail(err, SL_E_STOPPED, "stopped while reading '%s'", b->name);
        }
        ssize_t got = read(b->fd, buf, cap);
        if (got >= 0) {
            *n = (size_t)got;
            return SL_OK;
        }
        if (errno != EINTR && errno != EAGAIN) return sl_fail_errno(err, errno, "cannot read", b->name);
    }
}

/* Where a run goes on without sources that fail, an answer is there as a whole before anybody sees any of it. */
static sl_status spool_answer(sl_inflow *b, sl_error *err) {
    char *block = malloc(RAW_SIZE);
    if (!block) return sl_oom(err);
    sl_status status = sl_tempfile_open(b->env->tmpdir, &b->spool, err);
    for (size_t n = 1; n && !status;) {
        status = sl_fetch_read(b->fetch, block, RAW_SIZE, &n, err);
        if (!status) status = sl_tempfile_write(b->spool, block, n, b->spooled, err);
        b->spooled += n;
    }
    free(block);
    return status;
}

static sl_status read_fetch(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err) {
    if (!b->env->keep_going) return sl_fetch_read(b->fetch, buf, cap, n, err);
    if (b->spool < 0) TRY(spool_answer(b, err));
    uint64_t left = b->spooled - b->taken;
    *n = left < cap ? (size_t)left : cap;
    return sl_tempfile_read(b->spool, buf, *n, b->taken, err);
}

static sl_status read_raw(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err) {
    *n = 0;
    if (b->raw_ended) return SL_OK;
    TRY(b->fetch ? read_fetch(b, buf, cap, n, err) : read_fd(b, buf, cap, n, err));
    b->taken += *n;
    b->raw_ended = !*n;
    return SL_OK;
}

/* ---- layers -------------------------------------------------------------------------------------------- */

/* The charset of a media type ("text/csv; charset=latin1"), or an empty text. */
static sl_text charset_of(const char *media_type) {
    const char *at = media_type + strcspn(media_type, ";");
    while (*at && strncasecmp(at, "charset=", 8)) at++;
    if (!*at) return (sl_text){0};
    at += 8;
    if (*at == '"') at++;
    return sl_text_n(at, strcspn(at, "\"; \t"));
}

/* Reads as many bytes as it takes to recognise compression. */
static sl_status look_packed(sl_inflow *b, sl_error *err) {
    b->raw.data = malloc(RAW_SIZE);
    if (!b->raw.data) return sl_oom(err);
    while (b->raw.len < 4 && !b->raw_ended) {
        size_t n;
        TRY(read_raw(b, b->raw.data + b->raw.len, RAW_SIZE - b->raw.len, &n, err));
        b->raw.len += n;
    }
    sl_coding coding = sl_coding_of(b->raw.data, b->raw.len);
    if (coding == SL_CODING_NONE) return SL_OK;
    b->inflate = sl_inflate_new(coding);
    return b->inflate ? SL_OK : sl_oom(err);
}

static sl_status refill_raw(sl_inflow *b, sl_error *err) {
    b->raw.at = 0;
    b->raw.len = 0;
    return read_raw(b, b->raw.data, RAW_SIZE, &b->raw.len, err);
}

static sl_status read_inflated(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err) {
    for (;;) {
        const char *in = b->raw.data + b->raw.at;
        size_t left = b->raw.len - b->raw.at;
        sl_status status = sl_inflate_run(b->inflate, &in, &left, buf, cap, n, err);
        b->raw.at = b->raw.len - left;
        if (status || *n) return status;
        TRY(refill_raw(b, err));
        if (!b->raw.len) return sl_inflate_finish(b->inflate, err);
    }
}

static size_t take(lane *l, char *buf, size_t cap) {
    size_t have = l->len - l->at, n = have < cap ? have : cap;
    memcpy(buf, l->data + l->at, n);
    l->at += n;
    return n;
}

/* What was looked at comes first, the rest straight into BUF. */
static sl_status read_unpacked(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err) {
    if (b->inflate) return read_inflated(b, buf, cap, n, err);
    if (b->raw.len == b->raw.at) return read_raw(b, buf, cap, n, err);
    *n = take(&b->raw, buf, cap);
    return SL_OK;
}

/* The same where nothing is converted. */
static sl_status read_plain(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err) {
    if (b->unpacked.len == b->unpacked.at) return read_unpacked(b, buf, cap, n, err);
    *n = take(&b->unpacked, buf, cap);
    return SL_OK;
}

static sl_status refill_unpacked(sl_inflow *b, size_t *n, sl_error *err) {
    lane *l = &b->unpacked;
    memmove(l->data, l->data + l->at, l->len - l->at);
    l->len -= l->at;
    l->at = 0;
    TRY(read_unpacked(b, l->data + l->len, RAW_SIZE - l->len, n, err));
    l->len += *n;
    return SL_OK;
}

/* The first bytes of the text, in the lane they are in anyhow; enough of them to tell its encoding. */
static sl_status look_text(sl_inflow *b, const lane **out, sl_error *err) {
    lane *l = b->inflate ? &b->unpacked : &b->raw;
    if (b->inflate) l->data = malloc(RAW_SIZE);
    if (!l->data) return sl_oom(err);
    for (size_t n = 1; n && !sl_sniff_enough(l->data + l->at, l->len - l->at); l->len += b->inflate ? 0 : n) {
        TRY(b->inflate ? refill_unpacked(b, &n, err)
                       : read_raw(b, l->data + l->len, RAW_SIZE - l->len, &n, err));
    }
    *out = l;
    return SL_OK;
}

static sl_status ask_encoding(sl_inflow *b, sl_error *err) {
    const char *type;
    const lane *l = NULL;
    TRY(sl_inflow_type(b, &type, err));
    TRY(look_text(b, &l, err));
    sl_sniffed found;
    TRY(sl_sniff(l->data + l->at, l->len - l->at, charset_of(type), b->guess, &found, err));
    if (!found.name[0]) return SL_OK;
    TRY(sl_transcode_new(sl_text_of(found.name), &b->transcode, err));
    if (b->lenient || found.guessed) sl_transcode_lenient(b->transcode);
    return SL_OK;
}

static sl_status look(sl_inflow *b, sl_error *err) {
    b->looked = true;
    TRY(look_packed(b, err));
    if (b->ask) TRY(ask_encoding(b, err));
    if (b->inflate) SL_TRACE(b->env->log, recode, "packed, is unpacked: %s", b->name);
    if (b->transcode)
        SL_TRACE(b->env->log, recode, "%s becomes UTF-8: %s", sl_transcode_name(b->transcode), b->name);
    if (b->transcode && !b->unpacked.data) b->unpacked.data = malloc(RAW_SIZE);
    return b->transcode && !b->unpacked.data ? sl_oom(err) : SL_OK;
}

static sl_status convert(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err) {
    lane *l = &b->unpacked;
    for (;;) {
        const char *in = l->data + l->at;
        size_t left = l->len - l->at, more;
        TRY(sl_transcode_run(b->transcode, &in, &left, buf, cap, n, err));
        l->at = l->len - left;
        if (*n) return SL_OK;
        TRY(refill_unpacked(b, &more, err));
        if (more) continue;
        return sl_transcode_finish(b->transcode, buf, n, err);
    }
}

static sl_status read_converted(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err) {
    bool none = b->converted_at == b->converted_len;
    if (none && cap >= sizeof b->converted) return convert(b, buf, cap, n, err);
    if (none) {
        b->converted_at = b->converted_len = 0;
        TRY(convert(b, b->converted, sizeof b->converted, &b->converted_len, err));
    }
    size_t have = b->converted_len - b->converted_at;
    *n = have < cap ? have : cap;
    memcpy(buf, b->converted + b->converted_at, *n);
    b->converted_at += *n;
    return SL_OK;
}

sl_status sl_inflow_read(sl_inflow *b, char *buf, size_t cap, size_t *n, sl_error *err) {
    *n = 0;
    sl_status status = b->looked ? SL_OK : look(b, err);
    if (!status)
        status = b->transcode ? read_converted(b, buf, cap, n, err) : read_plain(b, buf, cap, n, err);
    if (status == SL_E_IO || status == SL_E_DATA) sl_error_at(err, b->fetch ? NULL : b->name, 0, 0);
    return status;
}

void sl_inflow_finish(sl_inflow *b) {
    char *rest = b->fetch ? malloc(RAW_SIZE) : NULL;
    sl_error why = {0}; /* of no interest: the answer has been read */
    sl_status status = SL_OK;
    for (size_t n = 1, all = 0; rest && n && !status && all < REST && sl_inflow_wait(b, REST_MS); all += n)
        status = sl_inflow_read(b, rest, RAW_SIZE, &n, &why);
    free(rest);
}

bool sl_inflow_wait(sl_inflow *b, int ms) {
    bool ready = b->raw.at < b->raw.len || b->unpacked.at < b->unpacked.len ||
                 b->converted_at < b->converted_len || b->raw_ended || b->regular;
    if (ready || (b->inflate && sl_inflate_pending(b->inflate))) return true;
    if (b->spool >= 0) return true;
    return b->fetch ? sl_fetch_wait(b->fetch, ms) : has_input(b->fd, ms);
}

bool sl_inflow_settled(const sl_inflow *b) {
    return !b->fetch || sl_fetch_settled(b->fetch);
}

bool sl_inflow_move(sl_inflow *b, int ms) {
    return !b->fetch || sl_fetch_move(b->fetch, ms);
}

/* ---- asking -------------------------------------------------------------------------------------------- */

const char *sl_inflow_path(const sl_inflow *b) {
    return b->regular && !b->inflate && !b->transcode ? b->name : NULL;
}

const sl_file_id *sl_inflow_file(const sl_inflow *b) {
    return &b->file;
}

uint64_t sl_inflow_total(const sl_inflow *b) {
    return b->fetch ? sl_fetch_length(b->fetch) : b->total;
}

uint64_t sl_inflow_taken(const sl_inflow *b) {
    return b->fetch ? sl_fetch_received(b->fetch) : b->taken;
}

sl_status sl_inflow_type(sl_inflow *b, const char **type, sl_error *err) {
    *type = "";
    if (!b->fetch) return SL_OK;
    TRY(sl_fetch_head(b->fetch, err));
    *type = sl_fetch_type(b->fetch);
    return SL_OK;
}

const char *sl_inflow_address(const sl_inflow *b) {
    return b->fetch ? sl_fetch_url(b->fetch) : b->name;
}

bool sl_inflow_unchanged(const sl_inflow *b) {
    return b->fetch && sl_fetch_unchanged(b->fetch);
}

const char *sl_inflow_header(sl_inflow *b, const char *name) {
    if (!b->fetch || sl_fetch_head(b->fetch, NULL)) return NULL;
    return sl_fetch_header(b->fetch, name);
}

long sl_inflow_status(sl_inflow *b) {
    if (!b->fetch) return 0;
    sl_status status = sl_fetch_head(b->fetch, NULL);
    (void)status; /* whoever reads will hear of it */
    return sl_fetch_status(b->fetch);
}
