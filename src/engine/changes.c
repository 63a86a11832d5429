/* changes.c: whether a run has anything to do. The notes of the last committed run are held against what is there now: files
 * first, as a look at them costs nothing, servers only when all files are as they were. Whatever cannot be told for certain
 * counts as changed, because doing the work once too often is harmless. */
#include "engine/changes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/ledger.h"
#include "net/cached.h"
#include "net/http/http.h"
#include "sources/stream/stream.h"

#define MAGIC "sluice-run 1"

struct sl_changes {
    const sl_plan *plan;
    const sl_stages *stages;
    const sl_targets *targets;
    char *dir;
    char key[SL_CACHE_KEY];
    sl_http *http;          /* of those who ask */
    sl_cache *cache;        /* theirs */
    sl_cache_policy policy; /* the run's, counted apart */
    sl_cache_counts counts;
};

/* ---- the key ------------------------------------------------------------------------------------------------------- */

static void put_text(sl_buf *o, sl_text t) {
    sl_json_text(t, o);
    sl_buf_byte(o, ' ');
}

static void put_value(sl_buf *o, sl_value v) {
    if (!sl_is_absent(v)) sl_json_write(v, o);
    sl_buf_byte(o, '\n');
}

static void put_plan(sl_buf *o, const sl_plan *p);

static void put_node(sl_buf *o, const sl_node *n) {
    put_text(o, n->id);
    put_text(o, sl_text_of(n->pipe ? n->pipe->name : ""));
    put_text(o, sl_text_of(n->home->base_dir ? n->home->base_dir : ""));
    put_text(o, n->field);
    put_text(o, n->assign);
    put_text(o, n->embed);
    sl_buf_printf(o, "%d %d %d %d ", n->home->settings.dialect, n->emit, n->count, n->loop);
    for (uint32_t i = 0; i < n->ninputs; i++) {
        const sl_wire *w = &n->inputs[i];
        sl_buf_printf(o, "%d ", w->port);
        put_text(o, w->from->id);
        put_text(o, w->terminal);
    }
    put_value(o, n->conf);
    put_value(o, n->skip_if);
    if (n->nested) put_plan(o, n->nested);
}

static void put_plan(sl_buf *o, const sl_plan *p) {
    for (uint32_t i = 0; i < p->nnodes; i++) put_node(o, p->nodes[i]);
    sl_buf_str(o, "end\n");
}

/* Whatever else than the input decides about what ends up where. */
static void put_pipeline(sl_buf *o, const sl_plan *p) {
    char folder[4096];
    put_text(o, sl_text_of(sl_version()));
    put_text(o, sl_text_of(getcwd(folder, sizeof folder) ? folder : ""));
    sl_buf_printf(o, "%llu %d %d\n", (unsigned long long)p->settings.limit, p->settings.test,
                  p->settings.ordered);
    put_value(o, p->env.inputs);
    put_plan(o, p);
    for (uint32_t i = 0; i < p->nsinks; i++) {
        put_text(o, p->sinks[i].text);
        put_value(o, p->sinks[i].conf);
    }
}

static sl_status make_key(sl_changes *c, sl_error *err) {
    sl_buf text = {0};
    put_pipeline(&text, c->plan);
    sl_status status = sl_buf_check(&text, err);
    if (!status) sl_cache_key(SL_TEXT(MAGIC), sl_text_n(text.data, text.len), c->key);
    sl_buf_free(&text);
    return status;
}

sl_status sl_changes_new(const sl_plan *plan, const sl_stages *stages, const sl_targets *targets,
                         const char *dir, sl_changes **out, sl_error *err) {
    sl_changes *c = calloc(1, sizeof *c);
    if (!c) return sl_oom(err);
    c->plan = plan;
    c->stages = stages;
    c->targets = targets;
    c->dir = strdup(dir);
    sl_status status = c->dir ? make_key(c, err) : sl_oom(err);
    if (status) {
        sl_changes_free(&c);
    } else {
        *out = c;
    }
    return status;
}

void sl_changes_free(sl_changes **cp) {
    sl_changes *c = *cp;
    if (!c) return;
    free(c->dir);
    free(c);
    *cp = NULL;
}

/* ---- keeping -------------------------------------------------------------------------------------------------------- */

void sl_changes_forget(sl_changes *c) {
    sl_cache_note_drop(c->dir, c->key);
}

/* What a sink has written. A database has other tables too, and changes with them. */
static void put_target(sl_buf *o, const sl_target *t) {
    const char *name = t->sink->file ? t->sink->file(t->conf) : NULL;
    char stamp[SL_STAMP];
    struct stat st;
    if (!name || stat(name, &st) || !S_ISREG(st.st_mode) || strchr(name, '\n')) return;
    sl_ledger_stamp(&st, stamp);
    if (t->sink->table) {
        sl_buf_printf(o, "base %s\n", name);
    } else {
        sl_buf_printf(o, "out %s %s\n", stamp, name);
    }
}

