/* schema.c: the JSON Schema of definitions. Most of it is made of the tables that definitions are read by, so it cannot
 * disagree with the program; definition.json holds the frame that no table knows. It is written as text in the order of the
 * frame, because a schema is read by people too. */
#include "plan/schema.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "plan/definition.h"
#include "plan/plan.h"
#include "record/cast.h"
#include "sinks/sink.h"

enum { MAX_TABLES = 256 };

/* A SOURCE_CONF is closed by those that refer to it, as a source of the collection has a `type` beside its conf. */
typedef enum table_kind { CONF, SOURCE_CONF, RULE, SINK } table_kind;

/* A table of options and the name of its schema. */
typedef struct table {
    const char *name; /* in the names of the writer */
    const sl_option *options;
    table_kind kind;
} table;

typedef struct writer {
    sl_buf *out;
    sl_arena names;
    int indent;
    bool more; /* a member stands before */
    table tables[MAX_TABLES];
    unsigned ntables;
} writer;

#define DYNAMIC "{\"$ref\": \"#/$defs/dynamic\"}"

/* ---- pieces ------------------------------------------------------------------------------------------------------- */

static void put_json(sl_buf *o, const char *text) {
    sl_json_text(sl_text_of(text), o);
}

/* Begins a member or an element in a line of its own. */
static void begin(writer *w, int deeper) {
    sl_buf_printf(w->out, "%s%*s", w->more ? ",\n" : "", w->indent + deeper, "");
    w->more = true;
}

static void begin_member(writer *w, const char *name) {
    begin(w, 0);
    put_json(w->out, name);
    sl_buf_str(w->out, ": ");
}

/* A member that is a list with one element a line. */
static void begin_list(writer *w, const char *name) {
    begin_member(w, name);
    sl_buf_str(w->out, "[\n");
    w->more = false;
}

static void end_list(writer *w) {
    sl_buf_printf(w->out, "\n%*s]", w->indent, "");
    w->more = true;
}

