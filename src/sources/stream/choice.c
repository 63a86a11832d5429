/* choice.c: which format a source is read in. What is asked for goes before what the name or the server says, and that before
 * the first bytes: what somebody has written down is never overruled by a guess. */
#include "sources/stream/choice.h"

#include <string.h>

#include "base/error.h"
#include "formats/encoding.h"
#include "net/url.h"
#include "sources/stream/transcode.h"

#define ACCEPTED "csv, tsv, json, jsonl, xml, html, text"

/* Candidates where nothing but the bytes can tell, in the order of sl_source_conf.choices. */
static const char *const candidates[] = {"json", "jsonl", "xml", "html", "csv", "tsv", "text"};

#define PAGE_MOST ((size_t)4096) /* bytes in which a page is seen to be one */

/* ---- names --------------------------------------------------------------------------------------------- */

static sl_text without_dot(sl_text type) {
    return type.n && type.s[0] == '.' ? (sl_text){type.s + 1, type.n - 1} : type;
}

sl_status sl_choice_named(sl_text type, const sl_format **out, sl_error *err) {
    type = without_dot(type);
    if (sl_text_eq_nocase(type, SL_TEXT("txt"))) type = SL_TEXT("text");
    if (sl_text_eq_nocase(type, SL_TEXT("ndjson"))) type = SL_TEXT("jsonl");
    if (sl_text_eq_nocase(type, SL_TEXT("htm"))) type = SL_TEXT("html");
    *out = sl_format_named(type);
    if (*out) return SL_OK;
    return sl_fail(err, SL_E_PLAN, "unknown type '%.*s'; accepted: " ACCEPTED, (int)type.n, type.s);
}

const sl_format *sl_choice_by_suffix(sl_text url) {
    return sl_format_for(sl_url_name(url));
}

/* ---- by what comes ------------------------------------------------------------------------------------- */

static int index_of(const sl_source_conf *c, const char *format) {
    for (uint32_t i = 0; i < c->nchoices; i++) {
        if (!strcmp(c->choices[i].format->name, format)) return (int)i;
    }
    return -1;
}

/* application/rss+xml, image/svg+xml ... */
static bool has_ending(sl_text t, sl_text ending) {
    return t.n > ending.n && sl_text_eq_nocase((sl_text){t.s + t.n - ending.n, ending.n}, ending);
}

int sl_choice_by_type(const sl_source_conf *c, const char *media_type) {
    static const struct {
        const char *type, *format;
    } known[] = {
        {"application/json", "json"},
        {"text/json", "json"},
        {"application/geo+json", "json"},
        {"application/ld+json", "json"},
        {"application/jsonl", "jsonl"},
        {"application/x-jsonl", "jsonl"},
        {"application/x-ndjson", "jsonl"},
        {"application/ndjson", "jsonl"},
        {"text/csv", "csv"},
        {"application/csv", "csv"},
        {"text/tab-separated-values", "tsv"},
        {"application/xml", "xml"},
        {"text/xml", "xml"},
        {"text/html", "html"},
    };
    sl_text bare = sl_text_trim(sl_text_n(media_type, strcspn(media_type, ";")));
    for (size_t i = 0; i < SL_COUNT(known); i++) {
        if (sl_text_eq_nocase(bare, sl_text_of(known[i].type))) return index_of(c, known[i].format);
    }
    return has_ending(bare, SL_TEXT("+xml")) ? index_of(c, "xml") : -1;
}

