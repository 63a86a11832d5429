/* test_csv.c: delimited text: splitting, scanning and reading. Examples say what is meant; then random text is cut at every
 * place, read by both scanners, and compared with libcsv, since a mistake in vector code shows at one offset of sixty-four. */
#include "format_fixture.h"

#include <csv.h>
#include <stdio.h>

#include "formats/csv/csv.h"

extern const sl_format sl_format_csv, sl_format_tsv;

#define WHOLE SIZE_MAX

static sl_text text_of(const sl_buf *b) {
    return sl_text_n(b->data, b->len);
}

static void expect_run(const sl_format *format, sl_dialect dialect, const char *spec, const char *data,
                       const char *want, uint64_t quarantined) {
    sl_arena arena = {0};
    sl_error err = {0};
    void *conf = fixture_conf(format, spec, &arena, SL_OK, &err);
    const size_t pieces[] = {WHOLE, 1, 7};
    for (size_t i = 0; i < SL_COUNT(pieces); i++) {
        format_run run = {.format = format, .conf = conf, .dialect = dialect, .piece = pieces[i]};
        fixture_run(&run, data, strlen(data));
        if (run.status) fail_msg("%s", run.err.text);
        assert_string_equal(sl_buf_cstr(&run.out), want);
        assert_int_equal(run.quarantined, quarantined);
        fixture_clear(&run);
    }
    sl_arena_free(&arena);
}

static void expect(const char *spec, const char *data, const char *want) {
    expect_run(&sl_format_csv, SL_NATIVE, spec, data, want, 0);
}

static void expect_riko(const char *spec, const char *data, const char *want) {
    expect_run(&sl_format_csv, SL_RIKO, spec, data, want, 0);
}

static void expect_error(const char *spec, const char *data, uint64_t line, uint64_t column,
                         const char *part) {
    sl_arena arena = {0};
    sl_error err = {0};
    void *conf = fixture_conf(&sl_format_csv, spec, &arena, SL_OK, &err);
    const size_t pieces[] = {WHOLE, 1, 5};
    for (size_t i = 0; i < SL_COUNT(pieces); i++) {
        format_run run = {.format = &sl_format_csv, .conf = conf, .piece = pieces[i]};
        fixture_run(&run, data, strlen(data));
        assert_int_equal(run.status, SL_E_DATA);
        if (!strstr(run.err.text, part)) fail_msg("'%s' does not say '%s'", run.err.text, part);
        assert_int_equal(run.err.line, line);
        assert_int_equal(run.err.column, column);
        fixture_clear(&run);
    }
    sl_arena_free(&arena);
}

/* ---- what every reader of CSV does ------------------------------------------------------------------------------ */

static void records_become_items_with_their_lines(void **state) {
    (void)state;
    expect("", "a,b\n1,2\n3,4\n", "2:a=1|b=2\n3:a=3|b=4\n");
    expect("", "a,b\n1,2\n3,", "2:a=1|b=2\n3:a=3|b=\n");
    expect("", "a\n1\n\n2", "2:a=1\n3:a=\n4:a=2\n");
    expect("", "a,b\n 1 , 2 \n", "2:a= 1 |b= 2 \n");
    expect("", "", "");
    expect("", "a,b", "");
    expect("", "a,b\n", "");
    expect("", "a,b\n\n\n1,2\n\n", "4:a=1|b=2\n");
}

static void quotes_hold_delimiters_line_ends_and_quotes(void **state) {
    (void)state;
    expect("", "a,b\n\"1\",\"x,y\"\n", "2:a=1|b=x,y\n");
    expect("", "a,b\n\"1\"\"2\",\"\"\n\"\"\"\",\"\"\"x\"\"\"\n", "2:a=1\"2|b=\n3:a=\"|b=\"x\"\n");
    expect("", "a,b\n\"1\n2\",3\n4,\"5\r\n6\"\n7,8\n", "2:a=1\\n2|b=3\n4:a=4|b=5\\r\\n6\n6:a=7|b=8\n");
    expect("", "\"a,\"\"x\",\"b\nc\"\n1,2\n", "3:a,\"x=1|b\\nc=2\n");
    expect("quote='", "a,b\n'1,''2',\"\n", "2:a=1,'2|b=\"\n");
    expect("quotechar='", "a,b\n'1,2',3\n", "2:a=1,2|b=3\n");
    expect("quote=", "a,b\n\"1,2\"\n", "2:a=\"1|b=2\"\n");
}

