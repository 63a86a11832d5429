/* split.c: cuts a JSON document into units. On the way to the path every byte is validated (walk.c), as no worker looks at
 * it; inside the array that the path leads to the scanner only looks for ends of elements. The splitter may be stopped between
 * any two bytes, so all it knows is in its struct. */
#include "formats/json/json.h"

#include <stdlib.h>

#include "base/error.h"
#include "record/raw.h"

#define SEEN_LIMIT ((size_t)200) /* bytes of key names told when a path leads nowhere */

typedef enum phase {
    HEAD,     /* nothing seen yet */
    SEEK,     /* on the way to the path */
    CAPTURE,  /* in the one value that the path leads to */
    ELEMENTS, /* in the array that the path leads to */
    SEQUENCE, /* values one after another, no array around them */
    REST      /* behind what was wanted */
} phase;

typedef struct splitter {
    const sl_json_conf *conf;
    sl_arena arena;
    sl_path path;
    phase phase;
    sl_json_walk
        walk; /* stands at the first byte not consumed; while seeking and capturing, at the first not walked */
    sl_json_scan scan;
    size_t looked; /* bytes of what is shown next that were looked at before */
    sl_text note;
    /* Seeking: the names or indexes matched, whether the next value is the one at the last of them, and what the container is
     * that is searched for the next. */
    uint32_t matched;
    bool hit, searching, counting;
    int64_t index;
    sl_buf seen;
    /* Capturing: depth and line of the value. */
    uint32_t depth;
    uint64_t line;
    /* Elements */
    bool any, comma; /* there were elements; the last thing consumed was a comma */
} splitter;

/* ---- failures ------------------------------------------------------------------------------------------------ */

static sl_status fail_at(const splitter *s, sl_error *err) {
    sl_error_at(err, NULL, s->walk.line, s->walk.column);
    return SL_E_DATA;
}

static sl_status unexpected(const splitter *s, char c, const char *expected, sl_error *err) {
    if ((unsigned char)c > ' ' && (unsigned char)c < 0x7f)
        sl_fail(err, SL_E_DATA, "expected %s, not '%c'", expected, c);
    else
        sl_fail(err, SL_E_DATA, "expected %s, not byte 0x%02x", expected, (unsigned char)c);
    return fail_at(s, err);
}

static sl_status ends_inside(const splitter *s, const char *what, uint64_t line, sl_error *err) {
    sl_fail(err, SL_E_DATA, "the document ends inside %s that began at line %llu: is it truncated?", what,
            (unsigned long long)line);
    return fail_at(s, err);
}

static sl_status truncated(const splitter *s, sl_error *err) {
    const sl_json_walk *w = &s->walk;
    if (w->depth) {
        return ends_inside(s, w->open[w->depth - 1] == '[' ? "an array" : "an object", w->begun[w->depth - 1],
                           err);
    }
    sl_fail(err, SL_E_DATA, "the document ends before its first value does");
    return fail_at(s, err);
}

static sl_status too_long(const splitter *s, sl_error *err) {
    sl_fail(err, SL_E_DATA, "a record is longer than 64 MiB");
    return fail_at(s, err);
}

static sl_status nowhere(const splitter *s, const char *at, sl_error *err) {
    sl_text name = s->path.segments[s->matched].name;
    sl_fail(err, SL_E_DATA, "path '%.*s' leads nowhere: no '%.*s' in %s%.*s", (int)s->conf->joined.n,
            s->conf->joined.s, (int)name.n, name.s, at, (int)s->seen.len, s->seen.data ? s->seen.data : "");
    return fail_at(s, err);
}

/* ---- seeking the path ---------------------------------------------------------------------------------------- */

static bool riko(const splitter *s) {
    return s->conf->dialect == SL_RIKO;
}

/* The value that begins is the only unit of the stream. */
static void capture(splitter *s, char c) {
    s->phase = CAPTURE;
    s->depth = s->walk.depth - (c == '{' || c == '[');
    s->line = s->walk.line;
}

/* What is left of the path is followed in the value itself; from the name it was found under, if there is one. */
static sl_status evaluate(splitter *s, char c, sl_error *err) {
    const char *from = s->matched ? s->path.segments[s->matched - 1].name.s : s->path.text.s;
    const char *end = s->path.text.s + s->path.text.n;
    s->note = sl_arena_printf(&s->arena, "%c%.*s", s->matched ? SL_JSON_WRAPPED : SL_JSON_EVALUATE,
                              (int)(end - from), from);
    capture(s, c);
    return s->note.s ? SL_OK : sl_oom(err);
}

