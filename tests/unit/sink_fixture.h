/* sink_fixture.h: runs a sink over units given as JSON items or CSV text, as the engine would. */
#ifndef SL_TESTS_SINK_FIXTURE_H
#define SL_TESTS_SINK_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include <unistd.h>

#include "record_fixture.h"
#include "sinks/sink.h"

typedef struct rig {
    const sl_sink *sink;
    sl_arena arena;
    void *conf, *state, *out;
    sl_sink_env env;
    uint64_t rows;
    sl_error err;
    sl_status status; /* of the first failure */
} rig;

static inline void rig_conf(rig *r, const char *target, const char *conf) {
    sl_text place;
    r->sink = sl_sink_for(sl_text_of(target), &place, &r->err);
    assert_non_null(r->sink);
    r->conf = sl_arena_calloc(&r->arena, 1, r->sink->conf_size);
    if (!r->env.tmpdir) r->env.tmpdir = "/tmp";
    r->status = sl_options_parse(r->sink->options, parse(&r->arena, conf), false, r->conf, &r->arena, NULL, &r->err);
    if (!r->status) r->status = r->sink->prepare(r->conf, place, &r->env, &r->err);
    if (!r->status && r->sink->start) r->status = r->sink->start(r->conf, &r->state, &r->err);
}

static inline void rig_open(rig *r, const char *target, const char *conf) {
    rig_conf(r, target, conf);
    if (!r->status) r->status = r->sink->open(r->conf, &r->env, &r->out, &r->err);
}

typedef struct unit {
    rig *r;
    sl_buf frame;
} unit;

static inline sl_status unit_batch(void *to, sl_batch *take, sl_error *err) {
    unit *u = to;
    sl_status s = u->r->sink->encode(u->r->conf, u->r->state, take, &u->frame, err);
    sl_batch_free(&take);
    return s;
}

static inline void unit_end(unit *u) {
    rig *r = u->r;
    if (!r->status && r->sink->finish) r->status = r->sink->finish(r->conf, r->state, &u->frame, &r->err);
    if (!r->status) r->status = r->sink->write(r->out, u->frame.data, u->frame.len, &r->rows, &r->err);
    sl_buf_free(&u->frame);
}

/* ITEMS: a JSON array; they make one unit, cut into batches of at most MAX rows (0: the builder's). */
static inline void rig_items(rig *r, const char *items, uint32_t max) {
    unit u = {.r = r};
    if (r->status) return;
    sl_builder *bd = sl_builder_new(max, NULL, unit_batch, &u);
    sl_value list = parse(&r->arena, items);
    for (uint32_t i = 0; i < list.n && !r->status; i++) r->status = sl_builder_add(bd, list.as.list[i], &r->err);
    if (!r->status) r->status = sl_builder_flush(bd, &r->err);
    sl_builder_free(&bd);
    unit_end(&u);
}

/* A pristine batch over well-formed records with ',' and '"'; NAMES is comma-separated. */
static inline sl_batch *csv_batch(const char *names, const char *text, size_t n) {
    sl_input *in = sl_input_copy(text, n);
    uint32_t nfields = 1, nrows = 0;
    for (const char *p = names; *p; p++) nfields += *p == ',';
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        quoted ^= text[i] == '"';
        nrows += !quoted && text[i] == '\n';
    }
    sl_batch *b = sl_batch_new(in, nrows);
    sl_arena *arena = sl_batch_arena(b);
    sl_records *rec = sl_arena_calloc(arena, 1, sizeof *rec);
    uint32_t *start = sl_arena_calloc(arena, nrows + 1, 4), *end = sl_arena_calloc(arena, (size_t)nrows * nfields + 1, 4);
    *rec = (sl_records){.base = in->data,
                        .start = start,
                        .end = end,
                        .nfields = nfields,
                        .quote = '"',
                        .delim = ',',
                        .plain = !memchr(text, '"', n)};
    uint32_t row = 0, field = 0;
    for (uint32_t i = 0; i < n; i++) {
        quoted ^= text[i] == '"';
        if (quoted || (text[i] != ',' && text[i] != '\n')) continue;
        end[row * nfields + field++] = i;
        if (text[i] == ',') continue;
        while (field < nfields) end[row * nfields + field++] = SL_NO_FIELD;
        field = 0;
        start[++row] = i + 1;
    }
    sl_text *columns = sl_arena_calloc(arena, nfields, sizeof *columns);
    const char *at = names;
    for (uint32_t f = 0; f < nfields; f++) {
        size_t len = strcspn(at, ",");
        columns[f] = sl_arena_text(arena, sl_text_n(at, len));
        at += len + 1;
    }
    assert_int_equal(sl_batch_set_records(b, rec, columns, NULL), SL_OK);
    sl_input_unref(&in);
    return b;
}

static inline void rig_csv(rig *r, const char *names, const char *text) {
    unit u = {.r = r};
    if (r->status) return;
    r->status = unit_batch(&u, csv_batch(names, text, strlen(text)), &r->err);
    unit_end(&u);
}

static inline sl_status rig_commit(rig *r) {
    if (!r->status && r->sink->ready) r->status = r->sink->ready(r->out, &r->err);
    if (!r->status) r->status = r->sink->commit(r->out, &r->err);
    return r->status;
}

static inline void rig_close(rig *r) {
    if (!r->sink) return;
    r->sink->close(r->out);
    if (r->state && r->sink->stop) r->sink->stop(r->state);
    if (r->conf && r->sink->destroy) r->sink->destroy(r->conf);
    sl_arena_free(&r->arena);
    *r = (rig){0};
}

#define assert_ok(r)                                                                 \
    do {                                                                             \
        if ((r)->status) fail_msg("status %d: %s", (int)(r)->status, (r)->err.text); \
    } while (0)

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* A fresh folder; the program changes into it. */
static inline int enter_folder(void **state) {
    static char folder[64];
    strcpy(folder, "/tmp/sluice-sink-XXXXXX");
    if (!mkdtemp(folder) || chdir(folder) != 0) return -1;
    *state = folder;
    return 0;
}

static inline int leave_folder(void **state) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    return chdir("/tmp") || system(command);
}

/* The file's bytes as a C string, in ARENA. */
static inline const char *slurp(const char *path, sl_arena *arena) {
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s is not there", path);
    char *text = sl_arena_calloc(arena, 1, 1 << 20);
    size_t n = fread(text, 1, (1 << 20) - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

static inline void assert_file(const char *path, const char *expected) {
    sl_arena arena = {0};
    assert_string_equal(slurp(path, &arena), expected);
    sl_arena_free(&arena);
}

static inline void write_file(const char *path, const char *text) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) < 0, 0);
    fclose(f);
}

/* Files in the working directory. */
static inline int count_files(void) {
    FILE *p = popen("ls -A | wc -l", "r");
    int n = -1;
    assert_int_equal(fscanf(p, "%d", &n), 1);
    pclose(p);
    return n;
}

#endif
