/* stream.c: a source over bytes: the coordinator's half fills blocks, has the format's splitter cut them and hands out units;
 * the worker's half reads them. What the splitter leaves is moved to the front of the next block, so records may cross blocks
 * and the splitter never sees a gap. */
#include "sources/stream/stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/missing.h"
#include "net/url.h"
#include "sources/stream/blocks.h"
#include "sources/stream/foreign.h"
#include "sources/stream/opener.h"

#define PATIENCE_MS 20 /* how long a slow stream may go on filling a unit that has something in it */
#define LEAST_UNIT  ((size_t)16) /* the tests cut finely */
#define WHOLE_FILE  '\xff'       /* the note of a unit that is a file as a whole: no choice has that number */

typedef struct stream {
    const sl_source_conf *conf;
    const sl_env *env;
    sl_arena *keep; /* what units name: units outlive this stream */
    sl_arena own;   /* is keep when the caller does not keep it */
    sl_texts names;
    uint32_t next; /* name to open next */
    uint64_t index;

    sl_inflow *in;      /* the one being read; NULL: between two */
    const char *source; /* its name for messages */
    const char *told;   /* the same, where the coordinator has given it to a worker; else NULL */
    uint32_t choice;
    void *splitter; /* NULL until something was read */
    sl_text note;   /* of its units; .s NULL until known */
    uint64_t counted;
    bool ended; /* nothing more to read */

    /* A name that comes in pages: */
    sl_pager *pager;     /* NULL: it does not, or no page is left */
    sl_access access;    /* to the current page, and the one ahead */
    sl_inflow *ahead;    /* the page behind the current one, asked for already; or NULL */
    uint64_t page_units; /* handed out of the current one */

    sl_blocks *blocks;
    sl_input *block;
    size_t at;     /* what is before it in block has been dealt with */
    uint64_t base; /* place of the block's first byte in the stream */
    bool lent;     /* a unit looks into the block: it must not change */
    bool stuck;    /* the splitter wants to see more than a record may have */

    uint64_t total, finished; /* bytes of all inputs, of those done with */
    bool any, changed;        /* inputs were read; one of them was not confirmed by its server */
} stream;

/* ---- one input after another --------------------------------------------------------------------------- */

static sl_status open_input(stream *s, sl_text name, const sl_access *access, sl_inflow **in, sl_error *err) {
    const sl_source_conf *c = s->conf;
    sl_text encoding =
        c->convert.n || !c->encoding.n ? c->convert : SL_TEXT("utf-8"); /* or the format's business */
    TRY(sl_inflow_open(name.s, encoding, access, s->env, in, err));
    if (c->nchoices == 1 && c->choices[0].format->tolerant) sl_inflow_lenient(*in);
    return SL_OK;
}

static sl_status name_input(stream *s, sl_text name, sl_error *err) {
    sl_text shown = sl_url_shown(name, s->keep);
    if (!shown.s) return sl_oom(err);
    s->source = sl_text_is(name, "-") ? "stdin" : shown.s;
    return SL_OK;
}

/* What was opened as NAME is read from here on. */
static sl_status enter_input(stream *s, sl_text name, sl_error *err) {
    s->source = s->told;
    if (!s->told) TRY(name_input(s, name, err));
    s->note = (sl_text){0};
    s->ended = false;
    s->counted = s->base = s->page_units = 0;
    return SL_OK;
}

static sl_status open_page(stream *s, sl_error *err) {
    sl_text url = sl_pager_url(s->pager), next;
    s->in = s->ahead;
    s->ahead = NULL;
    if (!s->in) TRY(open_input(s, url, &s->access, &s->in, err));
    TRY(enter_input(s, url, err));
    TRY(sl_pager_ahead(s->pager, &next, err));
    return next.n ? open_input(s, next, &s->access, &s->ahead, err) : SL_OK;
}

