/* exec: a command of the user's for each item, which reads JSON Lines and answers with JSON Lines. One runs beside each worker. */
#include <stdlib.h>

#include "base/error.h"
#include "operators/call/coprocess.h"
#include "plan/plan.h"
#include "record/builder.h"

extern char **environ;

enum { MAP, MANY };
enum { MOST_ANSWER = 256 << 20 }; /* bytes for the items of a batch */

typedef struct conf {
    sl_texts command;
    sl_texts env;
    int mode;
    double timeout;
    /* prepared: */
    bool first; /* only the first answer to an item counts */
    char **argv, **environment;
    const _Atomic bool *stopping;
    const sigset_t *mask;
} conf;

typedef struct state {
    const conf *conf;
    sl_coprocess *command;
    sl_buf in, out;
    size_t seen;               /* bytes of `out` looked at */
    uint32_t answered, wanted; /* items */
} state;

/* ---- answers ------------------------------------------------------------------------------------------------------------- */

/* Counts what is answered in whole lines: every line, or every empty one. */
static bool all_answered(void *user, const sl_buf *out) {
    state *st = user;
    while (st->answered < st->wanted) {
        const char *from = out->data + st->seen;
        const char *end = out->len > st->seen ? memchr(from, '\n', out->len - st->seen) : NULL;
        if (!end) return false;
        if (st->conf->mode == MAP || end == from) st->answered++;
        st->seen += (size_t)(end - from) + 1;
    }
    return true;
}

static sl_status too_much(const conf *c, sl_error *err) {
    return sl_fail(err, SL_E_DATA, "the command '%s' wrote more than %s", c->argv[0],
                   c->mode == MAP ? "a line for an item; mode many is for that"
                                  : "an empty line behind its answers");
}

static sl_status ask(state *st, sl_batch *b, sl_error *err) {
    sl_buf_clear(&st->in);
    sl_buf_clear(&st->out);
    st->in.limit = st->out.limit = MOST_ANSWER;
    st->seen = st->answered = 0;
    st->wanted = b->nsel;
    for (uint32_t i = 0; i < b->nsel; i++) {
        sl_value item;
        TRY(sl_batch_item(b, sl_batch_row(b, i), &item, err));
        sl_json_write(item, &st->in);
        sl_buf_byte(&st->in, '\n');
    }
    TRY(sl_buf_check(&st->in, err));
    const conf *c = st->conf;
    if (!st->command)
        TRY(sl_coprocess_start(c->argv, c->environment, c->mask, c->timeout, c->stopping, &st->command, err));
    TRY(sl_coprocess_talk(st->command, sl_text_n(st->in.data, st->in.len), &st->out, all_answered, st, err));
    return st->out.len == st->seen ? SL_OK : too_much(c, err);
}

static sl_status add_line(state *st, sl_text line, sl_batch *b, sl_builder *to, sl_error *err) {
    sl_value v;
    sl_error why = {0};
    if (sl_json_parse(line.s, line.n, "", sl_batch_arena(b), &v, &why) != SL_OK)
        return sl_fail(err, SL_E_DATA, "the command '%s' answered with a line that is no JSON: %.*s%s",
                       st->conf->argv[0], line.n > 80 ? 80 : (int)line.n, line.s, line.n > 80 ? "..." : "");
    return sl_builder_add(to, v, err);
}

/* The lines of st->out as items. On failure st->answered is the place of the item to blame. */
static sl_status take_answers(state *st, sl_batch *b, sl_builder *to, sl_error *err) {
    const char *at = st->out.data;
    bool more = false; /* LINE is not the first answer to its item */
    for (st->answered = 0; st->answered < st->wanted;) {
        const char *end = memchr(at, '\n', (size_t)(st->out.data + st->out.len - at));
        sl_text line = {at, (uint32_t)(end - at)};
        bool answer = st->conf->mode == MAP || line.n, last = st->conf->mode == MAP || !line.n;
        if (answer && !(more && st->conf->first)) TRY(add_line(st, line, b, to, err));
        if (last) st->answered++;
        more = !last;
        at = end + 1;
    }
    return sl_builder_flush(to, err);
}

static sl_status apply(const void *vconf, void *vstate, sl_batch *take, sl_out *out, sl_error *err) {
    state *st = vstate;
    (void)vconf;
    sl_builder *to = sl_builder_new(0, NULL, sl_emit_batch, out);
    sl_status s = to ? SL_OK : sl_oom(err);
    if (to) sl_builder_source(to, take->source);
    if (s == SL_OK && take->nsel) s = ask(st, take, err);
    if (s == SL_OK && take->nsel) s = take_answers(st, take, to, err);
    if (s > SL_DONE && st->answered < take->nsel)
        sl_error_at(err, take->source, sl_batch_line(take, sl_batch_row(take, st->answered)), 0);
    sl_builder_free(&to);
    sl_batch_free(&take);
    return s;
}

/* ---- conf ------------------------------------------------------------------------------------------------------------------ */

static sl_status start(const void *vconf, void **out, sl_error *err) {
    state *st = *out = calloc(1, sizeof *st);
    if (!st) return sl_oom(err);
    st->conf = vconf;
    return SL_OK;
}

