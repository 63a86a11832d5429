/* URLs: parts lie within the text in their order, what is encoded is decoded again, a resolved reference stays where it is. */
#include "fuzz.h"
#include "net/url.h"

static void within(sl_text t, sl_text whole) {
    FUZZ_CHECK(!t.n || (t.s >= whole.s && t.s + t.n <= whole.s + whole.n));
}

static void parts(sl_text t) {
    sl_url u;
    within(sl_url_scheme(t), t);
    within(sl_url_name(t), t);
    if (!sl_url_parse(t, &u)) return;
    within(u.scheme, t);
    within(u.user, t);
    within(u.host, t);
    within(u.port, t);
    within(u.path, t);
    within(u.query, t);
    within(u.fragment, t);
}

static void coded(sl_text t) {
    sl_buf packed = {0}, plain = {0};
    sl_url_encode(t, "", &packed);
    for (size_t i = 0; i < packed.len; i++) FUZZ_CHECK((unsigned char)packed.data[i] > ' ');
    sl_url_decode(sl_text_n(packed.data, packed.len), &plain);
    FUZZ_CHECK(plain.len == t.n && (!t.n || memcmp(plain.data, t.s, t.n) == 0));
    sl_buf_clear(&plain);
    sl_url_decode(t, &plain);
    FUZZ_CHECK(plain.len <= t.n);
    sl_buf_free(&packed);
    sl_buf_free(&plain);
}

/* No password is shown. */
static void shown(sl_text t, sl_arena *arena) {
    sl_url u;
    sl_text s = sl_url_shown(t, arena);
    FUZZ_CHECK(s.s);
    if (sl_url_parse(t, &u) && u.user.n && sl_url_parse(s, &u)) FUZZ_CHECK(!u.user.n);
}

static void resolved(sl_text base, sl_text ref, sl_arena *arena) {
    sl_text once, twice;
    sl_error err = {0};
    sl_status status = sl_url_resolve(base, ref, arena, &once, &err);
    fuzz_agree(status, &err);
    if (status) return;
    sl_url u;
    FUZZ_CHECK(sl_url_parse(once, &u) && u.scheme.n);
    FUZZ_CHECK(sl_url_resolve(base, once, arena, &twice, &err) == SL_OK);
    FUZZ_CHECK(sl_text_eq(once, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    sl_arena arena = {0};
    sl_text base = fuzz_line(&in), ref = fuzz_rest(&in);
    char *own = fuzz_string(ref);
    ref.s = own;
    parts(base);
    parts(ref);
    coded(ref);
    shown(base, &arena);
    resolved(base, ref, &arena);
    free(own);
    sl_arena_free(&arena);
    return 0;
}
