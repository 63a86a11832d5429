/* Delimited text in any dialect: read at once, in pieces, and in pieces by the portable scanner. */
#include "format_run.h"
#include "formats/csv/csv.h"

extern const sl_format sl_format_csv;

/* FLAGS bits: 1 no header, 2 sanitize, 4 no dedupe, 8 lenient, 16 pad, 32 skip; MORE: 1 latin-1, 2 riko, 4 one row skipped. */
static bool conf_of(fuzz_in *in, sl_csv_conf *conf, sl_dialect *dialect, uint64_t *seed) {
    sl_arena arena = {0};
    uint8_t flags = fuzz_byte(in), more = fuzz_byte(in);
    *conf = (sl_csv_conf){.has_header = !(flags & 1),
                          .sanitize = flags & 2,
                          .dedupe = !(flags & 4),
                          .quotes = flags >> 3 & 1,
                          .ragged = flags & 16   ? SL_RAGGED_PAD
                                    : flags & 32 ? SL_RAGGED_SKIP
                                                 : SL_RAGGED_ERROR,
                          .encoding = more & 1 ? SL_TEXT("latin-1") : SL_TEXT("utf-8"),
                          .skip_rows = more >> 2 & 1};
    *dialect = more & 2 ? SL_RIKO : SL_NATIVE;
    conf->delimiter = (char)fuzz_byte(in);
    conf->quote = (char)fuzz_byte(in);
    conf->comment = (char)fuzz_byte(in);
    if (conf->quote == '0') conf->quote = 0;
    if (conf->comment == '0') conf->comment = 0;
    *seed = fuzz_byte(in) + 1u;
    bool good = sl_format_csv.prepare(conf, &arena, NULL) == SL_OK;
    sl_arena_free(&arena);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    sl_csv_conf conf, portable;
    sl_dialect dialect;
    uint64_t seed;
    if (!conf_of(&in, &conf, &dialect, &seed)) return 0;
    portable = conf;
    portable.scanner = sl_csv_scanner_portable();
    format_run whole = {.format = &sl_format_csv, .conf = &conf, .dialect = dialect};
    format_run pieces = {.format = &sl_format_csv, .conf = &conf, .dialect = dialect, .seed = seed};
    format_run slow = {.format = &sl_format_csv, .conf = &portable, .dialect = dialect, .seed = seed + 1};
    format_over(&whole, fuzz_rest(&in));
    format_over(&pieces, fuzz_rest(&in));
    format_over(&slow, fuzz_rest(&in));
    format_same(&whole, &pieces);
    format_same(&whole, &slow);
    format_free(&whole);
    format_free(&pieces);
    format_free(&slow);
    return 0;
}
