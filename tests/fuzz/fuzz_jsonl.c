/* JSON Lines: read at once and in pieces, and every line by jansson. */
#include "format_run.h"
#include "formats/json/json.h"
#include "json_oracle.h"

extern const sl_format sl_format_jsonl;

static bool blank(sl_text t) {
    for (uint32_t i = 0; i < t.n; i++) {
        if (!strchr(" \t\r", t.s[i]) || !t.s[i]) return false;
    }
    return true;
}

/* The first line that jansson refuses, 0: none. *OWN: it refused one for a reason of its own, which tells nothing. */
static uint64_t first_bad_line(fuzz_in in, bool *own) {
    *own = false;
    if (in.n >= 3 && memcmp(in.at, "\xef\xbb\xbf", 3) == 0) in = (fuzz_in){in.at + 3, in.n - 3};
    for (uint64_t line = 1; in.n; line++) {
        uint64_t items;
        sl_text t = fuzz_line(&in);
        json_verdict verdict = blank(t) ? JSON_TAKEN : json_judge(t, &items);
        if (verdict == JSON_OWN_REASON) *own = true;
        if (verdict == JSON_REFUSED) return line;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    uint8_t flags = fuzz_byte(&in); /* 1: riko */
    uint64_t seed = fuzz_byte(&in) + 1u;
    sl_json_conf conf = {.encoding_name = SL_TEXT("utf-8")};
    sl_dialect dialect = flags & 1 ? SL_RIKO : SL_NATIVE;
    FUZZ_CHECK(sl_format_jsonl.prepare(&conf, NULL, NULL) == SL_OK);
    format_run whole = {.format = &sl_format_jsonl, .conf = &conf, .dialect = dialect, .anywhere = true};
    format_run pieces = {.format = &sl_format_jsonl, .conf = &conf, .dialect = dialect, .seed = seed};
    format_over(&whole, fuzz_rest(&in));
    format_over(&pieces, fuzz_rest(&in));
    if (dialect == SL_NATIVE || !format_has_cases(fuzz_rest(&in))) format_same(&whole, &pieces);
    bool own;
    uint64_t bad = first_bad_line(in, &own);
    bool coded = strstr(whole.err.text, "valid UTF-8"); /* looked for in the whole unit first */
    if (bad) FUZZ_CHECK(whole.status);
    if (bad && !own && !coded) FUZZ_CHECK(whole.err.line == bad);
    if (!bad && !own) FUZZ_CHECK(!whole.status || strstr(whole.err.text, "nesting"));
    format_free(&whole);
    format_free(&pieces);
    return 0;
}