static char upper(char c) {
    return (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
}

static void put_upper(sl_buf *o, const char *name) {
    for (; *name; name++) sl_buf_byte(o, upper(*name));
}

static void put_description(sl_buf *o, const char *text) {
    if (!text) return;
    sl_buf_str(o, ", \"description\": ");
    put_json(o, text);
}

static bool is_number(const char *text) {
    return *text && text[strspn(text, "0123456789")] == 0;
}

/* FALLBACK as the value it is. */
static bool is_truth(const char *text) {
    return !strcmp(text, "true") || !strcmp(text, "false");
}

/* A text as the value it is, or as it stands. */
static void put_value(sl_buf *o, const char *text, bool quoted) {
    if (!quoted && (is_number(text) || is_truth(text)))
        sl_buf_str(o, text);
    else
        put_json(o, text);
}

static void put_default(sl_buf *o, const char *fallback, bool quoted) {
    if (!fallback) return;
    sl_buf_str(o, ", \"default\": ");
    put_value(o, fallback, quoted);
}

static void put_limits(sl_buf *o, int64_t min, int64_t max) {
    if (!min && !max) return;
    sl_buf_printf(o, ", \"minimum\": %" PRId64, min);
    if (max != INT64_MAX) sl_buf_printf(o, ", \"maximum\": %" PRId64, max);
}

/* ---- options -------------------------------------------------------------------------------------------------------- */

static const char *add_table(writer *w, const char *owner, const char *key, const sl_option *options,
                             table_kind kind) {
    static const sl_option none[] = {{0}};
    assert(w->ntables < MAX_TABLES);
    table *t = &w->tables[w->ntables++];
    t->name = sl_arena_printf(&w->names, "%s%s%s", owner, *owner ? "." : "", key).s;
    if (!t->name) {
        t->name = "";
        w->out->failed = true;
    }
    t->options = options ? options : none;
    t->kind = kind;
    return t->name;
}

/* A table of rules may belong to several pipes. */
static const char *rule_name(writer *w, const char *owner, const sl_option *o) {
    for (unsigned i = 0; i < w->ntables; i++)
        if (w->tables[i].options == o->rules) return w->tables[i].name;
    return add_table(w, owner, o->name, o->rules, RULE);
}

/* Names in the case of the table or all in upper case, and what a variable decides. */
static void put_names(sl_buf *o, const sl_option *option) {
    sl_buf_str(o,
               "\"if\": {\"type\": \"object\"}, \"then\": " DYNAMIC ", \"else\": {\"anyOf\": [{\"enum\": [");
    for (unsigned i = 0; option->names[i]; i++) {
        if (i) sl_buf_str(o, ", ");
        put_json(o, option->names[i]);
    }
    sl_buf_str(o, option->flags & SL_OPT_REQUIRED ? "]}" : ", null]}");
    sl_buf_str(o, ", {\"type\": \"string\", \"pattern\": \"^(");
    for (unsigned i = 0; option->names[i]; i++) {
        if (i) sl_buf_byte(o, '|');
        put_upper(o, option->names[i]);
    }
    sl_buf_str(o, ")$|\\\\$\\\\{\"}]}");
}

/* One rule or a list of them; where a scalar may stand for a rule, only lists and maps are looked at. */
static void put_rules(writer *w, const char *owner, const sl_option *o) {
    const char *name = rule_name(w, owner, o);
    bool scalars = o->flags & SL_OPT_SCALARS;
    const char *head =
        scalars ? "{\"if\": {\"type\": [\"string\", \"number\", \"boolean\"]}, \"else\": " : "";
    const char *tail = scalars ? "}" : "";
    sl_buf_str(w->out, "\"if\": {\"type\": \"array\"}, \"then\": {\"items\": ");
    sl_buf_printf(w->out, "%s{\"$ref\": \"#/$defs/%s\"}%s}, ", head, name, tail);
    sl_buf_printf(w->out, "\"else\": %s{\"$ref\": \"#/$defs/%s\"}%s", head, name, tail);
}

static void put_type(writer *w, const char *owner, const sl_option *o) {
    static const char *const names[] = {
        [SL_OPT_TEXT] = "text",  [SL_OPT_BOOL] = "bool",   [SL_OPT_INT] = "int",
        [SL_OPT_SIZE] = "size",  [SL_OPT_CHAR] = "char",   [SL_OPT_SECONDS] = "seconds",
        [SL_OPT_PATH] = "texts", [SL_OPT_TEXTS] = "texts",
    };
    switch (o->type) {
    case SL_OPT_VALUE: sl_buf_str(w->out, "\"$comment\": \"any value\""); break;
    case SL_OPT_ENUM: put_names(w->out, o); break;
    case SL_OPT_RULES: put_rules(w, owner, o); break;
    case SL_OPT_OBJECT: sl_buf_printf(w->out, "\"$ref\": \"#/$defs/%s\"", rule_name(w, owner, o)); break;
    default: sl_buf_printf(w->out, "\"$ref\": \"#/$defs/%s\"", names[o->type]);
    }
}

/* The url of a source may be a list of them. */
static void put_option(writer *w, const table *t, const sl_option *option, const char *name) {
    sl_option o = *option;
    bool many = t->kind == SOURCE_CONF && !strcmp(name, "url");
    bool quoted =
        o.type != SL_OPT_BOOL && o.type != SL_OPT_INT && o.type != SL_OPT_SIZE && o.type != SL_OPT_SECONDS;
    bool old = (o.flags & SL_OPT_HIDDEN) || strcmp(name, o.name) != 0;
    if (many) o.type = SL_OPT_TEXTS;
    begin_member(w, name);
    sl_buf_byte(w->out, '{');
    put_type(w, t->name, &o);
    put_limits(w->out, o.min, o.max);
    put_default(w->out, o.fallback, quoted);
    put_description(w->out, o.help);
    sl_buf_str(w->out, old ? ", \"deprecated\": true}" : "}");
}

static void put_options(writer *w, const table *t) {
    begin(w, 0);
    sl_buf_str(w->out, "\"properties\": {");
    if (t->options->name) sl_buf_byte(w->out, '\n');
    w->more = false;
    w->indent += 2;
    sl_option_walk rows = {.table = t->options};
    for (const sl_option *o; (o = sl_option_next(&rows));) {
        put_option(w, t, o, o->name);
        if (o->alias) put_option(w, t, o, o->alias);
    }
    w->indent -= 2;
    if (t->options->name) sl_buf_printf(w->out, "\n%*s", w->indent, "");
    sl_buf_byte(w->out, '}');
    w->more = true;
}

/* Keys fully in upper case are read in lower case. */
static void put_upper_keys(writer *w, const table *t) {
    if (!t->options->name || t->kind == SINK) return;
    begin(w, 0);
    sl_buf_str(w->out, "\"patternProperties\": {\"^(");
    sl_option_walk rows = {.table = t->options};
    for (const sl_option *o; (o = sl_option_next(&rows));) {
        if (o != t->options) sl_buf_byte(w->out, '|');
        put_upper(w->out, o->name);
        if (o->alias) sl_buf_byte(w->out, '|');
        if (o->alias) put_upper(w->out, o->alias);
    }
    sl_buf_str(w->out, ")$\": true}");
}

static bool is_required(const sl_option *o) {
    return (o->flags & SL_OPT_REQUIRED) && !o->alias;
}

static bool has_required(const sl_option *options) {
    for (const sl_option *o = options; o && o->name; o++)
        if (is_required(o)) return true;
    return false;
}

static void put_required(writer *w, const table *t) {
    bool first = true;
    if (!has_required(t->options)) return;
    begin(w, 0);
    sl_buf_str(w->out, "\"if\": {\"propertyNames\": {\"pattern\": \"[a-z]\"}}, \"then\": {\"required\": [");
    for (const sl_option *o = t->options; o->name; o++) {
        if (!is_required(o)) continue;
        if (!first) sl_buf_str(w->out, ", ");
        first = false;
        put_json(w->out, o->name);
    }
    sl_buf_str(w->out, "]}");
}

/* An item may decide what a rule is as a whole, but not what a conf is. */
static void put_table(writer *w, const table *t) {
    const char *types = has_required(t->options) ? "\"object\"" : "[\"object\", \"null\"]";
    begin_member(w, t->name);
    sl_buf_str(w->out, t->kind == RULE ? "{\"if\": " DYNAMIC ", \"else\": {\n" : "{\n");
    w->more = false;
    w->indent += 2;
    begin(w, 0);
    sl_buf_printf(w->out, "\"type\": %s", types);
    put_options(w, t);
    put_upper_keys(w, t);
    if (t->kind == CONF || t->kind == RULE) {
        begin(w, 0);
        sl_buf_str(w->out, "\"additionalProperties\": false");
    }
    put_required(w, t);
    w->indent -= 2;
    sl_buf_printf(w->out, "\n%*s%s", w->indent, "", t->kind == RULE ? "}}" : "}");
    w->more = true;
}

/* ---- parts: what stands in the place of "@NAME" --------------------------------------------------------------------------- */

/* The pipe's names: its own and those of older formats. The conf of a strregex lacks what that of a regex needs. */
static void put_pipe_names(sl_buf *o, const sl_pipe *pipe) {
    const char *old, *today = NULL;
    sl_buf_str(o, "{\"enum\": [");
    put_json(o, pipe->name);
    for (unsigned i = 0; (old = sl_legacy_at(i, &today)); i++) {
        if (strcmp(today, pipe->name) != 0 || !strcmp(old, "strregex")) continue;
        sl_buf_str(o, ", ");
        put_json(o, old);
    }
    sl_buf_str(o, "]}");
}

static void put_conf(sl_buf *o, const sl_pipe *pipe) {
    const char *closed = pipe->kind == SL_KIND_SOURCE ? ", \"unevaluatedProperties\": false" : "";
    sl_buf_printf(o, "\"then\": {\"properties\": {\"conf\": {\"$ref\": \"#/$defs/conf.%s\"%s}}", pipe->name,
                  closed);
    sl_buf_str(o, has_required(pipe->options) ? ", \"required\": [\"conf\"]}}" : "}}");
}

static void put_modules(writer *w) {
    const sl_pipe *pipe;
    begin_list(w, "allOf");
    for (unsigned i = 0; (pipe = sl_pipe_at(i)); i++) {
        if (!strcmp(pipe->name, "loop")) continue;
        begin(w, 2);
        sl_buf_str(w->out, "{\"if\": {\"properties\": {\"type\": ");
        put_pipe_names(w->out, pipe);
        sl_buf_str(w->out, "}}, ");
        put_conf(w->out, pipe);
    }
    end_list(w);
}

/* The conf of a loop is its submodule's. */
static void put_loops(writer *w) {
    const sl_pipe *pipe;
    begin_list(w, "allOf");
    for (unsigned i = 0; (pipe = sl_pipe_at(i)); i++) {
        begin(w, 2);
        sl_buf_str(w->out, "{\"if\": {\"properties\": {\"embed\": {\"anyOf\": [");
        put_pipe_names(w->out, pipe);
        sl_buf_str(w->out, ", {\"type\": \"object\", \"properties\": {\"type\": ");
        put_pipe_names(w->out, pipe);
        sl_buf_str(w->out, "}}]}}}, ");
        if (sl_pipe_loopable(pipe))
            put_conf(w->out, pipe);
        else
            sl_buf_str(w->out, "\"then\": false}");
    }
    end_list(w);
}

/* Whether the conf has a key `type` that cannot be the name of the pipe. */
static bool says_type(const sl_pipe *pipe) {
    for (const sl_option *o = pipe->options; o && o->name; o++)
        if (!strcmp(o->name, "type") && o->type == SL_OPT_ENUM) return true;
    return false;
}

static void put_sources(writer *w) {
    const sl_pipe *pipe;
    bool first = true;
    begin_member(w, "properties");
    sl_buf_str(w->out, "{\"type\": {\"anyOf\": [{\"enum\": [");
    for (unsigned i = 0; (pipe = sl_pipe_at(i)); i++) {
        if (pipe->kind != SL_KIND_SOURCE) continue;
        if (!first) sl_buf_str(w->out, ", ");
        first = false;
        put_json(w->out, pipe->name);
    }
    sl_buf_str(w->out, "]}, {\"$ref\": \"#/$defs/variable\"}]}}");
    begin_list(w, "allOf");
    for (unsigned i = 0; (pipe = sl_pipe_at(i)); i++) {
        if (pipe->kind != SL_KIND_SOURCE) continue;
        begin(w, 2);
        sl_buf_printf(w->out,
                      "{\"if\": {\"properties\": {\"type\": {\"const\": \"%s\"}}}, \"then\": ", pipe->name);
        if (says_type(pipe))
            sl_buf_str(w->out, "{\"additionalProperties\": true}}");
        else
            sl_buf_printf(w->out, "{\"$ref\": \"#/$defs/conf.%s\"}}", pipe->name);
    }
    end_list(w);
}

/* A pattern for places of SINK: -, a suffix in any case, a database with a table. */
static void put_places(sl_buf *o, const sl_sink *sink) {
    bool named = false;
    if (!sink->suffixes) {
        sl_buf_str(o, "^-$");
        return;
    }
    sl_buf_byte(o, '(');
    for (unsigned i = 0; sink->suffixes[i]; i++) {
        sl_buf_str(o, i ? "|\\\\" : "\\\\");
        sl_buf_byte(o, '.');
        for (const char *c = sink->suffixes[i] + 1; *c; c++) {
            if (upper(*c) == *c)
                sl_buf_byte(o, *c);
            else
                sl_buf_printf(o, "[%c%c]", *c, upper(*c));
        }
    }
    for (const sl_option *row = sink->options; row->name; row++) named |= !strcmp(row->name, "table");
    sl_buf_str(o, named ? ")(:.+)?$" : ")$");
}

static void put_sinks(writer *w) {
    static const char variable[] = "\\\\$\\\\{";
    const sl_sink *sink;
    begin_list(w, "allOf");
    for (unsigned i = 0; (sink = sl_sink_at(i)); i++) {
        begin(w, 2);
        sl_buf_printf(w->out,
                      "{\"if\": {\"anyOf\": [{\"properties\": {\"type\": {\"const\": \"%s\"}}, "
                      "\"required\": [\"type\"]}",
                      sink->name);
        static const char *const places[] = {"to", "path"};
        for (unsigned k = 0; k < SL_COUNT(places); k++) {
            sl_buf_printf(w->out, ", {\"properties\": {\"type\": false, \"%s\": {\"pattern\": \"", places[k]);
            put_places(w->out, sink);
            sl_buf_printf(w->out, "\"}}, \"required\": [\"%s\"]}", places[k]);
        }
        sl_buf_printf(w->out, "]}, \"then\": {\"$ref\": \"#/$defs/sink.%s\"}}", sink->name);
    }
    begin(w, 2);
    sl_buf_printf(
        w->out,
        "{\"if\": {\"anyOf\": [{\"properties\": {\"to\": {\"pattern\": \"%s\"}}, \"required\": [\"to\"]}, "
        "{\"properties\": {\"path\": {\"pattern\": \"%s\"}}, \"required\": [\"path\"]}]}, "
        "\"then\": {\"additionalProperties\": true}}",
        variable, variable);
    end_list(w);
}

/* The words, and what a variable decides; where they say true and false, what else does. */
static void put_choices(sl_buf *o, const sl_setting *s) {
    bool truths = false;
    sl_buf_str(o, "\"anyOf\": [{\"enum\": [");
    for (unsigned i = 0; s->words[i]; i++) {
        if (i) sl_buf_str(o, ", ");
        put_value(o, s->words[i], false);
        truths |= is_truth(s->words[i]);
    }
    sl_buf_printf(o, "]}, {\"$ref\": \"#/$defs/%s\"}]", truths ? "flag" : "variable");
}

static void put_setting_type(sl_buf *o, const sl_setting *s) {
    switch (s->kind) {
    case SL_SETTING_SWITCH: sl_buf_str(o, "\"$ref\": \"#/$defs/flag\""); break;
    case SL_SETTING_COUNT: sl_buf_str(o, "\"$ref\": \"#/$defs/int\""); break;
    case SL_SETTING_SIZE: sl_buf_str(o, "\"$ref\": \"#/$defs/size\""); break;
    case SL_SETTING_CHOICE: put_choices(o, s); break;
    case SL_SETTING_FOLDER: sl_buf_str(o, "\"type\": \"string\""); break;
    case SL_SETTING_FOLDERS:
        sl_buf_str(o, "\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}");
        break;
    }
    put_limits(o, s->min, s->max);
}

static void put_settings(writer *w) {
    const sl_setting *s;
    for (unsigned i = 0; (s = sl_setting_at(i)); i++) {
        char help[1024];
        if (s->callers) continue;
        snprintf(help, sizeof help, "%s%s%s", s->help, s->zero ? "; 0: " : "", s->zero ? s->zero : "");
        begin_member(w, s->name);
        sl_buf_byte(w->out, '{');
        put_setting_type(w->out, s);
        put_default(w->out, s->fallback, false);
        put_description(w->out, help);
        sl_buf_byte(w->out, '}');
    }
}

static void put_types(writer *w) {
    const char *old, *today = NULL;
    const sl_pipe *pipe;
    begin_member(w, "pipe");
    sl_buf_str(w->out, "{\"anyOf\": [\n");
    w->more = false;
    for (unsigned i = 0; (pipe = sl_pipe_at(i)); i++) {
        begin(w, 2);
        sl_buf_printf(w->out, "{\"const\": \"%s\"", pipe->name);
        put_description(w->out, pipe->summary);
        sl_buf_byte(w->out, '}');
    }
    begin(w, 2);
    sl_buf_printf(w->out, "{\"const\": \"output\", \"description\": \"The end of the graph\"}\n%*s]}",
                  w->indent, "");
    begin_member(w, "old_type");
    sl_buf_str(w->out, "{\"enum\": [\"submodule\"");
    for (unsigned i = 0; (old = sl_legacy_at(i, &today)); i++) sl_buf_printf(w->out, ", \"%s\"", old);
    sl_buf_str(w->out, "], \"deprecated\": true}");
}

/* Tables grow while they are written, by those of the rules in them. */
static void put_tables(writer *w) {
    const sl_pipe *pipe;
    const sl_sink *sink;
    add_table(w, "", "http", sl_web_options, RULE);
    add_table(w, "", "skip_if", sl_skip_options, RULE);
    for (unsigned i = 0; (pipe = sl_pipe_at(i)); i++)
        add_table(w, "conf", pipe->name, pipe->options, pipe->kind == SL_KIND_SOURCE ? SOURCE_CONF : CONF);
    for (unsigned i = 0; (sink = sl_sink_at(i)); i++) add_table(w, "sink", sink->name, sink->options, SINK);
    for (unsigned i = 0; i < w->ntables; i++) put_table(w, &w->tables[i]);
}

static void put_defs(writer *w) {
    put_types(w);
    put_tables(w);
}

/* ---- all of it ------------------------------------------------------------------------------------------------------------ */

static const struct part {
    const char *name;
    void (*put)(writer *w);
} parts[] = {{"modules", put_modules}, {"loops", put_loops},       {"sources", put_sources},
             {"sinks", put_sinks},     {"settings", put_settings}, {"defs", put_defs}};

/* LINE is `"@NAME": 0`, maybe with a comma behind it. */
static void put_part(writer *w, sl_text line, const char *at) {
    sl_text name = sl_text_n(at + 2, strcspn(at + 2, "\""));
    w->indent = (int)(at - line.s);
    w->more = false;
    for (unsigned i = 0; i < SL_COUNT(parts); i++)
        if (sl_text_is(name, parts[i].name)) parts[i].put(w);
    assert(w->more);
    sl_buf_str(w->out, line.s[line.n - 1] == ',' ? ",\n" : "\n");
}

sl_status sl_schema_write(sl_buf *out, sl_error *err) {
    writer *w = calloc(1, sizeof *w);
    if (!w) return sl_oom(err);
    w->out = out;
    const char *end = sl_definition + sizeof sl_definition;
    for (const char *s = sl_definition; s < end;) {
        const char *stop = memchr(s, '\n', (size_t)(end - s));
        sl_text line = sl_text_n(s, (size_t)(stop - s));
        const char *at = s;
        while (*at == ' ') at++;
        if (at + 2 < stop && at[0] == '"' && at[1] == '@') {
            put_part(w, line, at);
        } else {
            sl_buf_text(out, line);
            sl_buf_byte(out, '\n');
        }
        s = stop + 1;
    }
    sl_arena_free(&w->names);
    free(w);
    return sl_buf_check(out, err);
}