static void every_kind_of_line_end_ends_a_record(void **state) {
    (void)state;
    expect("", "a,b\r\n1,2\r\n\"3\",\"4\"\r\n", "2:a=1|b=2\n3:a=3|b=4\n");
    expect("", "a,b\r1,2\r\"3\",\"4\"\r", "2:a=1|b=2\n3:a=3|b=4\n");
    expect("", "a,b\n1,2\r3,4\r\n5,6\r", "2:a=1|b=2\n3:a=3|b=4\n4:a=5|b=6\n");
    expect("", "a\r\n1\r\n\r\n2\r\n", "2:a=1\n3:a=\n4:a=2\n");
    expect("",
           "\xEF\xBB\xBF"
           "a,b\n1,2\n",
           "2:a=1|b=2\n");
    expect_error("", "\xEF\xBB", 1, 1, "byte 0xEF is not valid UTF-8");
}

static void names_of_columns_are_made_unique(void **state) {
    (void)state;
    expect("", "a,a,,a, ,b.c\n1,2,3,4,5,6\n", "2:a=1|a_2=2|column_3=3|a_3=4|column_5=5|b.c=6\n");
    expect("", "x,x_2,x\n1,2,3\n", "2:x=1|x_2=2|x_3=3\n");
    expect("", "x,x,x_2\n1,2,3\n", "2:x=1|x_2=2|x_2_2=3\n");
    expect("dedupe=false", "a,b,a\n1,2,3\n", "2:a=3|b=2\n");
    expect("sanitize=true", "Name Of X,No. of Y,  \xC3\x9Cn\xC3\xAF!,\xE4\xB8\xAD\n1,2,3,4\n",
           "2:name_of_x=1|no_of_y=2|uni=3|\xE4\xB8\xAD=4\n");
    expect("sanitize=true", "A b,a-B,?\n1,2,3\n", "2:a_b=1|a_b_2=2|column_3=3\n");
    expect("has_header=false", "1,2\n3,4\n", "1:column_1=1|column_2=2\n2:column_1=3|column_2=4\n");
    expect("has_header=false\ncol_names=p,q", "1,2\n3,4\n", "1:p=1|q=2\n2:p=3|q=4\n");
    expect("col_names=p,q", "a,b\n1,2\n", "2:p=1|q=2\n");
    expect("has_header=false", "\n\n1,2\n", "3:column_1=1|column_2=2\n");
}

static void dialects_change_delimiter_comments_and_header(void **state) {
    (void)state;
    expect("delimiter=;", "a;b\n1,5;2\n", "2:a=1,5|b=2\n");
    expect("delimiter=tab", "a\tb\n1\t2\n", "2:a=1|b=2\n");
    expect_run(&sl_format_tsv, SL_NATIVE, "", "a\tb\n1,5\t\"2\t3\"\n", "2:a=1,5|b=2\t3\n", 0);
    expect("skip_rows=2", "it's \"odd\nx,y,z\na,b\n1,2\n", "4:a=1|b=2\n");
    expect("skip_rows=1", "x\r\na,b\r\n1,2\r\n", "3:a=1|b=2\n");
    expect("skip_rows=5", "x\ny\n", "");
    expect("comment=#", "# a \"quote,\n#b,c\na,b\n1,2\n#x,\"y\n3,\"#4\"\n#", "4:a=1|b=2\n6:a=3|b=#4\n");
    expect("comment=#", "a\n1#\n#2\n3\n", "2:a=1#\n4:a=3\n");
}

static void ragged_records_are_padded_skipped_or_refused(void **state) {
    (void)state;
    const char *short_rows = "a,b,c\n1,2,3\n4\n5,6\n";
    expect("ragged=pad", short_rows, "2:a=1|b=2|c=3\n3:a=4\n4:a=5|b=6\n");
    expect_run(&sl_format_csv, SL_NATIVE, "ragged=skip", "a,b\n1\n2,3\n4,5,6\n7,8\n",
               "3:a=2|b=3\n5:a=7|b=8\n", 2);
    expect_error("", short_rows, 3, 0, "record has 1 field, the header has 3; use ragged: pad or skip");
    expect_error("", "a,b\n1,2\n\"x\ny\",2\n1,2,3\n", 5, 0, "record has 3 fields, the header has 2");
    expect_error("ragged=pad", "a,b\n1,2,3\n", 2, 0,
                 "record has 3 fields, the header has 2; use ragged: skip");
    expect_error("", "a,b\n1\n2\n", 2, 0, "record has 1 field"); /* two lines with two fields between them */
}

