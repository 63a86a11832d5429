/* shown.c: a URL as people may see it: the one place that decides what in it is secret. */
#include "base/error.h"
#include "net/url.h"

/* Parameters whose values are secrets, by their names in small letters without - and _. */
static const char *const secrets[] = {"key",
                                      "apikey",
                                      "accesskey",
                                      "secretkey",
                                      "privatekey",
                                      "subscriptionkey",
                                      "token",
                                      "accesstoken",
                                      "authtoken",
                                      "apitoken",
                                      "refreshtoken",
                                      "idtoken",
                                      "sastoken",
                                      "securitytoken",
                                      "jwt",
                                      "bearer",
                                      "secret",
                                      "clientsecret",
                                      "appsecret",
                                      "password",
                                      "passwd",
                                      "passphrase",
                                      "pass",
                                      "pwd",
                                      "auth",
                                      "authorization",
                                      "authkey",
                                      "credential",
                                      "credentials",
                                      "session",
                                      "sessionid",
                                      "sid",
                                      "sig",
                                      "signature",
                                      "hmac",
                                      "xamzsignature",
                                      "xamzcredential",
                                      "xamzsecuritytoken",
                                      "xgoogsignature",
                                      "xgoogcredential",
                                      NULL};

enum { MOST_NAME = 64 };

static bool is_secret(sl_text name) {
    char plain[MOST_NAME];
    sl_buf decoded = {0};
    size_t n = 0;
    sl_url_decode(name, &decoded);
    for (size_t i = 0; i < decoded.len && n < sizeof plain; i++) {
        char c = decoded.data[i];
        if (c != '-' && c != '_') plain[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
    }
    sl_buf_free(&decoded);
    for (const char *const *s = secrets; *s; s++)
        if (sl_text_is(sl_text_n(plain, n), *s)) return true;
    return false;
}

/* Position of the first byte of SET in T from AT on, or T's end. */
static uint32_t find(sl_text t, uint32_t at, const char *set) {
    while (at < t.n && (!t.s[at] || !strchr(set, t.s[at]))) at++;
    return at;
}

/* Where the authority begins; T's end: there is none. */
static uint32_t authority_at(sl_text t) {
    sl_text scheme = sl_url_scheme(t);
    uint32_t slashes = scheme.n ? scheme.n + 1 : 0;
    bool found = t.n >= slashes + 2 && t.s[slashes] == '/' && t.s[slashes + 1] == '/';
    return found ? slashes + 2 : t.n;
}

/* T[at, end), name and value of one parameter. */
static void put_pair(sl_text t, uint32_t at, uint32_t end, sl_buf *out) {
    uint32_t equals = find((sl_text){t.s, end}, at, "=");
    bool hide = equals + 1 < end && is_secret((sl_text){t.s + at, equals - at});
    sl_buf_add(out, t.s + at, hide ? equals + 1 - at : end - at);
    if (hide) sl_buf_str(out, "***");
}

/* What is not a URL by the rules is shown by the same ones: a password must not be shown because a space stands behind it. */
void sl_url_redact(sl_text t, sl_buf *out) {
    uint32_t at = authority_at(t), end = find(t, at, "/?#"), host = at;
    for (uint32_t i = at; i < end; i++)
        if (t.s[i] == '@') host = i + 1;
    sl_buf_add(out, t.s, at);
    at = at < t.n ? find(t, end, "?#") : t.n;
    sl_buf_add(out, t.s + host, at - host);
    while (at < t.n) {
        sl_buf_byte(out, t.s[at++]);
        end = find(t, at, "&;?#");
        put_pair(t, at, end, out);
        at = end;
    }
}

sl_text sl_url_shown(sl_text t, sl_arena *arena) {
    sl_buf text = {0};
    sl_url_redact(t, &text);
    sl_text shown = text.failed ? (sl_text){0} : sl_arena_text(arena, sl_text_n(text.data, text.len));
    sl_buf_free(&text);
    return shown;
}
