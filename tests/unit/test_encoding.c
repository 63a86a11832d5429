/* Which encoding a text is in, by how it begins; and bytes that are no text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/error.h"
#include "formats/encoding.h"
#include "sources/stream/sniff.h"
#include "sources/stream/transcode.h"

#define BYTES(literal) (literal), sizeof(literal) - 1

static void expect(const char *data, size_t n, const char *charset, bool guess, const char *want) {
    sl_sniffed found;
    assert_int_equal(sl_sniff(data, n, sl_text_of(charset), guess, &found, NULL), SL_OK);
    if (strcmp(found.name, want)) fail_msg("'%.40s': '%s', not '%s'", data, found.name, want);
}

static void a_mark_at_the_start_decides(void **state) {
    (void)state;
    expect(BYTES("\xff\xfe"
                 "a\0"),
           "latin-1", false, "UTF-16LE");
    expect(BYTES("\xfe\xff\0a"), "", false, "UTF-16BE");
    expect(BYTES("\xff\xfe\0\0a\0\0\0"), "", false, "UTF-32LE");
    expect(BYTES("\0\0\xfe\xff\0\0\0a"), "", false, "UTF-32BE");
    expect(BYTES("\xef\xbb\xbf\xe9"), "latin-1", true, "");
    expect(BYTES("<\0?\0x\0"), "", false, "UTF-16LE");
    expect(BYTES("\0<\0?\0x"), "", false, "UTF-16BE");
}

static void a_declaration_decides_unless_there_is_a_mark(void **state) {
    (void)state;
    expect(BYTES("<?xml version='1.0' encoding = 'iso-8859-15' ?><a/>"), "utf-8", false, "iso-8859-15");
    expect(BYTES("<?xml version='1.0' encoding=\"UTF-8\"?><a/>"), "latin-1", false, "");
    expect(BYTES("<?xml version='1.0'?><a encoding='latin-1'/>"), "", false, "");
    expect(BYTES("<?xml encoding='klingon'?><a/>"), "koi8-r", false, "koi8-r");
    expect(BYTES("<?xml encoding='utf-16'?><a/>"), "", false, ""); /* it could not be read */
    expect(BYTES(" \n<!DOCTYPE html><META CHARSET=koi8-r>"), "", false, "koi8-r");
    expect(BYTES("<html><meta http-equiv=a content='text/html; charset=shift_jis'>"), "", false, "shift_jis");
    expect(BYTES("<html><meta charset=\"ISO-8859-1\">"), "", false, "windows-1252");
    expect(BYTES("<html><p title='charset=koi8-r'>"), "", false, "");
    expect(BYTES("a,b\ncharset=koi8-r"), "", false, "");
    expect(BYTES("a,b"), "ISO-8859-1", false, "ISO-8859-1");
    expect(BYTES("a,b"), "nobody-knows", false, "");
}

static void a_guess_is_made_for_pages_or_when_asked(void **state) {
    (void)state;
    static const char french[] = "<html><p>L'\xe9t\xe9 dernier, les \xe9l\xe8ves du coll\xe8ge \xe9taient "
                                 "tr\xe8s fatigu\xe9s apr\xe8s la f\xeate \xe0 No\xebl.";
    expect(BYTES(french), "", true, "windows-1252");
    expect(BYTES(french), "", false, "windows-1252"); /* markup that is no XML */
    expect(french + 6, sizeof french - 7, "", false, "windows-1252");
    expect("x"
           "caf\xe9, tr\xe8s",
           11, "", false, "");                             /* not asked for */
    expect(BYTES("<html><p>\xc3\xa9t\xc3"), "", true, ""); /* a character cut off by the end */
}

static void looking_stops_when_enough_is_seen(void **state) {
    (void)state;
    assert_false(sl_sniff_enough(BYTES("a,b")));
    assert_true(sl_sniff_enough(BYTES("a,b\n")));
    assert_false(sl_sniff_enough(BYTES("<?xml encod")));
    assert_true(sl_sniff_enough(BYTES("<?xml ?>")));
    assert_false(sl_sniff_enough(BYTES("<html><meta")));
    assert_false(sl_sniff_enough(BYTES("   \n")));
    char page[SL_SNIFF_ENOUGH];
    memset(page, '<', sizeof page);
    assert_true(sl_sniff_enough(page, sizeof page));
}