static void lenient_quotes_stand_for_themselves(void **state) {
    (void)state;
    expect("quotes=lenient", "a,b\n5\" disk,2\n", "2:a=5\" disk|b=2\n");
    expect("quotes=lenient", "a,b\n\"x\"y\",2\n3,4\n", "2:a=x\"y|b=2\n3:a=3|b=4\n");
    expect("quotes=lenient", "a,b\n\"x\"y,z\nw\",2\n3,4\n", "2:a=x\"y,z\\nw|b=2\n4:a=3|b=4\n");
    expect("quotes=lenient", "a,b\n1, \"2\n3,4\n", "2:a=1|b= \"2\n3:a=3|b=4\n");
    expect("quotes=lenient", "a,b\n1,\"2\n3,4\n", "2:a=1|b=2\\n3,4\\n\n");
    expect("quotes=lenient", "a\"b,c\n1,2\n", "2:a\"b=1|c=2\n");
}

static void errors_have_line_and_column(void **state) {
    (void)state;
    expect_error("", "a,b\n1,2\nx\"y,2\n", 3, 2, "a quote inside an unquoted field; quotes: lenient");
    expect_error("", "a,b\n\"p\nq\",2\n1,\"\xC3\xA9\"z\n", 4, 6, "text after the closing quote");
    expect_error("", "a,b\n1,2\n3,\"4\n5,6\n", 3, 3, "a quoted field is never closed");
    expect_error("", "a,\"b\n1,2\n", 1, 0, "a quoted name in the header is never closed");
    expect_error("", "a,b\n1,2\n3,\xC3\xA9\xFF\n", 3, 4, "byte 0xFF is not valid UTF-8");
    expect_error("", "a,b\n1\n3,\xFF\n", 2, 0, "record has 1 field");
    expect_error("", "a,\xFF\n1,2\n", 1, 3, "byte 0xFF is not valid UTF-8");
    expect_error("", "a,b\"\n1,2\n", 1, 4, "a quote in the header");
    expect_error("encoding=ascii", "a,b\n1,\xC3\xA9\n", 2, 3, "byte 0xC3 is not ASCII");
}

static void fields_are_decoded_from_their_encoding(void **state) {
    (void)state;
    expect("encoding=latin-1", "\xE9,b\n1,\x80\xFF\n", "2:\xC3\xA9=1|b=\xC2\x80\xC3\xBF\n");
    expect("encoding=Windows-1252", "a,b\n1,\x80 \x9F\n", "2:a=1|b=\xE2\x82\xAC \xC5\xB8\n");
    expect("encoding=cp1252\nragged=pad", "a,b\n\x93\n", "2:a=\xE2\x80\x9C\n");
    expect("encoding=ascii", "a,b\n1,2\n", "2:a=1|b=2\n");
    expect("", "a\n\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80\n", "2:a=\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80\n");
}

static void riko_drops_blank_names_and_blank_records(void **state) {
    (void)state;
    expect_riko("", "a,b,,a\n1,2,3,4\n,,,\n5\n\"x,\"\"y\",q,r,s\n",
                "2:a=1|b=2|a_2=3\n4:a=5|b=~|a_2=~\n5:a=x,\"y|b=q|a_2=r\n");
    expect_riko("", "a,,b\n1,2,3\n, ,\"\"\n4,5,6\n", "2:a=1|b=2\n4:a=4|b=5\n"); /* rectangular */
    expect_riko("", "a,b\n1,2,3\n4,5\n", "2:a=1|b=2\n3:a=4|b=5\n");
    expect_riko("sanitize=true\ndelimiter=;", "Name Of X;No. of Y\n1;2\n", "2:name_of_x=1|no_of_y=2\n");
    expect_riko("skip_rows=1\ncol_names=p,q", "skip\nh1,h2\n1,2\n", "3:p=1|q=2\n");
    expect_riko("col_names=p,q,r", "h1,h2\n1,2\n", "2:p=1|q=2|r=~\n");
    expect_riko("", "a,b\n5\",2\n", "2:a=5\"|b=2\n");
    expect_riko("delimiter=;", "Name Of X;No. of Y\n1;2\n", "2:Name Of X=1|No={ of Y=2}\n");
}

static void refuse(const char *spec, const char *part) {
    sl_arena arena = {0};
    sl_error err = {0};
    (void)fixture_conf(&sl_format_csv, spec, &arena, SL_E_PLAN, &err);
    if (!strstr(err.text, part)) fail_msg("'%s' does not say '%s'", err.text, part);
    sl_arena_free(&arena);
}

