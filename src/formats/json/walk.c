/* walk.c: a validating automaton for JSON that takes one byte at a time and can stop anywhere. It is used where a document is
 * passed over and not read, which is rarely most of it, so it is plain rather than fast. */
#include "formats/json/json.h"

#include <stdlib.h>

#include "base/error.h"

/* What the next byte may be. */
enum {
    VALUE,         /* white space, a value */
    FIRST_ELEMENT, /* the same or ] */
    FIRST_KEY,     /* white space, a quote or } */
    KEY,           /* white space, a quote */
    COLON,
    AFTER,  /* white space, a comma or the end of the container */
    STRING, /* anything up to the quote */
    ESCAPE, /* what stands behind a backslash */
    HEX,
    WORD,  /* the rest of true, false, null */
    MINUS, /* numbers: what stands before the byte */
    ZERO,
    WHOLE,
    POINT,
    FRACTION,
    EXPONENT,
    SIGN,
    POWER,
    COMPLETE, /* white space only */
    BROKEN
};

#define KEY_LIMIT ((size_t)1 << 20) /* of a key kept for comparison; no longer one is looked for */

void sl_json_walk_begin(sl_json_walk *w) {
    w->state = VALUE;
    w->line = w->column = 1;
    w->key.limit = KEY_LIMIT;
}

