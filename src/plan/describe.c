/* describe.c: pipes and their options as JSON. The help, docs/pipes.md and the completion of shells read this one description,
 * which is made of the tables that the pipes themselves are run by. */
#include "plan/pipe.h"

#include <stdlib.h>
#include <jansson.h>

#include "base/error.h"
#include "base/locale.h"
#include "formats/format.h"

static const char *kind_name(sl_kind kind) {
    static const char *const names[] = {[SL_KIND_SOURCE] = "source",
                                        [SL_KIND_PROCESSOR] = "processor",
                                        [SL_KIND_OPERATOR] = "operator",
                                        [SL_KIND_SPLITTER] = "splitter"};
    return names[kind];
}

static const char *type_name(sl_option_type type) {
    static const char *const names[] = {
        [SL_OPT_TEXT] = "text", [SL_OPT_BOOL] = "bool",       [SL_OPT_INT] = "int",
        [SL_OPT_SIZE] = "size", [SL_OPT_SECONDS] = "seconds", [SL_OPT_ENUM] = "enum",
        [SL_OPT_CHAR] = "char", [SL_OPT_PATH] = "path",       [SL_OPT_TEXTS] = "texts",
        [SL_OPT_VALUE] = "any", [SL_OPT_RULES] = "rules",     [SL_OPT_OBJECT] = "object"};
    return names[type];
}

/* Puts VALUE, taken, under KEY; jansson refuses a NULL value, so a failed allocation travels up as false. */
static bool put(json_t *to, const char *key, json_t *value) {
    return json_object_set_new(to, key, value) == 0;
}

static bool put_text(json_t *to, const char *key, const char *text) {
    return !text || put(to, key, json_string(text));
}

