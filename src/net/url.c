/* url.c: URLs, by RFC 3986. Nothing is decoded while an address is taken apart and put together, so one that goes out is
 * spelled as it came in: servers tell spellings apart, and signatures depend on them. */
#include "net/url.h"

#include "base/error.h"

static bool is_unreserved(char c) {
    return sl_ascii_letter(c) || sl_ascii_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* Position of the first byte of SET in T, or T's length. */
static uint32_t find_any(sl_text t, const char *set) {
    uint32_t i = 0;
    while (i < t.n && !strchr(set, t.s[i])) i++;
    return i;
}

static sl_text part(sl_text t, uint32_t from, uint32_t to) {
    return (sl_text){t.s ? t.s + from : NULL, to - from};
}

static void skip(sl_text *t, uint32_t n) {
    *t = part(*t, n, t->n);
}

sl_text sl_url_scheme(sl_text t) {
    uint32_t n = 0;
    while (n < t.n && (sl_ascii_letter(t.s[n]) || (n && (sl_ascii_digit(t.s[n]) || strchr("+-.", t.s[n])))))
        n++;
    return part(t, 0, n > 1 && n < t.n && t.s[n] == ':' ? n : 0);
}

static bool parse_authority(sl_text t, sl_url *u) {
    for (uint32_t at = t.n; at-- > 0;) {
        if (t.s[at] != '@') continue;
        u->user = part(t, 0, at);
        skip(&t, at + 1);
        break;
    }
    uint32_t from = t.n && t.s[0] == '[' ? find_any(t, "]") : 0;
    uint32_t colon = from + find_any(part(t, from, t.n), ":");
    u->host = part(t, 0, colon);
    if (colon < t.n) u->port = part(t, colon + 1, t.n);
    for (uint32_t i = 0; i < u->port.n; i++) {
        if (!sl_ascii_digit(u->port.s[i])) return false;
    }
    return from < t.n || !t.n;
}

void sl_url_split(sl_text t, sl_url *out) {
    *out = (sl_url){.scheme = sl_url_scheme(t)};
    if (out->scheme.n) skip(&t, out->scheme.n + 1);
    uint32_t hash = find_any(t, "#");
    if ((out->has_fragment = hash < t.n)) out->fragment = part(t, hash + 1, t.n);
    t.n = hash;
    uint32_t mark = find_any(t, "?");
    if ((out->has_query = mark < t.n)) out->query = part(t, mark + 1, t.n);
    t.n = mark;
    if (t.n >= 2 && t.s[0] == '/' && t.s[1] == '/') {
        skip(&t, 2);
        out->has_authority = true;
        uint32_t slash = find_any(t, "/");
        out->authority = part(t, 0, slash);
        skip(&t, slash);
    }
    out->path = t;
}

bool sl_url_parse(sl_text t, sl_url *out) {
    *out = (sl_url){0};
    for (uint32_t i = 0; i < t.n; i++) {
        if ((unsigned char)t.s[i] <= ' ' || t.s[i] == 127) return false;
    }
    sl_url_split(t, out);
    return !out->has_authority || parse_authority(out->authority, out);
}

/* Takes the last segment and its slash off what was appended to OUT since FROM. */
static void drop_segment(sl_buf *out, size_t from) {
    while (out->len > from && out->data[--out->len] != '/') {
    }
}

/* RFC 3986, 5.2.4, segment by segment: "." goes, ".." takes the one before it along. */
static void append_without_dots(sl_text path, sl_buf *out) {
    size_t from = out->len;
    while (path.n) {
        bool slash = path.s[0] == '/';
        uint32_t end = (slash ? 1 : 0) + find_any(part(path, slash ? 1 : 0, path.n), "/");
        sl_text segment = part(path, slash ? 1 : 0, end);
        bool up = sl_text_is(segment, ".."), last = end == path.n;
        if (up) drop_segment(out, from);
        if (up || sl_text_is(segment, ".")) {
            if (last && slash) sl_buf_byte(out, '/');
        } else {
            sl_buf_text(out, part(path, 0, end));
        }
        skip(&path, end);
    }
}

/* The base's path up to its last slash, then REF's. */
static void merge_paths(const sl_url *base, sl_text ref, sl_buf *out) {
    uint32_t n = base->path.n;
    while (n && base->path.s[n - 1] != '/') n--;
    if (!n && base->has_authority) sl_buf_byte(out, '/');
    sl_buf_text(out, part(base->path, 0, n));
    sl_buf_text(out, ref);
}

static void append_authority(const sl_url *u, sl_buf *out) {
    if (!u->has_authority) return;
    sl_buf_str(out, "//");
    sl_buf_text(out, u->authority);
}

static void append_tail(const sl_url *u, bool has_query, sl_text query, sl_buf *out) {
    if (has_query) {
        sl_buf_byte(out, '?');
        sl_buf_text(out, query);
    }
    if (u->has_fragment) {
        sl_buf_byte(out, '#');
        sl_buf_text(out, u->fragment);
    }
}

/* A path that begins with two slashes would be taken for an authority where there is none. */
static void guard_slashes(size_t from, sl_buf *out) {
    if (out->failed || out->len - from < 2 || memcmp(out->data + from, "//", 2) != 0) return;
    sl_buf_str(out, "/.");
    if (out->failed) return;
    memmove(out->data + from + 2, out->data + from, out->len - from - 2);
    memcpy(out->data + from, "/.", 2);
}

static void append_resolved(const sl_url *base, const sl_url *ref, sl_buf *path, sl_buf *out) {
    bool absolute = ref->scheme.n != 0, placed = absolute || ref->has_authority;
    sl_text scheme = absolute ? ref->scheme : base->scheme;
    sl_buf_text(out, scheme);
    if (scheme.n) sl_buf_byte(out, ':');
    append_authority(placed ? ref : base, out);
    bool same = !placed && !ref->path.n; /* only a query or a fragment */
    if (placed || (ref->path.n && ref->path.s[0] == '/')) {
        sl_buf_text(path, ref->path);
    } else if (same) {
        sl_buf_text(path, base->path);
    } else {
        merge_paths(base, ref->path, path);
    }
    size_t from = out->len;
    bool authority = (placed ? ref : base)->has_authority;
    append_without_dots(sl_text_n(path->data, path->len), out);
    if (!authority) guard_slashes(from, out);
    bool inherit = same && !ref->has_query;
    append_tail(ref, inherit ? base->has_query : ref->has_query, inherit ? base->query : ref->query, out);
}

static sl_status no_url(sl_text t, const char *what, sl_arena *arena, sl_error *err) {
    sl_text shown = sl_url_shown(t, arena);
    return sl_fail(err, SL_E_DATA, "'%.*s' is not %s", (int)shown.n, shown.s ? shown.s : "", what);
}

sl_status sl_url_resolve(sl_text base, sl_text ref, sl_arena *arena, sl_text *out, sl_error *err) {
    sl_url b, r;
    ref = sl_text_trim(ref);
    if (!sl_url_parse(base, &b) || !b.scheme.n) {
        return no_url(base, "an absolute URL", arena, err);
    }
    if (!sl_url_parse(ref, &r)) return no_url(ref, "a URL", arena, err);
    sl_buf path = {0}, whole = {0};
    append_resolved(&b, &r, &path, &whole);
    sl_status status = path.failed ? sl_oom(err) : sl_buf_check(&whole, err);
    if (!status) {
        *out = sl_arena_text(arena, sl_text_n(whole.data, whole.len));
        if (!out->s) status = sl_oom(err);
    }
    sl_buf_free(&path);
    sl_buf_free(&whole);
    return status;
}

void sl_url_join(sl_text base, sl_text ref, sl_buf *out) {
    sl_url b, r;
    if (!base.n || !ref.n) {
        sl_buf_text(out, base.n ? base : ref);
        return;
    }
    sl_url_split(base, &b);
    sl_url_split(ref, &r);
    sl_buf path = {0};
    append_resolved(&b, &r, &path, out);
    out->failed = out->failed || path.failed;
    sl_buf_free(&path);
}

static void append_escaped(char c, sl_buf *out) {
    static const char hex[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    sl_buf_add(out, (const char[]){'%', hex[byte >> 4], hex[byte & 15]}, 3);
}

void sl_url_encode(sl_text t, const char *safe, sl_buf *out) {
    for (uint32_t i = 0; i < t.n; i++) {
        if (is_unreserved(t.s[i]) || (t.s[i] && strchr(safe, t.s[i])))
            sl_buf_byte(out, t.s[i]);
        else
            append_escaped(t.s[i], out);
    }
}

void sl_url_form(sl_text t, sl_buf *out) {
    for (uint32_t i = 0; i < t.n; i++) {
        if (is_unreserved(t.s[i]) || t.s[i] == ' ')
            sl_buf_byte(out, t.s[i] == ' ' ? '+' : t.s[i]);
        else
            append_escaped(t.s[i], out);
    }
}

static int hex_value(char c) {
    if (sl_ascii_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void sl_url_decode(sl_text t, sl_buf *out) {
    for (uint32_t i = 0; i < t.n; i++) {
        int high = t.s[i] == '%' && i + 2 < t.n ? hex_value(t.s[i + 1]) : -1;
        int low = high >= 0 ? hex_value(t.s[i + 2]) : -1;
        sl_buf_byte(out, low >= 0 ? (char)(high * 16 + low) : t.s[i]);
        if (low >= 0) i += 2;
    }
}

bool sl_url_same_place(sl_text a, sl_text b) {
    sl_url x, y;
    return sl_url_parse(a, &x) && sl_url_parse(b, &y) && sl_text_eq_nocase(x.scheme, y.scheme) &&
           sl_text_eq_nocase(x.host, y.host) && sl_text_eq(x.port, y.port);
}

sl_text sl_url_name(sl_text t) {
    if (sl_url_scheme(t).n) t.n = find_any(t, "?#");
    uint32_t from = t.n;
    while (from && t.s[from - 1] != '/') from--;
    return part(t, from, t.n);
}