static void dialects_that_cannot_be_are_refused(void **state) {
    (void)state;
    refuse("delimiter=\"", "must differ");
    refuse("delimiter=", "one character is needed");
    refuse("comment=,", "must differ");
    refuse("encoding=utf-16", "encoding 'utf-16' is not known");
    refuse("delimiter=\xFF", "ASCII");
}

/* ---- laziness --------------------------------------------------------------------------------------------------- */

typedef struct caught {
    sl_batch *batch;
} caught;

static sl_status catch (void *to, sl_batch *b, sl_error *err) {
    (void)err;
    caught *c = to;
    assert_null(c->batch);
    c->batch = b;
    return SL_OK;
}

static void a_clean_block_becomes_one_lazy_batch(void **state) {
    (void)state;
    static const char data[] = "a,b\r\n1,\"x\r\ny\"\r\n2,\"p\"\"q\"\r\n";
    sl_arena arena = {0};
    sl_error err = {0};
    void *conf = fixture_conf(&sl_format_csv, "", &arena, SL_OK, &err), *splitter;
    sl_input *in = sl_input_copy(data, sizeof data - 1);
    sl_cut cut;
    caught c = {0};
    uint64_t quarantined = 0;
    assert_int_equal(sl_csv_split_new(conf, &splitter, &err), SL_OK);
    assert_int_equal(sl_csv_split(splitter, in->data, in->len, true, &cut, &err), SL_OK);
    assert_int_equal(cut.from, 5);
    assert_int_equal(cut.to, in->len);
    sl_block block = {.input = in, .from = cut.from, .to = cut.to, .line = cut.line, .note = cut.note};
    assert_int_equal(sl_csv_read(conf, NULL, &block, catch, &c, &quarantined, &err), SL_OK);
    sl_csv_split_free(splitter);
    sl_input_unref(&in);
    sl_arena_free(&arena); /* nothing of these is needed by the batch */
    assert_true(c.batch->pristine);
    assert_null(c.batch->cols[0].values);
    assert_true(sl_text_is(sl_batch_record(c.batch, 0), "1,\"x\r\ny\""));
    assert_true(sl_text_is(sl_batch_record(c.batch, 1), "2,\"p\"\"q\""));
    assert_true(sl_text_is(sl_bytes(sl_column_values(c.batch, 1, &err)[1]), "p\"q"));
    assert_null(c.batch->cols[0].values);
    assert_int_equal(sl_batch_line(c.batch, 1), 4);
    sl_batch_free(&c.batch);
}

static void thousands_of_columns_keep_their_names(void **state) {
    (void)state;
    enum { WIDTH = 5000 };
    sl_buf data = {0}, want = {0};
    for (int i = 0; i < WIDTH; i++) sl_buf_printf(&data, "%sn%d", i ? "," : "", i / 2);
    sl_buf_byte(&data, '\n');
    sl_buf_str(&want, "2:");
    for (int i = 0; i < WIDTH; i++) {
        sl_buf_printf(&data, "%s%d", i ? "," : "", i);
        sl_buf_printf(&want, "%sn%d%s=%d", i ? "|" : "", i / 2, i % 2 ? "_2" : "", i);
    }
    sl_buf_byte(&want, '\n');
    expect("", sl_buf_cstr(&data), sl_buf_cstr(&want));
    sl_buf_free(&data);
    sl_buf_free(&want);
}

static void a_record_beyond_the_limit_is_refused(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_error err = {0};
    void *conf = fixture_conf(&sl_format_csv, "", &arena, SL_OK, &err), *splitter;
    const size_t n = SL_CSV_MAX_RECORD + 100;
    sl_input *in = sl_input_new(n);
    assert_non_null(in);
    memset(in->data, 'x', n);
    memcpy(in->data, "a\n1\n\"", 5);
    sl_cut cut;
    assert_int_equal(sl_csv_split_new(conf, &splitter, &err), SL_OK);
    assert_int_equal(sl_csv_split(splitter, in->data, n / 2, false, &cut, &err), SL_OK);
    assert_int_equal(cut.end, 4);
    assert_int_equal(sl_csv_split(splitter, in->data + 4, n - 4, false, &cut, &err), SL_E_DATA);
    assert_int_equal(err.line, 3);
    assert_non_null(strstr(err.text, "64 MiB"));
    sl_csv_split_free(splitter);
    sl_input_unref(&in);
    sl_arena_free(&arena);
}

/* ---- however the input is cut ----------------------------------------------------------------------------------- */

