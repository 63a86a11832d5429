#include "formats/format.h"

#define X(name) extern const sl_format sl_format_##name;
#include "formats/formats.def"
#undef X

static const sl_format *const formats[] = {
#define X(name) &sl_format_##name,
#include "formats/formats.def"
#undef X
};

const sl_format *sl_format_at(unsigned i) {
    return i < SL_COUNT(formats) ? formats[i] : NULL;
}

const sl_format *sl_format_named(sl_text name) {
    for (size_t i = 0; i < SL_COUNT(formats); i++)
        if (sl_text_eq_nocase(name, sl_text_of(formats[i]->name))) return formats[i];
    return NULL;
}

static bool ends_with(sl_text name, const char *suffix) {
    sl_text s = sl_text_of(suffix);
    return name.n > s.n && sl_text_eq_nocase((sl_text){name.s + name.n - s.n, s.n}, s);
}

static sl_text without_compression(sl_text name) {
    static const char *const suffixes[] = {".gz", ".gzip", ".zst", ".zstd"};
    for (size_t i = 0; i < SL_COUNT(suffixes); i++)
        if (ends_with(name, suffixes[i])) return (sl_text){name.s, name.n - (uint32_t)strlen(suffixes[i])};
    return name;
}

/* The path of a URL: what follows ? or # says nothing about the format. */
static sl_text without_query(sl_text name) {
    if (sl_text_find(name, SL_TEXT("://"), 0) < 0) return name;
    for (uint32_t i = 0; i < name.n; i++)
        if (name.s[i] == '?' || name.s[i] == '#') return (sl_text){name.s, i};
    return name;
}

const sl_format *sl_format_for(sl_text name) {
    sl_text path = without_compression(without_query(name));
    for (size_t i = 0; i < SL_COUNT(formats); i++)
        for (const char *const *s = formats[i]->suffixes; s && *s; s++)
            if (ends_with(path, *s)) return formats[i];
    return NULL;
}