static sl_status found(splitter *s, char c, sl_error *err) {
    if (c == '[') {
        s->note = SL_TEXT("a");
        s->phase = ELEMENTS;
        s->scan = (sl_json_scan){.separator = ','};
        return SL_OK;
    }
    if (riko(s)) return evaluate(s, c, err);
    s->note = SL_TEXT("v");
    capture(s, c);
    return SL_OK;
}

/* A value begins that all names so far lead to. */
static sl_status arrive(splitter *s, char c, sl_error *err) {
    s->hit = false;
    if (s->matched == s->path.n) return found(s, c, err);
    const sl_segment *next = &s->path.segments[s->matched];
    s->searching = true;
    s->index = 0;
    sl_buf_clear(&s->seen);
    s->counting = c == '[' && next->is_index && next->index >= 0;
    if (c == '{' || (s->counting && !riko(s))) return SL_OK;
    if (riko(s)) return evaluate(s, c, err);
    return nowhere(s, c == '[' ? "an array; its elements have numbers, from 0" : "a single value", err);
}

static sl_status on_begin(splitter *s, char c, sl_error *err) {
    uint32_t depth = s->walk.depth - (c == '{' || c == '[');
    if (s->counting && depth == s->matched + 1) {
        s->hit = s->index++ == s->path.segments[s->matched].index;
        s->matched += s->hit;
        s->counting = !s->hit;
    }
    return !depth || s->hit ? arrive(s, c, err) : SL_OK;
}

static void note_seen(splitter *s, sl_text key) {
    if (s->seen.len + key.n > SEEN_LIMIT) return;
    if (s->seen.len) sl_buf_str(&s->seen, ", ");
    sl_buf_text(&s->seen, key);
}

static bool is_next(const splitter *s, sl_text key) {
    const sl_segment *next = &s->path.segments[s->matched];
    if (riko(s)) return !next->is_index && sl_text_eq_nocase(key, next->name);
    return sl_text_eq(key, next->name);
}

static sl_status on_key(splitter *s, sl_error *err) {
    if (!s->searching || s->counting || s->walk.depth != s->matched + 1) return SL_OK;
    sl_value v = sl_text_value(sl_text_n(s->walk.key.data, s->walk.key.len));
    v.flags = v.n && memchr(v.as.s, '\\', v.n) ? SL_RAW_JSON : 0;
    TRY(sl_value_decode(&v, &s->arena, err));
    bool literal = !s->matched && !riko(s) && sl_text_eq(sl_bytes(v), s->path.text);
    if (literal) s->path.n = 1;
    s->hit = literal || is_next(s, sl_bytes(v));
    s->matched += s->hit;
    if (!s->hit) note_seen(s, sl_bytes(v));
    return SL_OK;
}

/* The container in which the next name was searched has ended. */
static sl_status missed(splitter *s, size_t at, sl_cut *cut, sl_error *err) {
    if (!riko(s)) return nowhere(s, s->counting ? "an array that is shorter" : "keys: ", err);
    s->phase = REST;
    s->note = SL_TEXT("m");
    *cut = (sl_cut){.from = at, .to = at + 1, .end = at + 1, .line = s->walk.line};
    return SL_OK;
}

static sl_status on_event(splitter *s, sl_json_event event, char c, size_t at, sl_cut *cut, sl_error *err) {
    switch (event) {
    case SL_JSON_BAD: return unexpected(s, c, s->walk.why, err);
    case SL_JSON_BEGIN: return on_begin(s, c, err);
    case SL_JSON_KEY: return on_key(s, err);
    case SL_JSON_END:
        if ((c == '}' || c == ']') && s->searching && s->walk.depth == s->matched)
            return missed(s, at, cut, err);
        return SL_OK;
    default: return SL_OK;
    }
}