static json_t *names_json(const char *const *names) {
    json_t *list = json_array();
    for (unsigned i = 0; list && names[i]; i++)
        if (json_array_append_new(list, json_string(names[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *words_json(const char *(*word)(unsigned i)) {
    json_t *list = json_array();
    for (unsigned i = 0; list && word(i); i++)
        if (json_array_append_new(list, json_string(word(i)))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *options_json(const sl_option *table);

static bool put_limits(json_t *to, const sl_option *o) {
    if (!o->min && !o->max) return true;
    if (!put(to, "min", json_integer(o->min))) return false;
    return o->max == INT64_MAX || put(to, "max", json_integer(o->max));
}

static bool put_usage(json_t *to, const sl_option *o) {
    sl_buf text = {0};
    sl_option_describe(o, &text);
    bool done = put_text(to, "usage", sl_buf_cstr(&text)) && !text.failed;
    sl_buf_free(&text);
    return done;
}

static bool fill_option(json_t *to, const sl_option *o) {
    return put_text(to, "name", o->name) && put_text(to, "type", type_name(o->type)) && put_usage(to, o) &&
           put_text(to, "default", o->fallback) &&
           put(to, "required", json_boolean(o->flags & SL_OPT_REQUIRED)) && put_limits(to, o) &&
           put_text(to, "unit", o->unit) && put_text(to, "alias", o->alias) &&
           (!o->names || put(to, "values", names_json(o->names))) &&
           (!o->word || put(to, "values", words_json(o->word))) &&
           (!o->rules || put(to, "rule", options_json(o->rules))) && put_text(to, "help", o->help);
}

static json_t *options_json(const sl_option *table) {
    json_t *list = json_array();
    sl_option_walk w = {.table = table};
    for (const sl_option *o; list && (o = sl_option_next(&w));) {
        if (o->flags & SL_OPT_HIDDEN) continue;
        json_t *one = json_object();
        bool done = one && fill_option(one, o);
        if (done && json_array_append(list, one) == 0) {
            json_decref(one);
            continue;
        }
        json_decref(one);
        json_decref(list);
        return NULL;
    }
    return list;
}

/* Where results go that are not emitted; NULL: there are none. */
static const char *assigned(const sl_pipe *p) {
    if (p->assign || !p->each || (p->flags & SL_PIPE_EMITS)) return p->assign;
    return p->kind == SL_KIND_SOURCE ? "content" : p->name;
}

static bool fill_pipe(json_t *to, const sl_pipe *p) {
    const char *cast = p->each ? sl_cast_names[p->cast] : NULL;
    return put_text(to, "name", p->name) && put_text(to, "kind", kind_name(p->kind)) &&
           put_text(to, "summary", p->summary) && put_text(to, "details", p->details) &&
           put_text(to, "main", p->main) && put_text(to, "field", p->field) && put_text(to, "cast", cast) &&
           put_text(to, "assign", assigned(p)) &&
           put(to, "emits", json_boolean(p->kind != SL_KIND_PROCESSOR || (p->flags & SL_PIPE_EMITS))) &&
           put(to, "second_stream", json_boolean(p->flags & SL_PIPE_OTHER)) &&
           put(to, "more_streams", json_boolean(p->flags & SL_PIPE_OTHERS)) &&
           put(to, "options", options_json(p->options)) && put_text(to, "example", p->example);
}

static json_t *pipe_json(const sl_pipe *p) {
    json_t *one = json_object();
    if (one && fill_pipe(one, p)) return one;
    json_decref(one);
    return NULL;
}

static json_t *all_json(void) {
    json_t *list = json_array();
    for (unsigned i = 0; list && sl_pipe_at(i); i++)
        if (json_array_append_new(list, pipe_json(sl_pipe_at(i)))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static bool fill_format(json_t *to, const sl_format *f) {
    static const char *const none[] = {NULL};
    return put_text(to, "name", f->name) && put_text(to, "summary", f->summary) &&
           put(to, "suffixes", names_json(f->suffixes ? f->suffixes : none)) &&
           put(to, "media_types", names_json(f->media_types ? f->media_types : none)) &&
           put_text(to, "pipe", f->source ? f->source : "fetchdata") &&
           put(to, "options", options_json(f->options));
}

static json_t *format_json(const sl_format *f) {
    json_t *one = json_object();
    if (one && fill_format(one, f)) return one;
    json_decref(one);
    return NULL;
}

static json_t *formats_json(void) {
    json_t *list = json_array();
    for (unsigned i = 0; list && sl_format_at(i); i++)
        if (json_array_append_new(list, format_json(sl_format_at(i)))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* Into room of our own: json_dumps loses bytes where it gets no memory. NULL: there is none. */
static char *text_of(const json_t *root) {
    const size_t flags = JSON_INDENT(2) | JSON_ENCODE_ANY;
    size_t n = root ? json_dumpb(root, NULL, 0, flags) : 0;
    char *text = n ? malloc(n + 1) : NULL;
    if (!text) return NULL;
    if (json_dumpb(root, text, n, flags) != n) {
        free(text);
        return NULL;
    }
    text[n] = 0;
    return text;
}

static char *text_of_taken(json_t *take, sl_error *err) {
    char *text = text_of(take);
    json_decref(take);
    if (!text) (void)sl_oom(err);
    return text;
}

char *sl_describe_pipes(const char *name, sl_error *err) {
    SL_PLAIN_LOCALE;
    const sl_pipe *one = name ? sl_pipe_named(sl_text_of(name)) : NULL;
    if (name && !one) {
        (void)sl_pipe_unknown(sl_text_of(name), SL_E_USAGE, err);
        return NULL;
    }
    return text_of_taken(one ? pipe_json(one) : all_json(), err);
}

char *sl_describe_formats(const char *name, const char *file, sl_error *err) {
    SL_PLAIN_LOCALE;
    const sl_format *one = name   ? sl_format_named(sl_text_of(name))
                           : file ? sl_format_for(sl_text_of(file))
                                  : NULL;
    if ((!name && !file) || one) return text_of_taken(one ? format_json(one) : formats_json(), err);
    (void)sl_fail(err, SL_E_USAGE, "'%s' is no format, and none by its suffix", name ? name : file);
    return NULL;
}