void sl_changes_keep(sl_changes *c) {
    const sl_ledger *l = c->plan->env.ledger;
    sl_buf text = {0};
    if (!l || sl_ledger_spoiled(l)) return;
    sl_buf_printf(&text, MAGIC "\n%lld\n", (long long)sl_clock_epoch());
    for (uint32_t i = 0; i < c->targets->n; i++) put_target(&text, &c->targets->v[i]);
    if (sl_ledger_read(l, &text, NULL) == SL_OK && !text.failed)
        (void)sl_cache_note_write(c->dir, c->key, sl_text_n(text.data, text.len));
    sl_buf_free(&text);
}

/* ---- what the note says ----------------------------------------------------------------------------------------------- */

static bool next_line(sl_text *t, sl_text *line) {
    const char *end = t->n ? memchr(t->s, '\n', t->n) : NULL;
    if (!end) return false;
    *line = sl_text_n(t->s, (size_t)(end - t->s));
    *t = sl_text_n(end + 1, t->n - line->n - 1);
    return true;
}

/* T without its first word, which is put into WORD. */
static sl_text after_word(sl_text t, sl_text *word) {
    const char *end = t.n ? memchr(t.s, ' ', t.n) : NULL;
    uint32_t n = end ? (uint32_t)(end - t.s) : t.n;
    *word = (sl_text){t.s, n};
    return (sl_text){t.s + n + (end != NULL), t.n - n - (end != NULL)};
}

/* "SIZE TIME INODE NAME": the file of that name still has that stamp. So it has not if somebody is writing a database there. */
static bool file_holds(sl_text line) {
    char stamp[SL_STAMP], name[4096], log[4096 + 8];
    struct stat st;
    sl_text word, rest = after_word(after_word(after_word(line, &word), &word), &word);
    if (rest.n >= sizeof name) return false;
    snprintf(name, sizeof name, "%.*s", (int)rest.n, rest.s);
    snprintf(log, sizeof log, "%s-wal", name);
    if (stat(log, &st) == 0 && st.st_size > 0) return false;
    if (stat(name, &st) || !S_ISREG(st.st_mode)) return false;
    sl_ledger_stamp(&st, stamp);
    return sl_text_eq((sl_text){line.s, line.n - rest.n - 1}, sl_text_of(stamp));
}

/* "NAME" */
static bool base_holds(sl_text line) {
    char name[4096];
    struct stat st;
    if (line.n >= sizeof name) return false;
    snprintf(name, sizeof name, "%.*s", (int)line.n, line.s);
    return stat(name, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

/* "SUM FOLDER|PATTERN" */
static bool glob_holds(sl_text line) {
    char now[SL_CACHE_KEY];
    sl_arena arena = {0};
    sl_texts names = {0};
    sl_error why = {0};
    sl_text sum, rest = after_word(line, &sum);
    int64_t bar = sl_text_find(rest, SL_TEXT("|"), 0);
    bool holds = false;
    if (bar >= 0) {
        const char *folder = sl_arena_strndup(&arena, rest.s, (size_t)bar);
        sl_text pattern = {rest.s + bar + 1, rest.n - (uint32_t)bar - 1};
        if (folder && sl_source_names(pattern, folder, &arena, &names, &why) == SL_OK) {
            sl_source_names_sum(&names, now);
            holds = sl_text_is(sum, now);
        }
    }
    sl_arena_free(&arena);
    return holds;
}

/* The lines of NOTE but those about servers, of which *ASKED tells whether there are any. */
static bool lines_hold(sl_text note, bool *asked) {
    sl_text line, kind;
    *asked = false;
    while (next_line(&note, &line)) {
        sl_text rest = after_word(line, &kind);
        bool holds = true;
        if (sl_text_is(kind, "file") || sl_text_is(kind, "out")) {
            holds = file_holds(rest);
        } else if (sl_text_is(kind, "base")) {
            holds = base_holds(rest);
        } else if (sl_text_is(kind, "glob")) {
            holds = glob_holds(rest);
        } else {
            *asked = true;
            holds = sl_text_is(kind, "http");
        }
        if (!holds) return false;
    }
    return note.n == 0;
}

/* ---- asking the servers ------------------------------------------------------------------------------------------------ */

/* A source that may be asked. */
typedef struct asking {
    const sl_node *node;
    sl_env env;
    void *split; /* NULL: not opened */
} asking;

static uint32_t count_sources(const sl_stages *s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) n += s->v[i]->nbranches;
    return n;
}

static uint32_t collect_sources(const sl_stages *s, asking *v) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        for (uint32_t b = 0; b < s->v[i]->nbranches; b++) {
            const sl_node *source = s->v[i]->branches[b].intake.source;
            if (source && source->pipe->source->ask) v[n++].node = source;
        }
    return n;
}

static bool open_asking(const sl_changes *c, asking *a) {
    sl_error why = {0};
    a->env = *a->node->info.env;
    a->env.http = c->http;
    a->env.cache = c->cache;
    a->env.cache_policy = &c->policy;
    return a->node->pipe->source->open(a->node->compiled, &a->env, &a->split, &why) == SL_OK;
}

static void close_asking(asking *a) {
    if (a->split) a->node->pipe->source->close(a->split);
    a->split = NULL;
}

