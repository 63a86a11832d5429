/* header.c: what the first record makes of the columns. The header is read by the splitter, which meets it first, and travels
 * with every unit as a *note*, so that a worker can name the columns of a unit from the middle of a file. Names are made unique
 * here, and here alone, as all later steps find fields by name. */
#include "formats/csv/csv.h"

#include <ctype.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/unicode.h"

/* ---- the note --------------------------------------------------------------------------------------------------- */

void sl_csv_note_write(const sl_csv_note *note, sl_buf *out) {
    sl_buf_u64(out, note->line);
    sl_buf_u32(out, note->nfields);
    sl_buf_text(out, note->header);
}

sl_status sl_csv_note_read(sl_text bytes, sl_csv_note *note, sl_error *err) {
    sl_cursor c = {bytes.s, bytes.s + bytes.n, false};
    note->line = sl_cursor_u64(&c);
    note->nfields = sl_cursor_u32(&c);
    if (c.failed) return sl_fail(err, SL_E_INTERNAL, "csv: a unit came without the head of its stream");
    note->header = sl_text_n(c.at, (size_t)(c.end - c.at));
    return SL_OK;
}

/* ---- names from a record ---------------------------------------------------------------------------------------- */

typedef struct names {
    sl_text *v;
    uint32_t n;
} names;

/* Doubled quotes are one; a stray quote stays. */
static sl_status unquote(sl_text cell, char quote, sl_arena *arena, sl_text *out, sl_error *err) {
    *out = cell;
    if (!quote || cell.n == 0 || cell.s[0] != quote) return SL_OK;
    uint32_t end = cell.n > 1 && cell.s[cell.n - 1] == quote ? cell.n - 1 : cell.n;
    char *s = sl_arena_alloc(arena, cell.n), *o = s;
    if (!s) return sl_oom(err);
    for (uint32_t i = 1; i < end; i++) {
        *o++ = cell.s[i];
        if (cell.s[i] == quote && i + 1 < end && cell.s[i + 1] == quote) i++;
    }
    *out = sl_text_n(s, (size_t)(o - s));
    return SL_OK;
}

static sl_status place(const sl_block *block, const sl_csv_note *note, sl_text text, size_t at,
                       sl_status status, sl_error *err) {
    sl_error_at(err, block->source, note->line + sl_count_lf(text.s, at), sl_column_of(text.s, at));
    return status;
}

static sl_status check_header(const sl_csv_conf *conf, const sl_block *block, const sl_csv_note *note,
                              sl_text text, const sl_csv_fields *fields, sl_error *err) {
    size_t valid = sl_encoding_valid(conf->charset == SL_ASCII ? SL_ASCII : SL_UTF8, text.s, text.n);
    if (valid < text.n) {
        return place(block, note, text, valid, sl_encoding_fail(conf->charset, text.s[valid], err), err);
    }
    if (fields->stray == SIZE_MAX || conf->quotes || block->dialect == SL_RIKO) return SL_OK;
    sl_status status = sl_fail(err, SL_E_DATA,
                               "a quote in the header is neither at the start nor at the end of its "
                               "name; quotes: lenient takes it as it is");
    return place(block, note, text, fields->stray, status, err);
}

static sl_status split_header(const sl_csv_conf *conf, sl_text text, const sl_csv_fields *f, sl_arena *arena,
                              names *out, sl_error *err) {
    out->v = sl_arena_calloc(arena, f->n, sizeof *out->v);
    if (!out->v) return sl_oom(err);
    size_t from = 0;
    for (size_t i = 0; i < f->n; i++) {
        TRY(unquote(sl_text_n(text.s + from, f->ends[i] - from), conf->quote, arena, &out->v[i], err));
        from = f->ends[i] + 1;
    }
    out->n = (uint32_t)f->n;
    return SL_OK;
}

static sl_status decode_header(const sl_csv_conf *conf, sl_text raw, sl_arena *arena, sl_text *out,
                               sl_error *err) {
    sl_input *decoded;
    TRY(sl_encoding_decode(conf->charset, raw.s, raw.n, &decoded, err));
    *out = sl_arena_text(arena, decoded ? sl_text_n(decoded->data, decoded->len) : raw);
    sl_input_unref(&decoded);
    return out->s ? SL_OK : sl_oom(err);
}