static const char *const nasty_rows[] = {
    "1,plain,row,4\n",
    "2,\"quoted, with comma\",x,4\r\n",
    "3,\"two\nlines\",\"\r\n\",4\n",
    "4,\"doubled \"\"quotes\"\"\",\"\"\"\",\"\"\n",
    "5,stray \" here,\"and \"there\",\"6\"\n",
    "\n",
    "# a comment, with \"one quote\n",
    "6,\"\",,\n",
    "7,a long field that fills more than one vector of sixty-four bytes so that its ends lie in two "
    "chunks,\"and, "
    "quoted,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n\",4\n",
    "8,\xC3\xA9,\xE4\xB8\xAD,4\r",
    "9,\"ends with a stray\"x,\n\"\"\",,\n",
    "10,\"\"\"\n\"\"\n\"\"\n\",3,4\n",
    "\r\n",
    "11,,,\n",
};

static void nasty(sl_buf *out) {
    sl_buf_str(out, "\xEF\xBB\xBF"
                    "dropped \"line\n\n#c\nid,\"te\"\"xt\",\"a\nb\",last\r\n");
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < SL_COUNT(nasty_rows); i++)
            sl_buf_str(out, nasty_rows[(i * 5 + (size_t)round) % 14]);
    sl_buf_str(out, "12,\"the last, without a line end\",x,4");
}

static void pieces_of_every_size_give_the_same_items(void **state) {
    (void)state;
    const sl_csv_scanner *scanners[] = {sl_csv_scanner_best(), sl_csv_scanner_portable()};
    sl_arena arena = {0};
    sl_error err = {0};
    sl_buf data = {0};
    sl_csv_conf *conf = fixture_conf(&sl_format_csv, "quotes=lenient\ncomment=#\nskip_rows=1\nragged=pad",
                                     &arena, SL_OK, &err);
    nasty(&data);
    format_run whole = {.format = &sl_format_csv, .conf = conf, .piece = WHOLE};
    fixture_run(&whole, data.data, data.len);
    assert_int_equal(whole.status, SL_OK);
    assert_non_null(strstr(sl_buf_cstr(&whole.out), "|te\"xt=stray \" here|"));
    for (size_t piece = 1; piece <= data.len; piece++) {
        conf->scanner = scanners[piece % 2];
        format_run run = {.format = &sl_format_csv, .conf = conf, .piece = piece};
        fixture_run(&run, data.data, data.len);
        if (!sl_text_eq(text_of(&run.out), text_of(&whole.out))) fail_msg("pieces of %zu bytes", piece);
        fixture_clear(&run);
    }
    fixture_clear(&whole);
    sl_buf_free(&data);
    sl_arena_free(&arena);
}

/* The stream cut once, at every offset, for both scanners. */
static void both_scanners_cut_alike_at_every_offset(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_error err = {0};
    sl_buf data = {0};
    sl_csv_conf *conf = fixture_conf(&sl_format_csv, "quotes=lenient\ncomment=#\nskip_rows=1\nragged=pad",
                                     &arena, SL_OK, &err);
    nasty(&data);
    for (size_t at = 0; at <= data.len; at++) {
        sl_cut fast, plain;
        for (int portable = 0; portable < 2; portable++) {
            void *splitter;
            conf->scanner = portable ? sl_csv_scanner_portable() : sl_csv_scanner_best();
            sl_input *in = sl_input_copy(data.data, at);
            assert_int_equal(sl_csv_split_new(conf, &splitter, &err), SL_OK);
            assert_int_equal(sl_csv_split(splitter, in->data, at, false, portable ? &plain : &fast, &err),
                             SL_OK);
            sl_csv_split_free(splitter);
            sl_input_unref(&in);
        }
        assert_int_equal(fast.from, plain.from);
        assert_int_equal(fast.to, plain.to);
        assert_int_equal(fast.end, plain.end);
        assert_int_equal(fast.line, plain.line);
    }
    sl_buf_free(&data);
    sl_arena_free(&arena);
}

/* ---- against libcsv --------------------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *seed) {
    *seed += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t x = *seed;
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static unsigned below(uint64_t *seed, unsigned n) {
    return (unsigned)(next_random(seed) % n);
}

static void random_field(sl_buf *out, uint64_t *seed, bool first) {
    static const char *const parts[] = {
        "x", "12", " ", "\"\"", ",", "\n", "\r\n", "\xC3\xA9", "a longer piece of text", "\t"};
    unsigned kind = below(seed, 4), n = below(seed, 5);
    if (kind == 0) {
        sl_buf_byte(out, '"');
        for (unsigned i = 0; i < n; i++) sl_buf_str(out, parts[below(seed, SL_COUNT(parts))]);
        sl_buf_byte(out, '"');
    } else {
        if (first) sl_buf_byte(out, 'r'); /* no record is an empty line */
        for (unsigned i = 0; i < n; i++) sl_buf_str(out, parts[below(seed, 3)]);
    }
}