static sl_status seek(splitter *s, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    size_t i = 0;
    while (i < n && s->phase == SEEK) {
        if (!s->path.n && !sl_ascii_blank(data[i]) && data[i] != '[') {
            s->phase = SEQUENCE;
            s->scan = (sl_json_scan){.separator = '\n'};
            s->note = SL_TEXT("v");
            break;
        }
        sl_json_event event = sl_json_walk_byte(&s->walk, data[i]);
        TRY(on_event(s, event, data[i], i, cut, err));
        i += event != SL_JSON_AFTER;
    }
    if (s->phase == REST) return SL_OK; /* missed filled the cut */
    cut->end = s->phase == CAPTURE ? i - 1 : i;
    s->looked = s->phase == CAPTURE ? 1 : 0;
    return last && s->phase == SEEK ? truncated(s, err) : SL_OK;
}

/* ---- what the path leads to ---------------------------------------------------------------------------------- */

static sl_status captured(splitter *s, size_t to, sl_cut *cut) {
    *cut = (sl_cut){.to = to, .end = to, .line = s->line};
    s->phase = REST;
    return SL_OK;
}

static sl_status capture_value(splitter *s, const char *data, size_t n, bool last, sl_cut *cut,
                               sl_error *err) {
    while (s->looked < n) {
        sl_json_event event = sl_json_walk_byte(&s->walk, data[s->looked]);
        if (event == SL_JSON_BAD) return unexpected(s, data[s->looked], s->walk.why, err);
        s->looked += event != SL_JSON_AFTER;
        if ((event == SL_JSON_END || event == SL_JSON_AFTER) && s->walk.depth == s->depth)
            return captured(s, s->looked, cut);
    }
    if (n > SL_JSON_RECORD) return too_long(s, err);
    if (!last) return SL_OK;
    return sl_json_walk_finish(&s->walk) ? captured(s, n, cut) : truncated(s, err);
}

static size_t skip_space(const char *data, size_t from, size_t n) {
    while (from < n && sl_ascii_blank(data[from])) from++;
    return from;
}

/* Everything up to END has been handed out or is white space. */
static void consume(splitter *s, const char *data, size_t end, sl_cut *cut) {
    sl_json_walk_moved(&s->walk, data + cut->from, end - cut->from);
    s->looked = s->looked > end ? s->looked - end : 0;
    if (s->scan.ended) s->scan.at -= end;
    s->scan.cut = s->scan.shut = 0;
    cut->end = end;
}

static void look(splitter *s, const char *data, size_t from, size_t n, bool last) {
    if (s->looked < from) s->looked = from;
    if (!s->scan.ended) s->looked = sl_json_scan_bytes(&s->scan, data, s->looked, n, last, false);
}

/* The unit begins at FROM. */
static void begin_unit(splitter *s, const char *data, size_t from, sl_cut *cut) {
    sl_json_walk_moved(&s->walk, data, from);
    cut->from = cut->to = from;
    cut->line = s->walk.line;
}

static sl_status shut_array(splitter *s, sl_cut *cut, sl_error *err) {
    if (s->comma) return unexpected(s, ']', "a value", err);
    sl_json_walk_skip_value(&s->walk);
    (void)sl_json_walk_byte(&s->walk, ']');
    s->phase = REST;
    s->looked = 0;
    cut->end = cut->from + 1;
    return SL_OK;
}

static sl_status elements(splitter *s, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    size_t from = skip_space(data, 0, n);
    if (s->any && !s->comma && from < n && data[from] == ',') {
        s->comma = true;
        from = skip_space(data, from + 1, n);
    }
    begin_unit(s, data, from, cut);
    if (from < n && data[from] == ']') return shut_array(s, cut, err);
    look(s, data, from, n, last);
    size_t to = s->scan.ended ? s->scan.at : s->scan.cut ? s->scan.cut - 1 : 0;
    if (to > from) {
        cut->to = to;
        s->any = true;
        s->comma = false;
        consume(s, data, to, cut);
        return SL_OK;
    }
    if (s->scan.ended || (from < n && data[from] == ','))
        return unexpected(s, data[from], s->any ? "',' or ']'" : "a value or ']'", err);
    if (last) return truncated(s, err);
    if (n - from > SL_JSON_RECORD) return too_long(s, err);
    consume(s, data, from, cut);
    return SL_OK;
}

static const char *kind_of(char c) {
    return c == '{' ? "an object" : c == '[' ? "an array" : "a value";
}