/* One after another, those behind it under way meanwhile; up to the first whose answer is another. */
static bool all_hold(const sl_changes *c, asking *v, uint32_t n) {
    uint32_t opened = 0, ahead = c->plan->env.connections ? c->plan->env.connections : 1;
    bool hold = true;
    for (uint32_t i = 0; i < n && hold; i++) {
        for (; hold && opened < n && opened < i + ahead; opened++) hold = open_asking(c, &v[opened]);
        hold = hold && v[i].node->pipe->source->ask(v[i].split);
        close_asking(&v[i]);
    }
    for (uint32_t i = 0; i < n; i++) close_asking(&v[i]);
    return hold;
}

/* What was confirmed is what the run reports, if it has nothing else to do. */
static void count_in(const sl_changes *c, sl_cache_counts *into) {
    atomic_fetch_add(&into->unchanged, c->counts.unchanged);
    atomic_fetch_add(&into->unchanged_bytes, c->counts.unchanged_bytes);
}

/* The session has gone before workers are forked. */
static sl_status ask_all(sl_changes *c, bool *hold, sl_error *err) {
    const sl_env *env = &c->plan->env;
    sl_http_options options = {.permits = env->permits,
                               .allowed = env->web ? env->web->allowed : NULL,
                               .nallowed = env->web ? env->web->nallowed : 0,
                               .stopping = env->stopping};
    asking *v = calloc(count_sources(c->stages) + 1, sizeof *v);
    if (!v) return sl_oom(err);
    c->policy = *env->cache_policy;
    c->policy.counts = &c->counts;
    sl_status status = sl_http_new(&options, &c->http, err);
    if (!status) status = sl_cached_open(&c->policy, true, &c->cache, err);
    if (!status) *hold = all_hold(c, v, collect_sources(c->stages, v));
    sl_http_free(&c->http);
    sl_cache_free(&c->cache);
    free(v);
    return status;
}

/* How many of the answers that the note tells of are not among NOW, both sorted. */
static uint64_t count_others(sl_text note, sl_text now) {
    sl_text line, other = {0};
    uint64_t n = 0;
    while (next_line(&note, &line)) {
        if (line.n < 5 || memcmp(line.s, "http ", 5) != 0) continue;
        while (sl_text_cmp(other, line) < 0 && next_line(&now, &other)) continue;
        n += !sl_text_eq(other, line);
    }
    return n;
}

static bool fetches(const sl_step *step) {
    return step->kind == SL_STEP_FETCH || step->nested;
}

static const sl_step *find_fetching(const sl_stages *s) {
    const sl_step *step = NULL;
    for (uint32_t i = 0; i < s->n && !step; i++) step = sl_stage_find(s->v[i], fetches);
    return step;
}

static sl_status warn_of_others(const sl_changes *c, sl_error *err) {
    const sl_step *step = find_fetching(c->stages);
    if (!step) return SL_OK;
    return sl_plan_warn(step->node, err,
                        "if_changed: what is fetched for items cannot be asked about beforehand, so the "
                        "pipeline runs each time");
}

/* All servers have confirmed what was asked about; was that all there is? */
static sl_status compare(sl_changes *c, sl_text note, bool *hold, sl_error *err) {
    sl_buf now = {0};
    sl_status status = sl_ledger_read(c->plan->env.ledger, &now, err);
    uint64_t others = count_others(note, sl_text_n(now.data, now.len));
    sl_buf_free(&now);
    *hold = others == 0;
    return status || *hold ? status : warn_of_others(c, err);
}

static sl_status servers_hold(sl_changes *c, sl_text note, bool *hold, sl_error *err) {
    sl_ledger *l = c->plan->env.ledger;
    sl_ledger_mark before = sl_ledger_here(l);
    sl_status status = ask_all(c, hold, err);
    if (!status && *hold) status = compare(c, note, hold, err);
    sl_ledger_back(l, before);
    if (!status && *hold) count_in(c, c->plan->env.cache_policy->counts);
    return status;
}

/* ---- looking -------------------------------------------------------------------------------------------------------------- */

static bool read_head(sl_text *note, int64_t *since) {
    sl_text line;
    if (!next_line(note, &line) || !sl_text_is(line, MAGIC) || !next_line(note, &line)) return false;
    *since = strtoll(line.s, NULL, 10); /* a line end follows */
    return *since > 0;
}

static sl_status look(sl_changes *c, sl_text note, int64_t *since, sl_error *err) {
    int64_t then = 0;
    bool asked = false, hold = read_head(&note, &then) && lines_hold(note, &asked);
    if (hold && asked) TRY(servers_hold(c, note, &hold, err));
    *since = hold ? then : 0;
    return SL_OK;
}

sl_status sl_changes_look(sl_changes *c, int64_t *since, sl_error *err) {
    sl_buf note = {0};
    sl_status status = SL_OK;
    *since = 0;
    if (sl_cache_note_read(c->dir, c->key, &note))
        status = look(c, sl_text_n(note.data, note.len), since, err);
    sl_buf_free(&note);
    return status;
}