static sl_status finish(void *vstate, sl_error *err) {
    state *st = vstate;
    if (!st->command) return SL_OK;
    sl_buf_clear(&st->out);
    TRY(sl_coprocess_finish(st->command, &st->out, err));
    return st->out.len ? too_much(st->conf, err) : SL_OK;
}

static void stop(void *vstate) {
    state *st = vstate;
    sl_coprocess_free(&st->command);
    sl_buf_free(&st->in);
    sl_buf_free(&st->out);
    free(st);
}

/* A name with a slash starts at the folder of the definition. */
static sl_status prepare_command(conf *c, const sl_step_info *info, sl_error *err) {
    const char *base = info->env->base_dir;
    c->argv = sl_arena_calloc(info->arena, (size_t)c->command.n + 1, sizeof *c->argv);
    if (!c->argv) return sl_oom(err);
    for (uint32_t i = 0; i < c->command.n; i++) {
        sl_text t = c->command.v[i];
        if (t.n && memchr(t.s, '\0', t.n)) return sl_fail(err, SL_E_PLAN, "'command' holds a zero byte");
        bool relative = i == 0 && base && t.n && t.s[0] != '/' && memchr(t.s, '/', t.n);
        sl_text path = sl_arena_printf(info->arena, "%s%s%.*s", relative ? base : "", relative ? "/" : "",
                                       (int)t.n, t.s);
        if (!path.s) return sl_oom(err);
        c->argv[i] = (char *)(uintptr_t)path.s;
    }
    return SL_OK;
}

static sl_text variable_name(sl_text entry) {
    const char *equals = entry.n ? memchr(entry.s, '=', entry.n) : NULL;
    return equals ? sl_text_n(entry.s, (size_t)(equals - entry.s)) : entry;
}

static bool sets(const sl_texts *env, const char *entry) {
    sl_text name = variable_name(sl_text_of(entry));
    for (uint32_t i = 0; i < env->n; i++)
        if (sl_text_eq(variable_name(env->v[i]), name)) return true;
    return false;
}

/* The program's own environment with the variables of `env` set, or taken out. */
static sl_status prepare_environment(conf *c, const sl_step_info *info, sl_error *err) {
    size_t n = 0;
    while (environ[n]) n++;
    char **to = c->environment = sl_arena_calloc(info->arena, n + c->env.n + 1, sizeof *to);
    if (!to) return sl_oom(err);
    for (char **e = environ; *e; e++)
        if (!sets(&c->env, *e)) *to++ = *e;
    for (uint32_t i = 0; i < c->env.n; i++) {
        sl_text entry = c->env.v[i];
        if (variable_name(entry).n == entry.n) continue;
        *to = sl_arena_strndup(info->arena, entry.s, entry.n);
        if (!*to++) return sl_oom(err);
    }
    return SL_OK;
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    if (info->env->no_exec)
        return sl_fail(err, SL_E_PLAN, "commands are not allowed in this run (--no-exec)");
    if (!c->command.n || !c->command.v[0].n)
        return sl_fail(err, SL_E_PLAN, "'command' is a list: the program and its arguments");
    c->stopping = info->env->stopping;
    c->mask = info->env->signals;
    c->first = info->count == 1;
    TRY(prepare_command(c, info, err));
    return prepare_environment(c, info, err);
}

static const char *const mode_names[] = {"map", "many", NULL};

static const sl_option options[] = {
    {.name = "command",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(conf, command),
     .flags = SL_OPT_REQUIRED,
     .help = "the program and its arguments, as a list; no shell sees them"},
    {.name = "mode",
     .type = SL_OPT_ENUM,
     .offset = offsetof(conf, mode),
     .fallback = "map",
     .names = mode_names,
     .help = "map: a line out for each line in; many: any number of lines and then an empty one"},
    {.name = "env",
     .type = SL_OPT_TEXTS,
     .offset = offsetof(conf, env),
     .help = "NAME=VALUE, one or a list, beside the variables of the program; NAME alone takes it out"},
    {.name = "timeout",
     .type = SL_OPT_SECONDS,
     .offset = offsetof(conf, timeout),
     .fallback = "60",
     .unit = "seconds",
     .help = "longest that it may neither read nor write; 0: any time"},
    {0},
};

const sl_pipe sl_pipe_exec = {
    .name = "exec",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Sends each item through a command of yours",
    .details = "The command gets the items as JSON Lines on its standard input and writes its answers as "
               "JSON Lines to its "
               "standard output, in order: one for each item, or with mode many any number and then an empty "
               "line. It must "
               "flush what it writes. One runs beside each worker, from the first item on. At the end its "
               "input is closed, and it has 'timeout' to end with exit status 0; another status, or a line "
               "behind its last answer, fails the run. Where nobody wants its answers any more it is killed "
               "after a second. One that ends before it has answered is an error with its exit "
               "status. Its standard "
               "error is sluice's. A program with a slash in its name is looked up from the folder of the "
               "definition, others in "
               "PATH. --no-exec forbids it.",
    .example = "itembuilder attrs.key=a attrs.value=x | exec command=cat",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "command",
    .flags = SL_PIPE_EMITS | SL_PIPE_NO_FIELD,
    .cast = SL_CAST_PASS,
    .prepare = prepare,
    .start = start,
    .stop = stop,
    .finish = finish,
    .apply = apply,
};
