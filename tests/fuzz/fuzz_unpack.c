/* Packed batches: those of any items come back as they were; damaged ones are refused or at least safe to look at. */
#include "format_run.h"
#include "formats/json/json.h"
#include "record/pack.h"

extern const sl_format sl_format_jsonl, sl_format_csv;

/* Everything a batch shows. A damaged one may refuse; then what was written before counts. */
static void show(sl_batch *b, sl_buf *out) {
    sl_error err = {0};
    for (uint32_t i = 0; i < b->nsel; i++) {
        sl_value item;
        uint32_t row = sl_batch_row(b, i);
        if (sl_batch_item(b, row, &item, &err)) return;
        sl_buf_printf(out, "%llu: ", (unsigned long long)sl_batch_line(b, row));
        if (b->pristine) sl_buf_text(out, sl_batch_record(b, row));
        sl_json_write(item, out);
        sl_buf_byte(out, '\n');
    }
}

/* Shows the blocks in BYTES up to the first that is refused. */
static void unpack_all(sl_text bytes, sl_buf *out) {
    sl_input *in = sl_input_copy(bytes.s, bytes.n);
    FUZZ_CHECK(in);
    size_t at = 0;
    while (at < in->len) {
        size_t used = 0;
        sl_batch *b = NULL;
        sl_error err = {0};
        sl_status status = sl_batch_unpack(in, at, in->len - at, &used, &b, &err);
        FUZZ_CHECK(status == err.code && (status == SL_OK) == (b != NULL));
        if (status) break;
        FUZZ_CHECK(used && used <= in->len - at);
        show(b, out);
        sl_batch_free(&b);
        at += used;
    }
    sl_input_unref(&in);
}

typedef struct packed {
    sl_buf blocks, shown;
} packed;

static sl_status pack(void *to, sl_batch *take, sl_error *err) {
    packed *p = to;
    sl_buf before = {0};
    show(take, &before);
    FUZZ_CHECK(sl_batch_pack(take, &p->blocks, err) == SL_OK);
    sl_buf_text(&p->shown, sl_text_n(before.data, before.len));
    sl_buf_free(&before);
    sl_batch_free(&take);
    return SL_OK;
}

/* The batches of TEXT, packed; false when it is no JSON Lines. */
static bool pack_lines(const sl_format *format, const void *conf, sl_text note, sl_text text, packed *p) {
    sl_input *in = sl_input_copy(text.s, text.n);
    sl_block block = {.input = in, .to = text.n, .line = 1, .source = "doc", .note = note};
    void *state = NULL;
    uint64_t quarantined = 0;
    FUZZ_CHECK(in && format->start(conf, &state, NULL) == SL_OK);
    sl_status status = text.n ? format->read(conf, state, &block, pack, p, &quarantined, NULL) : SL_OK;
    format->stop(state);
    sl_input_unref(&in);
    return status == SL_OK;
}

/* The text of IN as batches: a line of JSON each, or CSV. */
static bool pack_text(bool csv, sl_text text, packed *p) {
    sl_arena arena = {0};
    const sl_format *format = csv ? &sl_format_csv : &sl_format_jsonl;
    void *conf = sl_arena_calloc(&arena, 1, format->conf_size);
    sl_pair pairs[] = {{SL_TEXT("has_header"), sl_bool(false)},
                       {SL_TEXT("ragged"), sl_text_value(SL_TEXT("pad"))}};
    FUZZ_CHECK(conf);
    FUZZ_CHECK(
        !sl_options_parse(format->options, sl_map(pairs, csv ? 2 : 0), false, conf, &arena, NULL, NULL));
    FUZZ_CHECK(!format->prepare(conf, &arena, NULL));
    bool good;
    if (csv) {
        format_run r = {.format = format, .conf = conf};
        void *splitter = NULL;
        sl_cut cut = {0};
        sl_input *in = sl_input_copy(text.s, text.n);
        FUZZ_CHECK(in && format->split_new(conf, &splitter, NULL) == SL_OK);
        good = format->split(splitter, in->data, in->len, true, &cut, &r.err) == SL_OK && cut.end == text.n &&
               pack_lines(format, conf, cut.note, sl_text_n(in->data + cut.from, cut.to - cut.from), p);
        format->split_free(splitter);
        sl_input_unref(&in);
    } else {
        good = pack_lines(format, conf, SL_TEXT("l"), text, p);
    }
    sl_arena_free(&arena);
    return good;
}

/* Damage: a count, then that many places and values. */
static void damage(sl_buf *blocks, fuzz_in *in, unsigned n) {
    for (; n && blocks->len; n--) {
        size_t at = (size_t)(fuzz_byte(in) | fuzz_byte(in) << 8) % blocks->len;
        blocks->data[at] = (char)fuzz_byte(in);
    }
}

static void pack_and_damage(fuzz_in *in, uint8_t how) {
    packed p = {0};
    unsigned n = fuzz_byte(in) & 15;
    fuzz_in places = *in;
    for (unsigned i = 0; i < 3 * n; i++) (void)fuzz_byte(in);
    if (pack_text(how & 2, fuzz_rest(in), &p)) {
        sl_buf out = {0};
        unpack_all(sl_text_n(p.blocks.data, p.blocks.len), &out);
        FUZZ_CHECK(out.len == p.shown.len && (!out.len || memcmp(out.data, p.shown.data, out.len) == 0));
        damage(&p.blocks, &places, n);
        unpack_all(sl_text_n(p.blocks.data, p.blocks.len), &out);
        sl_buf_free(&out);
    }
    sl_buf_free(&p.blocks);
    sl_buf_free(&p.shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_in in = fuzz_open(data, size);
    uint8_t how = fuzz_byte(&in); /* 1: the rest is blocks as they are; 2: CSV, else JSON Lines */
    if (how & 1) {
        sl_buf out = {0};
        unpack_all(fuzz_rest(&in), &out);
        sl_buf_free(&out);
    } else {
        pack_and_damage(&in, how);
    }
    return 0;
}