static sl_status open_pages(stream *s, sl_text name, sl_error *err) {
    if (sl_source_is_file(name.s) || sl_text_is(name, "-")) {
        return sl_fail(err, SL_E_IO, "'%s' cannot come in pages: only http and https URLs do", name.s);
    }
    s->access = s->conf->access;
    TRY(sl_pager_new(s->conf->pages, name, &s->pager, err));
    return open_page(s, err);
}

static sl_status open_next(stream *s, sl_error *err) {
    sl_text name = s->names.v[s->next++];
    if (s->conf->pages) return open_pages(s, name, err);
    TRY(open_input(s, name, &s->conf->access, &s->in, err));
    return enter_input(s, name, err);
}

static void close_current(stream *s) {
    if (s->splitter) s->conf->choices[s->choice].format->split_free(s->splitter);
    s->splitter = NULL;
    if (s->in) {
        s->finished += sl_inflow_taken(s->in);
        s->changed = s->changed || !s->ended || !sl_inflow_unchanged(s->in);
        s->any = true;
    }
    sl_inflow_close(&s->in);
    sl_input_unref(&s->block);
    s->at = 0;
    s->lent = false;
}

/* ---- one page after another ---------------------------------------------------------------------------- */

static void end_pages(stream *s) {
    close_current(s);
    sl_inflow_close(&s->ahead);
    sl_pager_free(&s->pager);
}

/* The address of the next page was found in a page, so it is a link in data, of which the source is the origin. */
static void set_page_access(stream *s) {
    sl_text home = s->names.v[s->next - 1];
    const sl_access *own = &s->conf->access;
    s->access = *own;
    if (!sl_paginate_leads_away(s->conf->pages)) return;
    s->access.from_data = true;
    s->access.origin = own->from_data ? own->origin : home.s;
    if (!sl_url_same_place(home, sl_pager_url(s->pager))) sl_manners_forget(&s->access.manners);
}

/* Looks at what the splitter had no use for: the next address may stand there. */
static sl_status see_rest(stream *s, sl_error *err) {
    char rest[4096];
    while (!s->ended) {
        size_t n;
        TRY(sl_inflow_read(s->in, rest, sizeof rest, &n, err));
        sl_pager_see(s->pager, rest, n);
        s->ended = n == 0;
    }
    return SL_OK;
}

static sl_status turn_page(stream *s, sl_error *err) {
    const char *name = sl_pager_header(s->pager), *header = name ? sl_inflow_header(s->in, name) : NULL;
    sl_page_end end = {.url = sl_text_of(sl_inflow_address(s->in)),
                       .header = sl_text_of(header ? header : ""),
                       .empty = s->page_units == 0};
    TRY(see_rest(s, err));
    return sl_pager_turn(s->pager, &end, err);
}

/* The current input is at its end: it was one of several pages, or all there is. */
static sl_status end_input(stream *s, sl_error *err) {
    if (!s->pager) {
        close_current(s);
        return SL_OK;
    }
    sl_status status = turn_page(s, err);
    if (status == SL_DONE) {
        end_pages(s);
        return SL_OK;
    }
    if (status) sl_error_at(err, s->source, 0, 0);
    TRY(status);
    close_current(s);
    set_page_access(s);
    return open_page(s, err);
}

/* Servers have several ways of saying that there is no such page. */
static bool is_past_the_end(stream *s) {
    int64_t status = s->pager ? s->conf->pages->end_status : 0;
    return status && sl_pager_number(s->pager) > 1 && sl_inflow_status(s->in) == status;
}

/* ---- opening ------------------------------------------------------------------------------------------- */

/* What is missing is said at once; the files themselves are opened one at a time, as a collection may have thousands. */
static sl_status look_at_names(stream *s, sl_error *err) {
    for (uint32_t i = 0; i < s->names.n; i++) {
        const char *name = s->names.v[i].s;
        struct stat st;
        if (!sl_source_is_file(name)) continue;
        if (stat(name, &st)) return sl_fail_open(name, errno, err);
        if (S_ISREG(st.st_mode)) s->total += (uint64_t)st.st_size;
    }
    return sl_source_is_file(s->names.v[0].s) ? SL_OK : open_next(s, err);
}