static sl_status header_names(const sl_csv_conf *conf, const sl_block *block, const sl_csv_note *note,
                              sl_arena *arena, names *out, sl_error *err) {
    sl_text text;
    TRY(decode_header(conf, note->header, arena, &text, err));
    sl_csv_dialect d = sl_csv_dialect_of(conf);
    sl_csv_reading reading = {0};
    sl_csv_fields fields = {0};
    sl_csv_fields_reset(&fields);
    (void)sl_csv_read_record(&d, &reading, text.s, text.n, true, &fields);
    sl_status status = fields.failed ? sl_oom(err) : check_header(conf, block, note, text, &fields, err);
    if (!status) status = split_header(conf, text, &fields, arena, out, err);
    sl_csv_fields_free(&fields);
    return status;
}

/* ---- names for people ------------------------------------------------------------------------------------------- */

/* Letters U+00C0..U+017F without their marks; two of a pair where one letter stands for two. */
static const char *const plain_letters[] = {
    "a", "a", "a",  "a",  "a", "a", "ae", "c",  "e",  "e", "e", "e", "i",  "i",  "i", "i", "d", "n",
    "o", "o", "o",  "o",  "o", "x", "o",  "u",  "u",  "u", "u", "y", "th", "ss", "a", "a", "a", "a",
    "a", "a", "ae", "c",  "e", "e", "e",  "e",  "i",  "i", "i", "i", "d",  "n",  "o", "o", "o", "o",
    "o", "",  "o",  "u",  "u", "u", "u",  "y",  "th", "y", "a", "a", "a",  "a",  "a", "a", "c", "c",
    "c", "c", "c",  "c",  "c", "c", "d",  "d",  "d",  "d", "e", "e", "e",  "e",  "e", "e", "e", "e",
    "e", "e", "g",  "g",  "g", "g", "g",  "g",  "g",  "g", "h", "h", "h",  "h",  "i", "i", "i", "i",
    "i", "i", "i",  "i",  "i", "i", "ij", "ij", "j",  "j", "k", "k", "k",  "l",  "l", "l", "l", "l",
    "l", "l", "l",  "l",  "l", "n", "n",  "n",  "n",  "n", "n", "n", "ng", "ng", "o", "o", "o", "o",
    "o", "o", "oe", "oe", "r", "r", "r",  "r",  "r",  "r", "s", "s", "s",  "s",  "s", "s", "s", "s",
    "t", "t", "t",  "t",  "t", "t", "u",  "u",  "u",  "u", "u", "u", "u",  "u",  "u", "u", "u", "u",
    "w", "w", "y",  "y",  "y", "z", "z",  "z",  "z",  "z", "z", "s"};

/* One character of a name: letters and digits in lower case, other scripts as they are, the rest a separator. */
static void slug_char(sl_buf *out, const char *s, unsigned n, uint32_t code) {
    if (code < 0x80 && isalnum((int)code)) {
        sl_buf_byte(out, (char)tolower((int)code));
    } else if (code >= 0xC0 && code < 0xC0 + SL_COUNT(plain_letters)) {
        sl_buf_str(out, plain_letters[code - 0xC0]);
    } else if (code >= 0x180 && !(code >= 0x2000 && code < 0x2C00) && !(code >= 0x3000 && code < 0x3040)) {
        sl_buf_add(out, s, n);
    } else if (out->len && out->data[out->len - 1] != '_') {
        sl_buf_byte(out, '_');
    }
}