static sl_status sequence(splitter *s, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    size_t from = skip_space(data, 0, n);
    begin_unit(s, data, from, cut);
    look(s, data, from, n, last);
    size_t to = s->scan.cut > s->scan.shut ? s->scan.cut : s->scan.shut;
    bool whole = !s->scan.inside && !s->scan.depth;
    if (last && whole && !s->scan.ended) to = n;
    if (to > from || from == n) {
        cut->to = to > from ? to : from;
        consume(s, data, cut->to, cut);
        return SL_OK;
    }
    if (s->scan.ended) {
        sl_json_walk_moved(&s->walk, data + from, s->scan.at - from);
        return unexpected(s, data[s->scan.at], "a value", err);
    }
    if (last) return ends_inside(s, kind_of(data[from]), s->walk.line, err);
    if (n - from > SL_JSON_RECORD) return too_long(s, err);
    consume(s, data, from, cut);
    return SL_OK;
}

static sl_status rest(splitter *s, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    for (size_t i = 0; i < n;) {
        sl_json_event event = sl_json_walk_byte(&s->walk, data[i]);
        if (event == SL_JSON_BAD) return unexpected(s, data[i], s->walk.why, err);
        i += event != SL_JSON_AFTER;
    }
    cut->end = n;
    cut->done = last;
    return last && !sl_json_walk_complete(&s->walk) ? truncated(s, err) : SL_OK;
}

/* ---- the splitter -------------------------------------------------------------------------------------------- */

sl_status sl_json_mark(const char *data, size_t n, size_t *skip, sl_error *err) {
    *skip = n >= 3 && !memcmp(data, "\xef\xbb\xbf", 3) ? 3 : 0;
    bool wide = n >= 2 && (!memcmp(data, "\xff\xfe", 2) || !memcmp(data, "\xfe\xff", 2));
    bool zeros = n >= 4 && (!memcmp(data, "\0\0\xfe\xff", 4));
    if (!wide && !zeros) return SL_OK;
    sl_fail(err, SL_E_DATA, "the input is UTF-16 or UTF-32, not UTF-8: give its encoding");
    sl_error_at(err, NULL, 1, 1);
    return SL_E_DATA;
}

static sl_status head(splitter *s, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    if (n < 4 && !last) return SL_OK;
    TRY(sl_json_mark(data, n, &cut->end, err));
    s->phase = SEEK;
    if (last && skip_space(data, cut->end, n) == n) {
        sl_fail(err, SL_E_DATA, "the document is empty: expected a JSON value");
        sl_error_at(err, NULL, 1, 1);
        return SL_E_DATA;
    }
    return SL_OK;
}

static sl_status advance(splitter *s, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    switch (s->phase) {
    case HEAD: return head(s, data, n, last, cut, err);
    case SEEK: return seek(s, data, n, last, cut, err);
    case CAPTURE: return capture_value(s, data, n, last, cut, err);
    case ELEMENTS: return elements(s, data, n, last, cut, err);
    case SEQUENCE: return sequence(s, data, n, last, cut, err);
    default: return rest(s, data, n, last, cut, err);
    }
}

/* Goes on from phase to phase until there is a unit, or nothing more can be done with what is shown. */
sl_status sl_json_split(void *splitter_, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    splitter *s = splitter_;
    size_t at = 0;
    for (;;) {
        phase before = s->phase;
        sl_cut part = {.line = s->walk.line};
        TRY(advance(s, data + at, n - at, last, &part, err));
        bool got = part.to > part.from;
        *cut = (sl_cut){at + part.from, at + part.to, at + part.end, part.line, s->note, part.done, false};
        at = cut->end;
        if (got || s->phase == before) return SL_OK;
    }
}

sl_status sl_json_split_new(const void *conf, void **out, sl_error *err) {
    splitter *s = calloc(1, sizeof *s);
    if (!s) return sl_oom(err);
    *out = s;
    s->conf = conf;
    s->seen.limit = 2 * SEEN_LIMIT;
    sl_json_walk_begin(&s->walk);
    sl_status status = sl_path_compile(&s->path, s->conf->joined, s->conf->dialect, &s->arena, err);
    if (status) {
        sl_json_split_free(s);
        *out = NULL;
    }
    return status;
}

void sl_json_split_free(void *splitter_) {
    splitter *s = splitter_;
    if (!s) return;
    sl_json_walk_free(&s->walk);
    sl_buf_free(&s->seen);
    sl_arena_free(&s->arena);
    free(s);
}