static void stream_close(void *split) {
    stream *s = split;
    if (!s) return;
    end_pages(s);
    sl_blocks_free(&s->blocks);
    sl_arena_free(&s->own);
    free(s);
}

/* One without names. KEEP: lives as long as the units do; NULL: they do not outlive the stream. */
static sl_status stream_new(const sl_source_conf *conf, const sl_env *env, sl_arena *keep, stream **out,
                            sl_error *err) {
    stream *s = *out = calloc(1, sizeof *s);
    if (!s) return sl_oom(err);
    s->conf = conf;
    s->env = env;
    s->keep = keep ? keep : &s->own;
    s->blocks = sl_blocks_new();
    return s->blocks ? SL_OK : sl_oom(err);
}

static sl_status find_inputs(stream *s, sl_error *err) {
    const sl_source_conf *c = s->conf;
    if (c->may_be_empty && !c->url.n) return SL_OK;
    TRY(sl_access_check(&c->access, c->url, err));
    TRY(sl_source_names(c->url, s->env->base_dir, s->keep, &s->names, err));
    sl_source_note_names(s->env, c->url, &s->names);
    return look_at_names(s, err);
}

static sl_status open_stream(const sl_source_conf *conf, const sl_env *env, sl_arena *keep, void **split,
                             sl_error *err) {
    stream *s = NULL;
    sl_status status = stream_new(conf, env, keep, &s, err);
    if (!status) status = find_inputs(s, err);
    if (status) {
        stream_close(s);
    } else {
        *split = s;
    }
    return status;
}

static sl_status stream_open(const void *conf, const sl_env *env, void **split, sl_error *err) {
    const sl_source_conf *c = conf;
    sl_arena *keep = env->keep ? env->keep : c->keep;
    return open_stream(c, env, env->for_item ? NULL : keep, split, err);
}

sl_inflow *sl_stream_inflow(void *split) {
    return ((const stream *)split)->in;
}

static bool stream_unchanged(void *split) {
    const stream *s = split;
    return s->any && !s->changed && !s->in && s->next == s->names.n;
}

static uint64_t stream_total(void *split) {
    const stream *s = split;
    if (s->total) return s->total;
    return s->in ? sl_inflow_total(s->in) : s->finished;
}

/* ---- reading into blocks ------------------------------------------------------------------------------- */

/* A block of CAP bytes in the place of the one there is, which is dropped. */
static sl_status renew_block(stream *s, size_t cap, size_t rest, sl_error *err) {
    sl_input *fresh = sl_blocks_take(s->blocks, cap);
    if (!fresh) return sl_oom(err);
    if (rest) memcpy(fresh->data, s->block->data + s->at, rest);
    sl_input_unref(&s->block);
    s->block = fresh;
    s->lent = false;
    return SL_OK;
}

/* Whether the block can be filled again: no batch looks into it, and it is no huge one that was made for a huge record. */
static bool is_block_free(const stream *s, size_t cap) {
    return s->block && !s->lent && s->block->cap >= cap && s->block->cap / 4 <= cap;
}

/* Sees to it that there is room behind what is left of the block, by moving that to the front: of the same block if it is free, for then
 * its bytes stay in the core's cache from one unit to the next. */
static sl_status make_room(stream *s, sl_error *err) {
    size_t rest = s->block ? s->block->len - s->at : 0;
    if (s->block && !s->lent && !s->at && s->block->len < s->block->cap) return SL_OK;
    size_t cap = s->env->unit < LEAST_UNIT ? LEAST_UNIT : (size_t)s->env->unit;
    if (cap < rest * 2) cap = rest * 2;
    if (is_block_free(s, cap))
        memmove(s->block->data, s->block->data + s->at, rest);
    else
        TRY(renew_block(s, cap, rest, err));
    s->block->len = rest;
    s->base += s->at;
    s->at = 0;
    return SL_OK;
}

/* Fills the block, or as much of it as comes in a short while: a unit should be large, but what arrives slowly is
 * passed on. */