/* WIDTH 0: as many fields as it pleases each record, and empty lines between them. */
static void random_csv(sl_buf *out, uint64_t *seed, unsigned width) {
    const unsigned rows = 1 + below(seed, 30);
    const char *end = below(seed, 2) ? "\n" : "\r\n";
    for (unsigned r = 0; r < rows; r++) {
        const unsigned fields = width ? width : 1 + below(seed, 6);
        if (!width && below(seed, 4) == 0) sl_buf_str(out, end);
        for (unsigned f = 0; f < fields; f++) {
            if (f) sl_buf_byte(out, ',');
            random_field(out, seed, f == 0);
        }
        if (r + 1 < rows || below(seed, 2)) sl_buf_str(out, end);
    }
}

static void mutate(sl_buf *b, uint64_t *seed) {
    static const char bytes[] = "\"\",,\n\r x#";
    for (unsigned k = 1 + below(seed, 6); k && b->len; k--) {
        size_t at = below(seed, (unsigned)b->len);
        if (!(b->data[at] & 0x80)) b->data[at] = bytes[below(seed, sizeof bytes - 1)];
    }
}

typedef struct oracle {
    sl_buf row, out;
    unsigned fields, most, width; /* width 0: the first record's; UINT_MAX: any */
    bool any;
} oracle;

static void oracle_field(void *s, size_t n, void *to) {
    oracle *o = to;
    sl_buf_printf(&o->row, "%scolumn_%u=", o->fields ? "|" : "", o->fields + 1);
    o->fields++;
    fixture_text(&o->row, sl_text_n(s, n));
}

static void oracle_row(int c, void *to) {
    oracle *o = to;
    (void)c;
    if (o->fields > o->most) o->most = o->fields;
    if (!o->width) o->width = o->fields;
    if (o->any || o->fields == o->width) {
        sl_buf_text(&o->out, text_of(&o->row));
        sl_buf_byte(&o->out, '\n');
    }
    sl_buf_clear(&o->row);
    o->fields = 0;
}

static int no_space(unsigned char c) {
    (void)c;
    return 0;
}

/* False: not strictly CSV. */
static bool ask_oracle(oracle *o, const sl_buf *data, bool strict) {
    struct csv_parser p;
    assert_int_equal(csv_init(&p, strict ? CSV_STRICT | CSV_STRICT_FINI : 0), 0);
    csv_set_space_func(&p, no_space);
    bool ok = csv_parse(&p, data->data, data->len, oracle_field, oracle_row, o) == data->len;
    ok = ok && csv_fini(&p, oracle_field, oracle_row, o) == 0;
    csv_free(&p);
    return ok;
}

static void oracle_free(oracle *o) {
    sl_buf_free(&o->row);
    sl_buf_free(&o->out);
}

static uint64_t compare(sl_csv_conf *conf, const sl_buf *data, const oracle *o, uint64_t seed,
                        const char *what) {
    const size_t pieces[] = {WHOLE, 1 + seed % 97};
    uint64_t lazy = 0;
    for (size_t i = 0; i < SL_COUNT(pieces); i++) {
        conf->scanner = (seed + i) % 2 ? sl_csv_scanner_portable() : sl_csv_scanner_best();
        format_run run = {.format = &sl_format_csv, .conf = conf, .piece = pieces[i], .no_lines = true};
        fixture_run(&run, data->data, data->len);
        if (run.status) fail_msg("%s, seed %llu: %s", what, (unsigned long long)seed, run.err.text);
        if (!sl_text_eq(text_of(&run.out), text_of(&o->out))) {
            fail_msg("%s, seed %llu:\n%s---- libcsv:\n%.*s---- of:\n%.*s", what, (unsigned long long)seed,
                     sl_buf_cstr(&run.out), (int)o->out.len, o->out.data, (int)data->len, data->data);
        }
        lazy += run.lazy;
        fixture_clear(&run);
    }
    return lazy;
}

static void clean_text_is_read_as_libcsv_reads_it(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_error err = {0};
    sl_csv_conf *conf = fixture_conf(&sl_format_csv, "has_header=false", &arena, SL_OK, &err);
    uint64_t lazy = 0;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t random = seed;
        sl_buf data = {0};
        oracle o = {.any = true};
        random_csv(&data, &random, 2 + below(&random, 9));
        assert_true(ask_oracle(&o, &data, true));
        lazy += compare(conf, &data, &o, seed, "clean");
        oracle_free(&o);
        sl_buf_free(&data);
    }
    assert_true(lazy > 6000); /* all of it by the index */
    sl_arena_free(&arena);
}