/* What follows white space and a byte-order mark. */
static sl_text beginning(const char *data, size_t n) {
    size_t i = n >= 3 && !memcmp(data, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (i < n && data[i] && strchr(" \t\r\n", data[i])) i++;
    return sl_text_n(data + i, n - i < 32 ? n - i : 32);
}

static bool begins(sl_text t, const char *word) {
    sl_text w = sl_text_of(word);
    return t.n >= w.n && sl_text_eq_nocase((sl_text){t.s, w.n}, w);
}

int sl_choice_by_bytes(const sl_source_conf *c, const char *data, size_t n) {
    sl_text first = beginning(data, n);
    if (!first.n || first.s[0] == '{' || first.s[0] == '[') return index_of(c, "json");
    if (begins(first, "<!doctype html") || begins(first, "<html")) return index_of(c, "html");
    return first.s[0] == '<' ? index_of(c, "xml") : -1;
}

sl_status sl_choice_unknown(const char *media_type, sl_error *err) {
    return sl_fail(err, SL_E_DATA, "cannot tell the format%s%s%s; give type: " ACCEPTED,
                   media_type[0] ? " from the media type '" : "", media_type, media_type[0] ? "'" : "");
}

/* ---- confs --------------------------------------------------------------------------------------------- */

static const sl_option *find_row(const sl_option *table, sl_text key) {
    for (const sl_option *o = table; o && o->name; o++) {
        if (sl_text_is(key, o->name) || (o->alias && sl_text_is(key, o->alias))) return o;
    }
    return NULL;
}

/* The dialect keys that were given, and the encoding where the format decodes it itself. PICKY: without those FORMAT
 * does not know. */
static sl_status collect(const sl_source_conf *c, const sl_format *format, bool picky,
                         const sl_option *options, const void *conf, sl_arena *arena, sl_value *map,
                         sl_error *err) {
    uint32_t n = 0, rows = 2;
    for (const sl_option *o = options; o->name; o++) rows++;
    sl_pair *pairs = sl_arena_calloc(arena, rows, sizeof *pairs);
    if (!pairs) return sl_oom(err);
    for (const sl_option *o = options; o->name; o++) {
        if (o->type != SL_OPT_VALUE) continue;
        sl_value v = *(const sl_value *)((const char *)conf + o->offset);
        sl_text key = sl_text_of(o->name);
        if (sl_is_absent(v) || (picky && !find_row(format->options, key))) continue;
        pairs[n++] = (sl_pair){key, v};
    }
    if (c->decoded) {
        pairs[n++] = (sl_pair){SL_TEXT("encoding"), sl_text_value(c->encoding)};
    }
    *map = sl_map(pairs, n);
    return SL_OK;
}

static sl_status add_choice(sl_source_conf *c, const sl_format *format, bool picky, const sl_option *options,
                            const void *conf, sl_arena *arena, sl_error *err) {
    sl_value map;
    TRY(collect(c, format, picky, options, conf, arena, &map, err));
    sl_choice *choice = &c->choices[c->nchoices++];
    choice->format = format;
    choice->conf = sl_arena_calloc(arena, 1, format->conf_size ? format->conf_size : 1);
    if (!choice->conf) return sl_oom(err);
    static const sl_option none[] = {{0}};
    const sl_option *table = format->options ? format->options : none;
    TRY(sl_options_parse(table, map, false, choice->conf, arena, NULL, err));
    if (format->set_dialect) format->set_dialect(choice->conf, c->dialect);
    return format->prepare ? format->prepare(choice->conf, arena, err) : SL_OK;
}

/* Formats decode the usual encodings themselves, in parallel; what they do not know is converted as it is read. FORMAT NULL:
 * not known yet, so what it will know is not either. */
static sl_status choose_conversion(sl_source_conf *c, const sl_format *format, sl_error *err) {
    sl_encoding known;
    if (!c->encoding.n) return SL_OK;
    c->decoded = format && find_row(format->options, SL_TEXT("encoding")) &&
                 sl_encoding_named(c->encoding, &known, NULL) == SL_OK;
    if (c->decoded || sl_encoding_is_utf8(c->encoding)) return SL_OK;
    c->convert = c->encoding;
    if (sl_text_eq_nocase(c->encoding, SL_TEXT("auto"))) return SL_OK;
    sl_transcode *probe;
    TRY(sl_transcode_new(c->encoding, &probe, err));
    sl_transcode_free(&probe);
    return SL_OK;
}

static sl_status set_access(sl_source_conf *c, const sl_step_info *info, sl_error *err) {
    const sl_env *env = info->env;
    sl_access *a = &c->access;
    a->from_data = info->url_from_data;
    a->no_files = info->url_from_data && info->networked && !env->allow_files;
    return sl_web_manners(env->web, c->http, a->from_data, env->base_dir, info->arena, &a->manners, err);
}

bool sl_choice_is_data(const sl_format *format) {
    static const char *const data[] = {"csv", "tsv", "json", "geojson", "jsonl", "fixed"};
    for (size_t i = 0; i < SL_COUNT(data); i++)
        if (!strcmp(format->name, data[i])) return true;
    return false;
}

/* T without blanks and comments before it, nor an XML declaration. */
static sl_text without_prolog(sl_text t) {
    for (;;) {
        t = sl_text_trim(t);
        const char *end = begins(t, "<!--") ? "-->" : begins(t, "<?xml") ? "?>" : NULL;
        int64_t at = end ? sl_text_find(t, sl_text_of(end), 0) : -1;
        if (at < 0) return t;
        uint32_t skip = (uint32_t)at + (uint32_t)strlen(end);
        t = (sl_text){t.s + skip, t.n - skip};
    }
}

static bool looks_like_page(sl_text first) {
    sl_text t = without_prolog(first);
    if (begins(t, "<!doctype html")) return true;
    return begins(t, "<html") && t.n > 5 && (t.s[5] == '>' || strchr(" \t\r\n", t.s[5]));
}

bool sl_choice_is_page(const char *media_type, const char *data, size_t n) {
    sl_text bare = sl_text_trim(sl_text_n(media_type, strcspn(media_type, ";")));
    size_t mark = n >= 3 && !memcmp(data, "\xef\xbb\xbf", 3) ? 3 : 0;
    sl_text first = sl_text_trim(sl_text_n(data + mark, n - mark < PAGE_MOST ? n - mark : PAGE_MOST));
    bool typed = sl_text_eq_nocase(bare, SL_TEXT("text/html")) ||
                 sl_text_eq_nocase(bare, SL_TEXT("application/xhtml+xml"));
    return (typed && first.n && first.s[0] == '<') || looks_like_page(first);
}

static bool is_document(const sl_format *f) {
    return !strcmp(f->name, "json") || !strcmp(f->name, "geojson");
}

static sl_status set_pages(sl_source_conf *c, const sl_format *format, sl_arena *arena, sl_error *err) {
    if (!c->paginate.n) return SL_OK;
    if (c->paginate.n > 1)
        return sl_fail(err, SL_E_PLAN, "paginate: one way to the next page, not a list of them");
    sl_paginate *p = c->paginate.v;
    TRY(sl_paginate_prepare(p, arena, err));
    if (sl_paginate_reads_body(p) && format && !is_document(format)) {
        return sl_fail(err, SL_E_PLAN, "paginate: a path leads through JSON, and the pages are %s",
                       format->name);
    }
    c->pages = p;
    return SL_OK;
}

sl_status sl_source_prepare(sl_source_conf *c, const sl_format *format, const sl_option *options,
                            const void *conf, const sl_step_info *info, sl_error *err) {
    c->env = info->env;
    c->dialect = info->env->dialect;
    c->keep = info->arena;
    TRY(set_access(c, info, err));
    TRY(choose_conversion(c, format, err));
    TRY(set_pages(c, format, info->arena, err));
    if (format) return add_choice(c, format, false, options, conf, info->arena, err);
    for (size_t i = 0; i < SL_COUNT(candidates); i++) {
        const sl_format *f = sl_format_named(sl_text_of(candidates[i]));
        if (f) TRY(add_choice(c, f, true, options, conf, info->arena, err));
    }
    return SL_OK;
}