static sl_status fill(stream *s, sl_error *err) {
    TRY(make_room(s, err));
    sl_input *b = s->block;
    uint64_t patience = 0;
    while (b->len < b->cap) {
        size_t n;
        TRY(sl_inflow_read(s->in, b->data + b->len, b->cap - b->len, &n, err));
        s->ended = n == 0;
        if (s->ended) break;
        if (s->pager) sl_pager_see(s->pager, b->data + b->len, n);
        b->len += n;
        uint64_t now = sl_clock_ns();
        if (!patience) patience = now + PATIENCE_MS * 1000000u;
        int left = now < patience ? (int)((patience - now) / 1000000u) : 0;
        if (!sl_inflow_wait(s->in, left)) break;
    }
    return SL_OK;
}

/* ---- choosing, splitting ------------------------------------------------------------------------------- */

/* Chooses the format, and looks whether what comes is of it. */
static sl_status recognise(stream *s, const char *type, sl_error *err) {
    const sl_input *b = s->block;
    TRY(sl_foreign_file(b->data, b->len, err));
    TRY(sl_choose(s->conf, type, b->data, b->len, &s->choice, err));
    const sl_format *format = s->conf->choices[s->choice].format;
    TRY(sl_foreign_page(format, type, sl_inflow_status(s->in) != 0, b->data, b->len, err));
    return sl_foreign_text(format, b->data, b->len, err);
}

/* 204 and 205 say that there is nothing: no document that is cut short, in whatever format. */
static bool has_no_content(stream *s) {
    long status = sl_inflow_status(s->in);
    return status == 204 || status == 205;
}

static sl_status begin(stream *s, sl_error *err) {
    const char *type;
    TRY(fill(s, err));
    TRY(sl_inflow_type(s->in, &type, err));
    sl_status status = recognise(s, type, err);
    if (status) sl_error_at(err, s->source, 0, 0);
    TRY(status);
    const sl_choice *c = &s->conf->choices[s->choice];
    TRY(c->format->split_new(c->conf, &s->splitter, err));
    if (!c->format->split_address) return SL_OK;
    return c->format->split_address(s->splitter, sl_text_of(sl_inflow_address(s->in)), err);
}

/* The splitter's note with the choice before it. It hardly ever changes within a stream, but it may. */
static sl_status keep_note(stream *s, sl_text note, sl_error *err) {
    if (s->note.n && sl_text_eq((sl_text){s->note.s + 1, s->note.n - 1}, note)) return SL_OK;
    char *copy = sl_arena_alloc(s->keep, (size_t)note.n + 1);
    if (!copy) return sl_oom(err);
    assert(s->choice < (unsigned char)WHOLE_FILE);
    copy[0] = (char)s->choice;
    if (note.n) memcpy(copy + 1, note.s, note.n);
    s->note = (sl_text){copy, note.n + 1};
    return SL_OK;
}

/* The records of DATA[from, to), DATA being what begins at `at`, as a unit. */
static sl_status hand_out(stream *s, const sl_cut *cut, sl_unit *unit, sl_error *err) {
    TRY(keep_note(s, cut->note, err));
    uint64_t taken = sl_inflow_taken(s->in), from = s->at + cut->from;
    *unit = (sl_unit){.length = cut->to - cut->from,
                      .line = cut->line,
                      .index = s->index++,
                      .bytes = taken - s->counted,
                      .source = s->source,
                      .note = s->note};
    s->counted = taken;
    s->page_units += cut->to > cut->from; /* a header alone has no records */
    const char *path = s->env->shared ? NULL : sl_inflow_path(s->in);
    if (path) {
        unit->path = path;
        unit->file = *sl_inflow_file(s->in);
        unit->offset = s->base + from;
    } else {
        unit->input = sl_input_ref(s->block);
        unit->offset = from;
        s->lent = true;
    }
    return SL_OK;
}

/* One look of the splitter at what is there, or at as much of it as a record may have and a byte: so it sees a record that is too long before
 * it sees its end, whatever the size of the block. *GOT: UNIT was filled. */
