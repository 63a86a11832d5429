/* foreign.c: recognises what is no data of the kind asked for: archives, office documents, web pages, JSON where CSV should be.
 * Newcomers meet these, and without it the message would be about a quote in line 3 of a zip file. */
#include "sources/stream/foreign.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

enum { ZIP_BYTES = 65536, PAGE_BYTES = 4096 }; /* in which an archive, a page is seen to be one */

/* What begins with MARK (at AT), what that is, and what to do with it. */
typedef struct kind {
    size_t at, length;
    const char *mark, *name, *advice;
} kind;

#define SHEET "save the sheet you want as CSV: libreoffice --headless --convert-to csv FILE"

static const kind zip = {0, 4, "PK\3\4", "a zip archive",
                         "unpack it first: unzip -p FILE | sluice load - --from csv"};
static const kind workbook = {0, 4, "PK\3\4", "an Excel workbook", SHEET};
static const kind document = {0, 4, "PK\3\4", "an OpenDocument file", SHEET};

static const kind kinds[] = {
    {0, 6,
     "\xfd"
     "7zXZ\0",
     "a file packed by xz", "unpack it first: xz -dc FILE | sluice load - --from csv"},
    {0, 3, "BZh", "a file packed by bzip2", "unpack it first: bzip2 -dc FILE | sluice load - --from csv"},
    {0, 4, "\x04\x22\x4d\x18", "a file packed by lz4",
     "unpack it first: lz4 -dc FILE | sluice load - --from csv"},
    {0, 2, "\x1f\x9d", "a file packed by compress", "unpack it first: zcat FILE | sluice load - --from csv"},
    {0, 6, "7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first: 7z x -so FILE | sluice load - --from csv"},
    {0, 6, "Rar!\x1a\x07", "a rar archive", "unpack it first: unrar p -inul FILE | sluice load - --from csv"},
    {257, 5, "ustar", "a tar archive", "unpack it first: tar -xOf FILE NAME | sluice load - --from csv"},
    {0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office file (.xls, .doc)", SHEET},
    {0, 4, "PAR1", "a Parquet file", "turn it into CSV or JSON Lines first"},
    {0, 6, "ARROW1", "an Arrow (Feather) file", "turn it into CSV or JSON Lines first"},
    {0, 4, "Obj\1", "an Avro file", "turn it into CSV or JSON Lines first"},
    {0, 5, "%PDF-", "a PDF document", "its text can be had by pdftotext -layout FILE -"},
    {0, 16, "SQLite format 3", "a SQLite database",
     "fetchtable reads it: sluice pipe 'fetchtable url=FILE table=NAME'"},
};

static bool has_mark(const kind *k, const char *data, size_t n) {
    return n >= k->at + k->length && memcmp(data + k->at, k->mark, k->length) == 0;
}

static bool contains(const char *data, size_t n, const char *word) {
    return sl_text_find(sl_text_n(data, n < ZIP_BYTES ? n : ZIP_BYTES), sl_text_of(word), 0) >= 0;
}

/* The names of a zip's files stand in front of each. */
static const kind *kind_of_zip(const char *data, size_t n) {
    if (contains(data, n, "mimetypeapplication/vnd.oasis.opendocument")) return &document;
    return contains(data, n, "xl/") || contains(data, n, "[Content_Types].xml") ? &workbook : &zip;
}

static const kind *kind_of(const char *data, size_t n) {
    if (has_mark(&zip, data, n)) return kind_of_zip(data, n);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (has_mark(&kinds[i], data, n)) return &kinds[i];
    return NULL;
}

sl_status sl_foreign_file(const char *data, size_t n, sl_error *err) {
    const kind *k = kind_of(data, n);
    return k ? sl_fail(err, SL_E_DATA, "this is %s; %s", k->name, k->advice) : SL_OK;
}

/* ---- what is not delimited text ------------------------------------------------------------------------------------------- */

/* What follows white space; at its end a 0. */
static char next_of(const char *data, size_t n, size_t *at) {
    while (*at < n && sl_ascii_space(data[*at])) ++*at;
    return *at < n ? data[(*at)++] : 0;
}

/* A brace with a quoted name behind it, or a bracket with what an array of items has: no header of a table begins so. */
static const char *markup_of(const char *data, size_t n) {
    size_t at = n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    char first = next_of(data, n, &at), second = next_of(data, n, &at);
    if (first == '{' && second == '"') {
        const char *end = memchr(data, '\n', n);
        size_t next = end ? (size_t)(end - data) : n;
        return end && end > data && end[-1] != '{' && next_of(data, n, &next) == '{' ? "jsonl" : "json";
    }
    if (first == '[' && (second == '{' || second == '[')) return "json";
    return first == '<' && second == '?' ? "xml" : NULL;
}

sl_status sl_foreign_text(const sl_format *format, const char *data, size_t n, sl_error *err) {
    const char *markup = format->refuses == SL_REFUSES_MARKUP ? markup_of(data, n) : NULL;
    if (!markup) return SL_OK;
    if (strcmp(markup, "xml") == 0)
        return sl_fail(err, SL_E_DATA, "this is XML, not %s: fetchdata with type=xml reads it", format->name);
    return sl_fail(err, SL_E_DATA,
                   "this is JSON, not %s: --from %s reads it (fetchdata with type=%s in steps)", format->name,
                   markup, markup);
}

/* ---- pages ----------------------------------------------------------------------------------------------------------------- */

/* T without blanks and comments before it, nor an XML declaration. */
static sl_text without_prolog(sl_text t) {
    for (;;) {
        t = sl_text_trim(t);
        const char *end = sl_text_begins_nocase(t, "<!--")    ? "-->"
                          : sl_text_begins_nocase(t, "<?xml") ? "?>"
                                                              : NULL;
        int64_t at = end ? sl_text_find(t, sl_text_of(end), 0) : -1;
        if (at < 0) return t;
        uint32_t skip = (uint32_t)at + (uint32_t)strlen(end);
        t = (sl_text){t.s + skip, t.n - skip};
    }
}

static bool looks_like_page(sl_text first) {
    sl_text t = without_prolog(first);
    if (sl_text_begins_nocase(t, "<!doctype html")) return true;
    return sl_text_begins_nocase(t, "<html") && t.n > 5 && (t.s[5] == '>' || sl_ascii_blank(t.s[5]));
}

static bool is_page(const char *media_type, const char *data, size_t n) {
    sl_text bare = sl_text_trim(sl_text_n(media_type, strcspn(media_type, ";")));
    size_t mark = n >= 3 && !memcmp(data, "\xef\xbb\xbf", 3) ? 3 : 0;
    sl_text first = sl_text_trim(sl_text_n(data + mark, n - mark < PAGE_BYTES ? n - mark : PAGE_BYTES));
    bool typed = sl_text_eq_nocase(bare, SL_TEXT("text/html")) ||
                 sl_text_eq_nocase(bare, SL_TEXT("application/xhtml+xml"));
    return (typed && first.n && first.s[0] == '<') || looks_like_page(first);
}

sl_status sl_foreign_page(const sl_format *format, const char *media_type, bool sent, const char *data,
                          size_t n, sl_error *err) {
    if (format->refuses == SL_REFUSES_NOTHING || !is_page(media_type, data, n)) return SL_OK;
    if (sent)
        return sl_fail(err, SL_E_IO, "the server sends a web page (%s) where %s was expected",
                       media_type[0] ? media_type : "it does not say so", format->name);
    return sl_fail(err, SL_E_DATA,
                   "this is a web page, where %s was expected; fetchdata and fetchtable with type html read "
                   "pages",
                   format->name);
}
