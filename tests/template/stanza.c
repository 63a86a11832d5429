/* stanza.c: the template of docs/adding-a-format.md: records of lines `Name: value`, with a blank line between two of them, as package
 * lists and mail headers are written. A line that begins with white space goes on with the value before it. */
#include <stdlib.h>

#include "base/error.h"
#include "formats/encoding.h"
#include "formats/format.h"

typedef struct conf {
    char separator;
} conf;

static const sl_option options[] = {
    {.name = "separator",
     .type = SL_OPT_CHAR,
     .offset = offsetof(conf, separator),
     .fallback = ":",
     .help = "stanza: between a name and its value"},
    {.name = NULL},
};

static sl_status prepare(void *vconf, sl_arena *arena, sl_error *err) {
    const conf *c = vconf;
    (void)arena;
    if (c->separator && !sl_ascii_space(c->separator) && !(c->separator & 0x80)) return SL_OK;
    return sl_fail(err, SL_E_PLAN, "separator: one ASCII character that is no white space, such as :");
}

/* ---- the splitter ---------------------------------------------------------------------------------------- */

typedef struct splitter {
    uint64_t line; /* of what is shown next */
    size_t looked; /* bytes of it that hold no end of a record */
} splitter;

static sl_status split_new(const void *vconf, void **out, sl_error *err) {
    splitter *s = calloc(1, sizeof *s);
    (void)vconf;
    *out = s;
    if (!s) return sl_oom(err);
    s->line = 1;
    return SL_OK;
}

/* Whether the line that ends before DATA[end] is blank. DATA begins with a record, and so with a line. */
static bool ends_blank_line(const char *data, size_t end) {
    if (data[end - 1] != '\n') return false;
    size_t at = end - 1;
    if (at && data[at - 1] == '\r') at--;
    return !at || data[at - 1] == '\n';
}

static sl_status split(void *vsplitter, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err) {
    splitter *s = vsplitter;
    size_t to = n;
    *cut = (sl_cut){.line = s->line};
    while (!last && to > s->looked && !ends_blank_line(data, to)) to--;
    if (!last && to == s->looked) to = 0;
    s->looked = n - to;
    if (!to && n > SL_RECORD_MOST) {
        sl_fail(err, SL_E_DATA, "a record is longer than 64 MiB: a blank line ends one");
        sl_error_at(err, NULL, s->line, 1);
        return SL_E_DATA;
    }
    cut->to = cut->end = to;
    s->line += sl_count_lf(data, to);
    return SL_OK;
}

/* ---- the reader ------------------------------------------------------------------------------------------ */

/* A block of records, on its way into batches. */
typedef struct job {
    const conf *conf;
    sl_builder *builder;
    uint64_t line;
    bool open;           /* a record has begun */
    sl_text name, value; /* of the field at hand, which may go on; no name: there is none */
} job;

static sl_status put_field(job *j, sl_error *err) {
    sl_text name = j->name;
    j->name = (sl_text){0};
    return name.n ? sl_builder_put(j->builder, name, sl_text_value(sl_text_trim(j->value)), err) : SL_OK;
}

static sl_status begin_field(job *j, sl_text line, sl_error *err) {
    const char *at = memchr(line.s, j->conf->separator, line.n);
    sl_text name = at ? sl_text_trim(sl_text_n(line.s, (size_t)(at - line.s))) : (sl_text){0};
    if (!name.n)
        return sl_fail(err, SL_E_DATA, "this line is no field: expected a name, '%c' and its value",
                       j->conf->separator);
    TRY(put_field(j, err));
    if (!j->open) TRY(sl_builder_row(j->builder, err));
    if (!j->open) sl_builder_line(j->builder, j->line);
    j->open = true;
    j->name = name;
    j->value = sl_text_n(at + 1, (size_t)(line.s + line.n - at - 1));
    return SL_OK;
}

static sl_status read_line(job *j, sl_text line, sl_error *err) {
    if (!line.n) {
        TRY(put_field(j, err));
        j->open = false;
        return SL_OK;
    }
    if (!sl_ascii_space(*line.s)) return begin_field(j, line, err);
    if (!j->name.n)
        return sl_fail(err, SL_E_DATA,
                       "a line that begins with white space goes on with a value, and there is none");
    j->value.n = (uint32_t)(line.s + line.n - j->value.s);
    return SL_OK;
}

static sl_status read_lines(job *j, const char *data, size_t n, sl_error *err) {
    for (size_t at = 0; at < n; j->line++) {
        const char *lf = memchr(data + at, '\n', n - at);
        size_t end = lf ? (size_t)(lf - data) : n, length = end - at;
        if (length && data[end - 1] == '\r') length--;
        TRY(read_line(j, sl_text_n(data + at, length), err));
        at = lf ? end + 1 : n;
    }
    TRY(put_field(j, err));
    return sl_builder_flush(j->builder, err);
}

static sl_status read(const void *vconf, void *state, const sl_block *block, sl_batch_sink sink, void *to,
                      uint64_t *quarantined, sl_error *err) {
    const char *data = block->input->data + block->from;
    size_t n = block->to - block->from, good = sl_encoding_valid(SL_UTF8, data, n);
    job j = {.conf = vconf, .line = block->line};
    (void)state, (void)quarantined;
    j.builder = sl_builder_new(0, block->input, sink, to);
    if (!j.builder) return sl_oom(err);
    sl_builder_source(j.builder, block->source);
    sl_status status = read_lines(&j, data, good, err);
    if (status == SL_OK && good < n) status = sl_encoding_fail(SL_UTF8, data[good], err);
    if (status > SL_DONE) sl_error_at(err, block->source, j.line, 1);
    sl_builder_free(&j.builder);
    return status;
}

/* ---- the descriptor -------------------------------------------------------------------------------------- */

const sl_format sl_format_stanza = {
    .name = "stanza",
    .summary = "records of lines 'Name: value' with a blank line between two",
    .suffixes = (const char *const[]){".stanza", ".822", NULL},
    .media_types = (const char *const[]){"text/x-stanza", NULL},
    .refuses = SL_REFUSES_MARKUP,
    .options = options,
    .conf_size = sizeof(conf),
    .prepare = prepare,
    .split_new = split_new,
    .split = split,
    .split_free = free,
    .read = read,
};