static sl_status advance(stream *s, sl_unit *unit, bool *got, sl_error *err) {
    const sl_format *format = s->conf->choices[s->choice].format;
    size_t left = s->block->len - s->at,
           shown = left > SL_RECORD_MOST && !s->stuck ? SL_RECORD_MOST + 1 : left;
    sl_cut cut = {0};
    sl_status status =
        format->split(s->splitter, s->block->data + s->at, shown, s->ended && shown == left, &cut, err);
    if (status) {
        sl_error_at(err, s->source, 0, 0);
        return status;
    }
    assert(cut.from <= cut.to && cut.to <= cut.end && cut.end <= shown);
    *got = cut.to > cut.from || cut.whole;
    assert(!*got || cut.line);
    if (*got) TRY(hand_out(s, &cut, unit, err));
    s->at += cut.end;
    assert(s->at <= s->block->len);
    bool all = cut.end == left;
    s->stuck = shown < left && !cut.end;
    if (s->stuck) return SL_OK;
    if (s->ended && !all && !cut.done && !cut.end) {
        return sl_fail(err, SL_E_INTERNAL, "the %s splitter stops before the end of %s", format->name,
                       s->source);
    }
    return cut.done || (s->ended && all) ? end_input(s, err) : SL_OK;
}

/* Whether the next input is a file that makes one unit, for a worker to open and to read. Where sources may be left out, whether it
 * can be opened is for the coordinator to see. */
static bool is_whole_file(const stream *s, uint64_t *size) {
    if (s->in || s->conf->pages || s->env->for_item || s->env->keep_going) return false;
    return sl_source_is_short(s->names.v[s->next].s, s->env->unit, size);
}

static sl_status hand_out_file(stream *s, uint64_t size, sl_unit *unit, sl_error *err) {
    static const char note[] = {WHOLE_FILE};
    sl_text name = s->names.v[s->next++];
    TRY(name_input(s, name, err));
    *unit = (sl_unit){.path = name.s,
                      .length = size,
                      .line = 1,
                      .index = s->index++,
                      .bytes = size,
                      .source = s->source,
                      .note = {note, sizeof note}};
    s->finished += size;
    s->any = s->changed = true;
    return SL_OK;
}

static sl_status stream_split(void *split, sl_unit *unit, sl_error *err) {
    stream *s = split;
    uint64_t size;
    for (bool got = false; !got;) {
        if (!s->in && s->next == s->names.n) return SL_DONE;
        if (is_whole_file(s, &size)) return hand_out_file(s, size, unit, err);
        if (!s->in) TRY(open_next(s, err));
        if (!s->splitter && is_past_the_end(s)) {
            end_pages(s);
            continue;
        }
        if (!s->splitter && has_no_content(s)) {
            s->ended = true;
            TRY(end_input(s, err));
            continue;
        }
        if (!s->splitter) {
            TRY(begin(s, err));
        } else if (!s->ended) {
            TRY(fill(s, err));
        }
        TRY(advance(s, unit, &got, err));
    }
    return SL_OK;
}

/* ---- the worker's half --------------------------------------------------------------------------------- */

typedef struct reader {
    const sl_source_conf *conf;
    sl_range range; /* where units are read from files */
    sl_env env;     /* of `file` */
    stream *file;   /* reads one whole file after another; NULL: none came yet */
    sl_text named;  /* the one at hand */
    struct {
        void *state;
        bool started;
    } formats[]; /* of conf->choices */
} reader;

sl_status sl_stream_start(const void *conf, void **state, sl_error *err) {
    const sl_source_conf *c = conf;
    reader *r = calloc(1, sizeof *r + c->nchoices * sizeof r->formats[0]);
    if (!r) return sl_oom(err);
    r->conf = c;
    r->range.fd = -1;
    *state = r;
    return SL_OK;
}

void sl_stream_stop(void *state) {
    reader *r = state;
    if (!r) return;
    for (uint32_t i = 0; i < r->conf->nchoices; i++) {
        const sl_format *f = r->conf->choices[i].format;
        if (r->formats[i].started && f->stop) f->stop(r->formats[i].state);
    }
    stream_close(r->file);
    sl_range_free(&r->range);
    free(r);
}