static bool is_hex(char c) {
    return sl_ascii_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static sl_json_event bad(sl_json_walk *w, const char *why) {
    w->state = BROKEN;
    w->why = why;
    return SL_JSON_BAD;
}

void sl_json_walk_skip_value(sl_json_walk *w) {
    w->state = w->depth ? AFTER : COMPLETE;
}

static sl_json_event end_value(sl_json_walk *w, sl_json_event event) {
    sl_json_walk_skip_value(w);
    return event;
}

static sl_json_event open_container(sl_json_walk *w, char c) {
    if (w->depth == SL_JSON_DEPTH) return bad(w, "at most 1000 levels of nesting");
    w->begun[w->depth] = w->line;
    w->open[w->depth++] = c;
    w->state = c == '[' ? FIRST_ELEMENT : FIRST_KEY;
    return SL_JSON_BEGIN;
}

static sl_json_event close_container(sl_json_walk *w, char c) {
    bool array = w->open[w->depth - 1] == '[';
    if (array != (c == ']')) return bad(w, array ? "',' or ']'" : "',' or '}'");
    w->depth--;
    return end_value(w, SL_JSON_END);
}

static sl_json_event begin_value(sl_json_walk *w, char c) {
    switch (c) {
    case '{':
    case '[': return open_container(w, c);
    case '"':
        w->state = STRING;
        w->in_key = false;
        return SL_JSON_BEGIN;
    case 't': w->word = "rue"; break;
    case 'f': w->word = "alse"; break;
    case 'n': w->word = "ull"; break;
    default:
        if (c != '-' && !sl_ascii_digit(c)) return bad(w, "a value");
        w->state = c == '-' ? MINUS : c == '0' ? ZERO : WHOLE;
        return SL_JSON_BEGIN;
    }
    w->state = WORD;
    return SL_JSON_BEGIN;
}

static sl_json_event begin_key(sl_json_walk *w, char c) {
    if (c == '}' && w->state == FIRST_KEY) return close_container(w, c);
    if (c != '"') return bad(w, "a key in quotes");
    sl_buf_clear(&w->key);
    w->key.failed = false;
    w->in_key = true;
    w->state = STRING;
    return SL_JSON_NONE;
}

static sl_json_event after_value(sl_json_walk *w, char c) {
    bool array = w->open[w->depth - 1] == '[';
    if (c == ']' || c == '}') return close_container(w, c);
    if (c != ',') return bad(w, array ? "',' or ']'" : "',' or '}'");
    w->state = array ? VALUE : KEY;
    return SL_JSON_NONE;
}

static sl_json_event in_string(sl_json_walk *w, char c) {
    if (c == '"') {
        if (!w->in_key) return end_value(w, SL_JSON_END);
        w->state = COLON;
        return SL_JSON_KEY;
    }
    if ((unsigned char)c < 0x20) return bad(w, "no control character in a string");
    if (c == '\\') w->state = ESCAPE;
    if (w->in_key) sl_buf_byte(&w->key, c);
    return SL_JSON_NONE;
}

static sl_json_event in_escape(sl_json_walk *w, char c) {
    if (w->in_key) sl_buf_byte(&w->key, c);
    if (w->state == HEX) {
        if (!is_hex(c)) return bad(w, "four hexadecimal digits behind \\u");
        if (!--w->hex) w->state = STRING;
        return SL_JSON_NONE;
    }
    if (!c || !strchr("\"\\/bfnrtu", c)) return bad(w, "one of \"\\/bfnrtu behind a backslash");
    w->hex = 4;
    w->state = c == 'u' ? HEX : STRING;
    return SL_JSON_NONE;
}

static sl_json_event in_word(sl_json_walk *w, char c) {
    if (c != *w->word) return bad(w, "a value");
    return *++w->word ? SL_JSON_NONE : end_value(w, SL_JSON_END);
}

/* The state a number is in after C, BROKEN when C does not belong to it. */
static uint8_t number_state(uint8_t state, char c) {
    bool digit = sl_ascii_digit(c), e = (c | 0x20) == 'e';
    switch (state) {
    case MINUS: return c == '0' ? ZERO : digit ? WHOLE : BROKEN;
    case ZERO: return c == '.' ? POINT : e ? EXPONENT : BROKEN;
    case WHOLE: return digit ? WHOLE : c == '.' ? POINT : e ? EXPONENT : BROKEN;
    case POINT: return digit ? FRACTION : BROKEN;
    case FRACTION: return digit ? FRACTION : e ? EXPONENT : BROKEN;
    case EXPONENT: return digit ? POWER : c == '+' || c == '-' ? SIGN : BROKEN;
    default: return digit ? POWER : BROKEN;
    }
}

static bool is_whole_number(uint8_t state) {
    return state == ZERO || state == WHOLE || state == FRACTION || state == POWER;
}

static sl_json_event in_number(sl_json_walk *w, char c) {
    uint8_t next = number_state(w->state, c);
    if (next != BROKEN) {
        w->state = next;
        return SL_JSON_NONE;
    }
    if (!is_whole_number(w->state)) return bad(w, "a digit");
    return end_value(w, SL_JSON_AFTER);
}

static sl_json_event between(sl_json_walk *w, char c) {
    if (sl_ascii_blank(c)) return SL_JSON_NONE;
    switch (w->state) {
    case FIRST_ELEMENT:
        if (c == ']') return close_container(w, c);
        return begin_value(w, c);
    case VALUE: return begin_value(w, c);
    case FIRST_KEY:
    case KEY: return begin_key(w, c);
    case COLON:
        if (c != ':') return bad(w, "':'");
        w->state = VALUE;
        return SL_JSON_NONE;
    case AFTER: return after_value(w, c);
    case COMPLETE: return bad(w, "nothing more: the document has ended");
    default: return bad(w, "another document");
    }
}

static void move(sl_json_walk *w, char c) {
    w->column++;
    if (c != '\n') return;
    w->line++;
    w->column = 1;
}

sl_json_event sl_json_walk_byte(sl_json_walk *w, char c) {
    sl_json_event event;
    switch (w->state) {
    case STRING: event = in_string(w, c); break;
    case ESCAPE:
    case HEX: event = in_escape(w, c); break;
    case WORD: event = in_word(w, c); break;
    case MINUS:
    case ZERO:
    case WHOLE:
    case POINT:
    case FRACTION:
    case EXPONENT:
    case SIGN:
    case POWER: event = in_number(w, c); break;
    default: event = between(w, c); break;
    }
    if (event != SL_JSON_BAD && event != SL_JSON_AFTER) move(w, c);
    return event;
}

bool sl_json_walk_finish(sl_json_walk *w) {
    if (!is_whole_number(w->state)) return false;
    sl_json_walk_skip_value(w);
    return true;
}

bool sl_json_walk_complete(const sl_json_walk *w) {
    return w->state == COMPLETE;
}

void sl_json_walk_moved(sl_json_walk *w, const char *bytes, size_t n) {
    uint64_t lines = sl_json_count_lines(bytes, n);
    w->line += lines;
    if (!lines) {
        w->column += n;
        return;
    }
    size_t at = n;
    while (bytes[at - 1] != '\n') at--;
    w->column = n - at + 1;
}

void sl_json_walk_free(sl_json_walk *w) {
    sl_buf_free(&w->key);
}