enum { NAMES = 64 };

/* Any number of fields a record: names for more than there are, short records padded. */
static void stray_quotes_are_read_as_libcsv_reads_them(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_error err = {0};
    sl_buf spec = {0};
    sl_buf_str(&spec, "has_header=false\nquotes=lenient\nragged=pad\ncol_names=");
    for (int i = 0; i < NAMES; i++) sl_buf_printf(&spec, "%scolumn_%d", i ? "," : "", i + 1);
    sl_csv_conf *conf = fixture_conf(&sl_format_csv, sl_buf_cstr(&spec), &arena, SL_OK, &err);
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        uint64_t random = seed;
        sl_buf data = {0};
        oracle o = {.any = true};
        random_csv(&data, &random, below(&random, 7));
        if (seed % 4) mutate(&data, &random);
        assert_true(ask_oracle(&o, &data, false));
        if (o.most < NAMES) compare(conf, &data, &o, seed, "dirty");
        oracle_free(&o);
        sl_buf_free(&data);
    }
    sl_buf_free(&spec);
    sl_arena_free(&arena);
}

/* The first record says how many fields there are; others are left out. */
static void ragged_text_is_read_as_libcsv_reads_it(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_error err = {0};
    sl_csv_conf *conf =
        fixture_conf(&sl_format_csv, "has_header=false\nquotes=lenient\nragged=skip", &arena, SL_OK, &err);
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        uint64_t random = seed * 77;
        sl_buf data = {0};
        oracle o = {0};
        random_csv(&data, &random, seed % 2 ? 2 + below(&random, 6) : 0);
        if (below(&random, 2)) mutate(&data, &random);
        assert_true(ask_oracle(&o, &data, false));
        if (o.width > 1) compare(conf, &data, &o, seed, "mixed");
        oracle_free(&o);
        sl_buf_free(&data);
    }
    sl_arena_free(&arena);
}

/* What libcsv refuses in strict mode is refused, and nothing else. */
static void strict_reading_refuses_what_libcsv_refuses(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_error err = {0};
    sl_csv_conf *conf = fixture_conf(&sl_format_csv, "has_header=false\nragged=skip", &arena, SL_OK, &err);
    unsigned refused = 0;
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        uint64_t random = seed * 1001;
        sl_buf data = {0};
        oracle o = {.any = true};
        random_csv(&data, &random, 2 + below(&random, 6));
        mutate(&data, &random);
        bool strict = ask_oracle(&o, &data, true);
        format_run run = {.format = &sl_format_csv, .conf = conf, .piece = 1 + seed % 50};
        fixture_run(&run, data.data, data.len);
        if (strict != (run.status == SL_OK)) {
            fail_msg("seed %llu: %s, libcsv says %s:\n%.*s", (unsigned long long)seed, run.err.text,
                     strict ? "good" : "bad", (int)data.len, data.data);
        }
        refused += !strict;
        fixture_clear(&run);
        oracle_free(&o);
        sl_buf_free(&data);
    }
    assert_true(refused > 500 && refused < 3500);
    sl_arena_free(&arena);
}

/* ---- the two scanners ------------------------------------------------------------------------------------------- */

static void both_scanners_find_the_same_index(void **state) {
    (void)state;
    const sl_csv_dialect d = {',', '"', '#'};
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t random = seed;
        sl_buf data = {0};
        sl_csv_index a = {0}, b = {0};
        random_csv(&data, &random, 1 + below(&random, 20));
        if (seed % 3 == 0) mutate(&data, &random);
        sl_input *in = sl_input_copy(data.data, data.len);
        assert_int_equal(sl_csv_index_block(sl_csv_scanner_best(), &d, &a, in->data, in->len, NULL), SL_OK);
        assert_int_equal(sl_csv_index_block(sl_csv_scanner_portable(), &d, &b, in->data, in->len, NULL),
                         SL_OK);
        assert_int_equal(a.dirty, b.dirty);
        if (!a.dirty) {
            assert_int_equal(a.n, b.n);
            assert_int_equal(a.ninner, b.ninner);
            assert_int_equal(a.lines, b.lines);
            assert_int_equal(a.quotes, b.quotes);
            assert_memory_equal(a.ends, b.ends, a.n * sizeof *a.ends);
            assert_memory_equal(a.inner, b.inner, a.ninner * sizeof *a.inner);
        }
        sl_csv_index_free(&a);
        sl_csv_index_free(&b);
        sl_input_unref(&in);
        sl_buf_free(&data);
    }
}