/* All of TEXT through a converter, PIECE bytes at a time. */
static sl_status convert(const char *name, bool lenient, const char *text, size_t n, size_t piece,
                         sl_buf *out, sl_error *err) {
    sl_transcode *t = NULL;
    sl_status status = sl_transcode_new(sl_text_of(name), &t, err);
    if (status) return status;
    if (lenient) sl_transcode_lenient(t);
    for (size_t made = 1, at = 0; !status && (at < n || made);) {
        char buf[16];
        const char *in = text + at;
        size_t left = n - at < piece ? n - at : piece;
        status = sl_transcode_run(t, &in, &left, buf, sizeof buf, &made, err);
        at = (size_t)(in - text);
        if (!status) sl_buf_add(out, buf, made);
    }
    char last[4];
    size_t made = 0;
    if (!status) status = sl_transcode_finish(t, last, &made, err);
    if (!status) sl_buf_add(out, last, made);
    sl_transcode_free(&t);
    return status;
}

static void text_is_converted_in_pieces_of_every_size(void **state) {
    (void)state;
    for (size_t piece = 1; piece < 9; piece++) {
        sl_buf out = {0};
        sl_error err = {0};
        assert_int_equal(convert("utf-16le", false, BYTES("a\0\x3d\xd8\x00\xde\xe9\0"), piece, &out, &err),
                         SL_OK);
        assert_string_equal(sl_buf_cstr(&out), "a\xf0\x9f\x98\x80\xc3\xa9");
        sl_buf_clear(&out);
        assert_int_equal(convert("Shift_JIS", false, BYTES("\x93\xfa\x96\x7b"), piece, &out, &err), SL_OK);
        assert_string_equal(sl_buf_cstr(&out), "\xe6\x97\xa5\xe6\x9c\xac");
        sl_buf_clear(&out);
        assert_int_equal(convert("shift_jis", false, BYTES("abc\x85\xff"), piece, &out, &err), SL_E_DATA);
        assert_string_equal(err.text, "byte 0x85 at offset 3 is not shift_jis text");
        sl_buf_clear(&out);
        assert_int_equal(convert("shift_jis", true, BYTES("abc\xff"), piece, &out, NULL), SL_OK);
        assert_string_equal(sl_buf_cstr(&out), "abc\xef\xbf\xbd");
        sl_buf_free(&out);
    }
}

static void usual_names_of_encodings_are_known_and_paths_are_not(void **state) {
    (void)state;
    static const char *const known[] = {"latin-1",   "latin_1", "iso8859_1",    "ISO-8859-15",
                                        "latin-9",   "cp1252",  "windows-1251", "utf_16",
                                        "utf-16-le", "koi8-r",  "mac-roman",    "big5"};
    for (size_t i = 0; i < SL_COUNT(known); i++) {
        sl_transcode *t = NULL;
        if (sl_transcode_new(sl_text_of(known[i]), &t, NULL)) fail_msg("%s is not known", known[i]);
        sl_transcode_free(&t);
    }
    static const char *const unknown[] = {"klingon", "../x", "a/b", "", "latin-1,swaplfnl"};
    for (size_t i = 0; i < SL_COUNT(unknown); i++) {
        sl_transcode *t = NULL;
        assert_int_equal(sl_transcode_new(sl_text_of(unknown[i]), &t, NULL), SL_E_PLAN);
        assert_null(t);
    }
}

static void bytes_that_are_no_text_are_replaced_one_by_one(void **state) {
    (void)state;
    sl_input *out = NULL;
    assert_int_equal(sl_encoding_repair(BYTES("caf\xc3\xa9"), &out, NULL), SL_OK);
    assert_null(out);
    assert_int_equal(sl_encoding_repair(BYTES("\xe9t\xc3\xa9\xff\xff"), &out, NULL), SL_OK);
    assert_int_equal(out->len, 3 + 1 + 2 + 6);
    assert_memory_equal(out->data, "\xef\xbf\xbdt\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd", out->len);
    sl_input_unref(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_at_the_start_decides),
        cmocka_unit_test(a_declaration_decides_unless_there_is_a_mark),
        cmocka_unit_test(a_guess_is_made_for_pages_or_when_asked),
        cmocka_unit_test(looking_stops_when_enough_is_seen),
        cmocka_unit_test(text_is_converted_in_pieces_of_every_size),
        cmocka_unit_test(usual_names_of_encodings_are_known_and_paths_are_not),
        cmocka_unit_test(bytes_that_are_no_text_are_replaced_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
