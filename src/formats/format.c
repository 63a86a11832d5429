/* format.c: the list of formats, and who is meant: by a name, by how a file is called, by a media type, by how a stream begins. It knows
 * no format by itself: all four are asked of the descriptors. */
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

/* ---- names and suffixes ---------------------------------------------------------------------------------- */

bool sl_format_is_called(const sl_format *f, sl_text name) {
    if (sl_text_begins(name, ".")) name = (sl_text){name.s + 1, name.n - 1};
    if (sl_text_eq_nocase(name, sl_text_of(f->name))) return true;
    for (const char *const *s = f->suffixes; s && *s; s++)
        if (sl_text_eq_nocase(name, sl_text_of(*s + 1))) return true;
    return false;
}

const sl_format *sl_format_named(sl_text name) {
    for (size_t i = 0; i < SL_COUNT(formats); i++)
        if (sl_format_is_called(formats[i], name)) return formats[i];
    return NULL;
}

sl_text sl_name_unpacked(sl_text name) {
    static const char *const packers[] = {".gz", ".gzip", ".zst", ".zstd", NULL};
    if (sl_text_find(name, SL_TEXT("://"), 0) >= 0)
        for (uint32_t i = 0; i < name.n; i++)
            if (name.s[i] == '?' || name.s[i] == '#') name.n = i;
    name.n -= sl_text_suffix(name, packers);
    return name;
}

const sl_format *sl_format_for(sl_text name) {
    sl_text path = sl_name_unpacked(name);
    for (size_t i = 0; i < SL_COUNT(formats); i++)
        if (sl_text_suffix(path, formats[i]->suffixes)) return formats[i];
    return NULL;
}

/* ---- what comes ------------------------------------------------------------------------------------------ */

static bool has_type(const sl_format *f, sl_text type, bool ending) {
    for (const char *const *t = f->media_types; t && *t; t++) {
        if (**t == '+' ? ending && sl_text_ends_nocase(type, *t)
                       : !ending && sl_text_eq_nocase(type, sl_text_of(*t)))
            return true;
    }
    return false;
}

const sl_format *sl_format_of_type(sl_text type) {
    for (int ending = 0; ending < 2; ending++)
        for (size_t i = 0; i < SL_COUNT(formats); i++)
            if (has_type(formats[i], type, ending)) return formats[i];
    return NULL;
}

/* What follows white space and a byte-order mark. */
static sl_text beginning(const char *data, size_t n) {
    size_t i = n >= 3 && !memcmp(data, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (i < n && sl_ascii_blank(data[i])) i++;
    return sl_text_n(data + i, n - i < 32 ? n - i : 32);
}

const sl_format *sl_format_of_bytes(const char *data, size_t n) {
    sl_text first = beginning(data, n);
    const sl_format *found = NULL;
    size_t most = 0;
    for (size_t i = 0; i < SL_COUNT(formats); i++)
        for (const char *const *b = formats[i]->begins; b && *b; b++) {
            size_t length = strlen(*b);
            bool fits = length ? length > most && sl_text_begins_nocase(first, *b) : !first.n;
            if (!fits) continue;
            found = formats[i];
            most = length;
        }
    return found;
}