/* ---- finding a format ------------------------------------------------------------------------------------------- */

static void expect_format(const char *name, const char *want) {
    const sl_format *f = sl_format_for(sl_text_of(name));
    assert_string_equal(f ? f->name : "none", want);
}

static void formats_are_found_by_suffix_and_name(void **state) {
    (void)state;
    expect_format("x.csv", "csv");
    expect_format("dir.csv/X.TSV.gz", "tsv");
    expect_format("x.jsonl.zst", "jsonl");
    expect_format("http://h/a.json?x=y.csv", "json");
    expect_format("what?.csv", "csv");
    expect_format("x.txt", "text");
    expect_format("x", "none");
    expect_format(".gz", "none");
    expect_format(".csv", "none");
    assert_string_equal(sl_format_named(SL_TEXT("CSV"))->name, "csv");
    assert_string_equal(sl_format_named(SL_TEXT(".ndjson"))->name, "jsonl");
    assert_null(sl_format_named(SL_TEXT("xls")));
    assert_null(sl_format_named(SL_TEXT("")));
    unsigned n = 0;
    for (const sl_format *f; (f = sl_format_at(n)); n++)
        assert_ptr_equal(sl_format_named(sl_text_of(f->name)), f);
    assert_true(n > 5);
}

static const char *name_of(const sl_format *f) {
    return f ? f->name : "none";
}

static void streams_are_recognised_by_media_type_and_first_bytes(void **state) {
    (void)state;
    static const char *const types[][2] = {
        {"Text/CSV", "csv"},
        {"application/geo+json", "json"},
        {"application/x-ndjson", "jsonl"},
        {"text/xml", "xml"},
        {"image/svg+xml", "xml"},
        {"text/html", "html"},
        {"text/plain", "none"},
        {"x-text/csv", "none"},
        {"", "none"},
        {"application/x+xml2", "none"},
    };
    static const char *const beginnings[][2] = {
        {"", "json"},
        {" \r\n\t", "json"},
        {"{", "json"},
        {"\xef\xbb\xbf [1", "json"},
        {"<a>", "xml"},
        {"<HTML>", "html"},
        {"<!DocType HTML>", "html"},
        {"a,b", "none"},
        {"<!doctype x", "xml"},
    };
    for (size_t i = 0; i < SL_COUNT(types); i++)
        assert_string_equal(name_of(sl_format_of_type(sl_text_of(types[i][0]))), types[i][1]);
    for (size_t i = 0; i < SL_COUNT(beginnings); i++)
        assert_string_equal(name_of(sl_format_of_bytes(beginnings[i][0], strlen(beginnings[i][0]))),
                            beginnings[i][1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_become_items_with_their_lines),
        cmocka_unit_test(quotes_hold_delimiters_line_ends_and_quotes),
        cmocka_unit_test(every_kind_of_line_end_ends_a_record),
        cmocka_unit_test(names_of_columns_are_made_unique),
        cmocka_unit_test(dialects_change_delimiter_comments_and_header),
        cmocka_unit_test(ragged_records_are_padded_skipped_or_refused),
        cmocka_unit_test(lenient_quotes_stand_for_themselves),
        cmocka_unit_test(errors_have_line_and_column),
        cmocka_unit_test(fields_are_decoded_from_their_encoding),
        cmocka_unit_test(riko_drops_blank_names_and_blank_records),
        cmocka_unit_test(dialects_that_cannot_be_are_refused),
        cmocka_unit_test(a_clean_block_becomes_one_lazy_batch),
        cmocka_unit_test(thousands_of_columns_keep_their_names),
        cmocka_unit_test(a_record_beyond_the_limit_is_refused),
        cmocka_unit_test(pieces_of_every_size_give_the_same_items),
        cmocka_unit_test(both_scanners_cut_alike_at_every_offset),
        cmocka_unit_test(clean_text_is_read_as_libcsv_reads_it),
        cmocka_unit_test(stray_quotes_are_read_as_libcsv_reads_them),
        cmocka_unit_test(ragged_text_is_read_as_libcsv_reads_it),
        cmocka_unit_test(strict_reading_refuses_what_libcsv_refuses),
        cmocka_unit_test(both_scanners_find_the_same_index),
        cmocka_unit_test(formats_are_found_by_suffix_and_name),
        cmocka_unit_test(streams_are_recognised_by_media_type_and_first_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