static sl_status slug(sl_text *name, sl_arena *arena, sl_error *err) {
    sl_buf out = {0};
    uint32_t code;
    for (uint32_t i = 0; i < name->n;) {
        unsigned k = sl_utf8_decode(name->s + i, name->n - i, &code);
        if (k) slug_char(&out, name->s + i, k, code);
        i += k ? k : 1;
    }
    while (out.len && out.data[out.len - 1] == '_') out.len--;
    sl_status status = sl_buf_check(&out, err);
    *name = sl_arena_text(arena, sl_text_n(out.data, out.len));
    sl_buf_free(&out);
    if (!status && !name->s) status = sl_oom(err);
    return status;
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

/* Names seen so far: open addressing over the columns; a slot holds index + 1. */
typedef struct seen {
    uint32_t *slots;
    size_t mask;
    const sl_csv_column *cols;
} seen;

/* The slot of NAME: holds its column, or 0 where it belongs. */
static uint32_t *slot_of(const seen *s, sl_text name) {
    size_t i = sl_hash(name.s, name.n, 0) & s->mask;
    while (s->slots[i] && !sl_text_eq(s->cols[s->slots[i] - 1].name, name)) i = (i + 1) & s->mask;
    return &s->slots[i];
}

/* x, x_2, x_3: the first that is free. */
static sl_status free_name(const seen *s, sl_text *name, sl_arena *arena, sl_error *err) {
    const sl_text stem = *name;
    for (unsigned k = 2; *slot_of(s, *name); k++) {
        *name = sl_arena_printf(arena, "%.*s_%u", (int)stem.n, stem.s, k);
        if (!name->s) return sl_oom(err);
    }
    return SL_OK;
}

/* Without dedupe the last of several fields of one name gives the value, at the place of the first. */
static sl_status add_column(const sl_csv_conf *conf, seen *s, sl_csv_header *h, sl_text name, uint32_t field,
                            sl_arena *arena, sl_error *err) {
    if (conf->dedupe) TRY(free_name(s, &name, arena, err));
    uint32_t *slot = slot_of(s, name);
    if (*slot) {
        h->cols[*slot - 1].field = field;
        return SL_OK;
    }
    h->cols[h->ncols] = (sl_csv_column){name, field};
    *slot = ++h->ncols;
    h->dotted |= memchr(name.s, '.', name.n) != NULL;
    return SL_OK;
}

static bool blank(sl_text name) {
    return sl_text_trim(name).n == 0;
}

static sl_status add_columns(const sl_csv_conf *conf, const names *from, bool shift, sl_arena *arena,
                             sl_csv_header *h, sl_error *err) {
    seen s = {.mask = 15, .cols = h->cols};
    while (s.mask < (size_t)from->n * 2) s.mask = s.mask * 2 + 1;
    s.slots = sl_arena_calloc(arena, s.mask + 1, sizeof *s.slots);
    if (!s.slots) return sl_oom(err);
    uint32_t field = 0;
    for (uint32_t i = 0; i < from->n; i++) {
        sl_text name = from->v[i];
        if (blank(name) && shift) continue;
        if (conf->sanitize) TRY(slug(&name, arena, err));
        if (blank(name)) name = sl_arena_printf(arena, "column_%u", i + 1);
        if (!name.s) return sl_oom(err);
        TRY(add_column(conf, &s, h, name, field++, arena, err));
    }
    return SL_OK;
}

/* The names there are before they are made unique: col_names, else the header's, else none (numbered later). */
static sl_status find_names(const sl_csv_conf *conf, const sl_block *block, const sl_csv_note *note,
                            sl_arena *arena, names *out, sl_error *err) {
    if (conf->col_names.given) {
        *out = (names){conf->col_names.v, conf->col_names.n};
        return SL_OK;
    }
    if (note->header.n) return header_names(conf, block, note, arena, out, err);
    out->n = note->nfields;
    out->v = sl_arena_calloc(arena, note->nfields, sizeof *out->v);
    return out->v ? SL_OK : sl_oom(err);
}

sl_status sl_csv_columns(const sl_csv_conf *conf, const sl_text *v, uint32_t n, sl_arena *arena,
                         sl_csv_header *header, sl_error *err) {
    const names from = {.v = (sl_text *)(uintptr_t)v, .n = n};
    *header = (sl_csv_header){.width = n, .cols = sl_arena_calloc(arena, n, sizeof *header->cols)};
    if (!header->cols) return sl_oom(err);
    return add_columns(conf, &from, false, arena, header, err);
}

sl_status sl_csv_header_make(const sl_csv_conf *conf, const sl_block *block, sl_arena *arena,
                             sl_csv_header *header, sl_error *err) {
    sl_csv_note note = {0};
    names found = {0};
    const bool riko = block->dialect == SL_RIKO;
    *header = (sl_csv_header){0};
    TRY(sl_csv_note_read(block->note, &note, err));
    TRY(find_names(conf, block, &note, arena, &found, err));
    header->cols = sl_arena_calloc(arena, found.n, sizeof *header->cols);
    if (!header->cols) return sl_oom(err);
    /* riko pairs the names that are not blank with the fields from the left, whatever their numbers */
    TRY(add_columns(conf, &found, riko && note.header.n, arena, header, err));
    header->width = riko ? note.nfields : found.n;
    header->whole = header->ncols == header->width;
    for (uint32_t i = 0; i < header->ncols; i++) header->whole &= header->cols[i].field == i;
    return SL_OK;
}
