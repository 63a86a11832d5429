/* decl.c: a CREATE TABLE statement, taken apart. SQLite cannot change the type of a column, so the declaration is rewritten
 * word by word; parsing it keeps constraints, comments and spelling as the owner of the table has written them. */
#include "sinks/sqlite/decl.h"

#include "base/error.h"
#include "sinks/sqlite/db.h"

/* ---- tokens ---------------------------------------------------------------------------------------------------- */

typedef enum token_kind { END, WORD, QUOTED, LITERAL, PUNCTUATION } token_kind;

typedef struct scanner {
    const char *at, *end;
    token_kind kind;
    sl_text token; /* the one at hand, quotes included */
} scanner;

static bool is_word(char c) {
    return sl_ascii_letter(c) || sl_ascii_digit(c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* Blanks and comments. */
static void skip_blanks(scanner *s) {
    while (s->at < s->end) {
        bool two = s->end - s->at > 1;
        if (sl_ascii_space(*s->at)) {
            s->at++;
        } else if (two && s->at[0] == '-' && s->at[1] == '-') {
            while (s->at < s->end && *s->at != '\n') s->at++;
        } else if (two && s->at[0] == '/' && s->at[1] == '*') {
            for (s->at += 2; s->at < s->end && !(s->at[-1] == '*' && s->at[0] == '/');) s->at++;
            if (s->at < s->end) s->at++;
        } else {
            return;
        }
    }
}

/* Behind the closing quote; a doubled one is no end, unless it is a bracket. */
static void skip_quoted(scanner *s, char close) {
    for (s->at++; s->at < s->end; s->at++) {
        if (*s->at != close) continue;
        s->at++;
        if (close == ']' || s->at == s->end || *s->at != close) return;
    }
}

static void next(scanner *s) {
    skip_blanks(s);
    const char *from = s->at;
    s->kind = END;
    s->token = (sl_text){from, 0};
    if (from == s->end) return;
    char c = *from;
    if (c == '"' || c == '`' || c == '[' || c == '\'') {
        s->kind = c == '\'' ? LITERAL : QUOTED;
        skip_quoted(s, c == '[' ? ']' : c);
    } else if (is_word(c)) {
        s->kind = WORD;
        while (s->at < s->end && is_word(*s->at)) s->at++;
    } else {
        s->kind = PUNCTUATION;
        s->at++;
    }
    s->token = sl_text_n(from, (size_t)(s->at - from));
}

static bool is(const scanner *s, const char *word) {
    return s->kind != QUOTED && sl_text_eq_nocase(s->token, sl_text_of(word));
}

static bool is_one_of(const scanner *s, const char *const *words) {
    for (; *words; words++)
        if (is(s, *words)) return true;
    return false;
}

/* Whether the token is the name NAME. A text in single quotes may be one too. */
static bool names(const scanner *s, sl_text name) {
    sl_text t = s->token;
    if (s->kind == WORD) return sl_text_eq_nocase(t, name);
    if (t.n < 2 || (s->kind != QUOTED && s->kind != LITERAL)) return false;
    char close = t.s[t.n - 1];
    uint32_t at = 0;
    for (uint32_t i = 1; i + 1 < t.n; i++, at++) {
        if (t.s[i] == close && close != ']') i++; /* doubled */
        sl_text one = {t.s + i, 1}, other = {name.s + at, 1};
        if (at >= name.n || !sl_text_eq_nocase(one, other)) return false;
    }
    return at == name.n;
}

/* Over a parenthesis and all that is in it. Returns its end. */
static const char *skip_parentheses(scanner *s) {
    unsigned depth = 0;
    const char *end;
    do {
        if (is(s, "(")) depth++;
        if (is(s, ")")) depth--;
        end = s->at;
        next(s);
    } while (depth && s->kind != END);
    return end;
}

/* ---- the statement --------------------------------------------------------------------------------------------- */

static const char *const constraint_words[] = {"CONSTRAINT", "PRIMARY", "NOT",     "NULL",       "UNIQUE",
                                               "CHECK",      "DEFAULT", "COLLATE", "REFERENCES", "GENERATED",
                                               "AS",         "ON",      NULL};
static const char *const table_words[] = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", NULL};

/* To the parenthesis that opens the list of columns; *NAME_FROM: where the table's name begins. */
static bool open_columns(scanner *s, const char **name_from) {
    next(s);
    if (!is(s, "CREATE")) return false;
    next(s);
    if (is(s, "TEMP") || is(s, "TEMPORARY")) next(s);
    if (!is(s, "TABLE")) return false;
    next(s);
    *name_from = s->token.s;
    while (s->kind != END && !is(s, "(")) next(s);
    return is(s, "(");
}

static bool ends_type(const scanner *s) {
    return s->kind == END || is(s, ",") || is(s, ")") || is_one_of(s, constraint_words);
}

/* Of a column definition: over its name, then its type, which is at *FROM .. *TO, empty when there is none. */
static void skip_type(scanner *s, const char **from, const char **to) {
    *from = *to = s->at;
    next(s);
    if (!ends_type(s)) *from = s->token.s;
    while (!ends_type(s)) {
        *to = s->at;
        if (is(s, "("))
            *to = skip_parentheses(s);
        else
            next(s);
    }
}

/* The rest of a definition, up to the comma or the parenthesis behind it. *CHECKED: there is a CHECK in it. */
static bool skip_rest(scanner *s, bool *checked) {
    bool any = false;
    while (s->kind != END && !is(s, ",") && !is(s, ")")) {
        any = true;
        *checked |= is(s, "CHECK");
        if (is(s, "("))
            skip_parentheses(s);
        else
            next(s);
    }
    return any;
}

sl_decl sl_decl_look(sl_text sql) {
    scanner s = {.at = sql.s, .end = sql.s + sql.n};
    const char *name, *from, *to;
    sl_decl d = {0};
    if (!open_columns(&s, &name)) return d;
    d.found = d.plain = true;
    do {
        next(&s);
        if (s.kind == WORD && is_one_of(&s, table_words))
            d.plain = false;
        else
            skip_type(&s, &from, &to);
        if (skip_rest(&s, &d.checked)) d.plain = false;
    } while (is(&s, ","));
    next(&s);
    if (s.kind != END) d.plain = false; /* STRICT, WITHOUT ROWID */
    return d;
}

static bool is_in(const scanner *s, const sl_text *list, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (names(s, list[i])) return true;
    return false;
}

bool sl_decl_retype(sl_text sql, sl_text name, const sl_text *to_text, uint32_t n, sl_buf *out) {
    scanner s = {.at = sql.s, .end = sql.s + sql.n};
    const char *name_from, *from, *to, *copied;
    uint32_t done = 0;
    bool checked = false;
    if (!open_columns(&s, &name_from)) return false;
    sl_buf_str(out, "CREATE TABLE main.");
    sl_sql_name(out, name);
    copied = s.token.s;
    do {
        next(&s);
        if (s.kind == WORD && is_one_of(&s, table_words)) break;
        bool wanted = is_in(&s, to_text, n);
        skip_type(&s, &from, &to);
        if (wanted) {
            sl_buf_add(out, copied, (size_t)(from - copied));
            sl_buf_str(out, from == to ? " TEXT" : "TEXT");
            copied = to;
            done++;
        }
        skip_rest(&s, &checked);
    } while (is(&s, ","));
    sl_buf_add(out, copied, (size_t)(sql.s + sql.n - copied));
    return done == n;
}