static sl_status start_format(reader *r, uint32_t k, sl_error *err) {
    const sl_choice *c = &r->conf->choices[k];
    void **state = &r->formats[k].state;
    if (r->formats[k].started) return SL_OK;
    sl_status status = c->format->start ? c->format->start(c->conf, state, err) : SL_OK;
    r->formats[k].started = status == SL_OK;
    if (status && *state && c->format->stop) c->format->stop(*state);
    if (status) *state = NULL;
    return status;
}

static sl_status read_unit(reader *r, const sl_unit *unit, sl_out *out, uint64_t *quarantined,
                           sl_error *err) {
    uint32_t k = unit->note.n ? (unsigned char)unit->note.s[0] : UINT32_MAX;
    if (k >= r->conf->nchoices)
        return sl_fail(err, SL_E_INTERNAL, "a unit of %s has lost its note", unit->source);
    TRY(start_format(r, k, err));
    sl_input *in = sl_input_ref(unit->input);
    if (!in) TRY(sl_range_input(&r->range, unit, &in, err));
    size_t from = unit->path ? 0 : (size_t)unit->offset;
    sl_block block = {.input = in,
                      .from = from,
                      .to = from + (size_t)unit->length,
                      .line = unit->line,
                      .note = {unit->note.s + 1, unit->note.n - 1},
                      .source = unit->source,
                      .dialect = r->conf->dialect};
    const sl_choice *c = &r->conf->choices[k];
    sl_status status =
        c->format->read(c->conf, r->formats[k].state, &block, sl_emit_batch, out, quarantined, err);
    sl_input_unref(&in);
    return status;
}

static sl_status file_new(reader *r, sl_error *err) {
    if (r->file) return SL_OK;
    r->env = sl_env_apart(r->conf->env);
    r->env.for_item = true;
    return stream_new(r->conf, &r->env, NULL, &r->file, err);
}

/* A unit that is a whole file: the worker is both halves here, splits it and reads it. */
static sl_status read_whole(reader *r, const sl_unit *unit, sl_out *out, uint64_t *quarantined,
                            sl_error *err) {
    TRY(file_new(r, err));
    r->named = sl_text_of(unit->path);
    r->file->names = (sl_texts){.v = &r->named, .n = 1};
    r->file->next = 0;
    r->file->told = unit->source;
    sl_status status = sl_source_drain(&sl_stream_source, r->conf, r->file, r, out, quarantined, err);
    close_current(r->file);
    sl_arena_reset(&r->file->own);
    return status;
}

static sl_status stream_read(const void *conf, void *state, const sl_unit *unit, sl_out *out,
                             uint64_t *quarantined, sl_error *err) {
    (void)conf; /* the state knows it */
    if (unit->note.n && unit->note.s[0] == WHOLE_FILE) return read_whole(state, unit, out, quarantined, err);
    sl_status status = read_unit(state, unit, out, quarantined, err);
    if (status > SL_DONE) sl_error_at(err, unit->source, 0, 0);
    return status;
}

/* Where pages follow one another the next address may stand in a copy: that is read. */
static bool stream_ask(void *split) {
    stream *s = split;
    if (!s->pager) {
        if (!s->in) return true; /* files are opened when their turn comes */
        (void)sl_inflow_status(s->in);
        bool same = sl_inflow_unchanged(s->in);
        if (!same) sl_inflow_finish(s->in); /* whoever reads it next may find it in the cache */
        return same;
    }
    for (;;) {
        sl_unit unit = {0};
        sl_error why = {0};
        sl_status status = stream_split(s, &unit, &why);
        sl_input_unref(&unit.input);
        if (status == SL_DONE) return stream_unchanged(s);
        if (status || s->changed) return false;
    }
}

const sl_source_calls sl_stream_source = {
    .open = stream_open,
    .split = stream_split,
    .total = stream_total,
    .unchanged = stream_unchanged,
    .ask = stream_ask,
    .waits = sl_stream_inflow,
    .close = stream_close,
    .read = stream_read,
};
