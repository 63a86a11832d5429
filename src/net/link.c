/* link.c: the Link header. It is parsed by its grammar rather than searched for `rel="next"`, because commas and semicolons may
 * stand within addresses and quotes. */
#include "net/link.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static void skip_blanks(sl_text *t) {
    while (t->n && is_blank(*t->s)) {
        t->s++;
        t->n--;
    }
}

static bool take(sl_text *t, char c) {
    skip_blanks(t);
    if (!t->n || *t->s != c) return false;
    t->s++;
    t->n--;
    return true;
}

/* Everything before the first byte of STOP, which stays. */
static sl_text until(sl_text *t, const char *stop) {
    sl_text part = {t->s, 0};
    while (part.n < t->n && (!t->s[part.n] || !strchr(stop, t->s[part.n]))) part.n++;
    t->s += part.n;
    t->n -= part.n;
    return part;
}

/* What stands between quotes, the first of which has been taken. A relation type has nothing to be escaped, so
 * backslashes are only stepped over. */
static bool quoted(sl_text *t, sl_text *value) {
    *value = (sl_text){t->s, 0};
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->s[i] == '\\') {
            i++;
        } else if (t->s[i] == '"') {
            value->n = i;
            t->s += i + 1;
            t->n -= i + 1;
            return true;
        }
    }
    return false;
}

/* One parameter, "name" or "name=value". */
static bool parameter(sl_text *t, sl_text *name, sl_text *value) {
    skip_blanks(t);
    *name = sl_text_trim(until(t, "=;,"));
    *value = (sl_text){0};
    if (!take(t, '=')) return true;
    if (take(t, '"')) return quoted(t, value);
    *value = sl_text_trim(until(t, ";,"));
    return true;
}

static bool has_word(sl_text words, sl_text word) {
    while (words.n) {
        skip_blanks(&words);
        if (sl_text_eq_nocase(until(&words, " \t"), word)) return true;
    }
    return false;
}

/* One link. *MATCHES: it is of relation REL. Of several rel parameters the first counts, as the RFC says. */
static bool next_link(sl_text *t, sl_text rel, sl_text *target, bool *matches) {
    bool known = false, anchored = false;
    *matches = false;
    if (!take(t, '<')) return false;
    *target = until(t, ">");
    if (!take(t, '>')) return false;
    while (take(t, ';')) {
        sl_text name, value;
        if (!parameter(t, &name, &value)) return false;
        anchored = anchored || sl_text_eq_nocase(name, SL_TEXT("anchor"));
        if (known || !sl_text_eq_nocase(name, SL_TEXT("rel"))) continue;
        known = true;
        *matches = has_word(value, rel);
    }
    *matches = *matches && !anchored;
    return true;
}

bool sl_link_find(sl_text header, sl_text rel, sl_text *target) {
    do {
        bool matches;
        while (take(&header, ',')) {
        }
        if (!next_link(&header, rel, target, &matches)) break;
        if (matches) return true;
    } while (take(&header, ','));
    *target = (sl_text){0};
    return false;
}
