/* The CSV sink and the table on standard output: quoting, headers, other columns, records copied whole, files. */
#define _XOPEN_SOURCE 700
#include "sink_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

static void write_items(const char *path, const char *conf, const char *a, const char *b) {
    rig r = {0};
    rig_open(&r, path, conf);
    rig_items(&r, a, 0);
    if (b) rig_items(&r, b, 0);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
}

static void write_csv(const char *path, const char *conf, const char *names, const char *text) {
    rig r = {0};
    rig_open(&r, path, conf);
    rig_csv(&r, names, text);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
}

static void quotes_where_needed(void **state) {
    (void)state;
    write_items("x.csv", "{}",
                "[{\"a\":\"x,y\",\"b \\\"q\\\"\":\"1\\n2\",\"c\":\"\\r\"},{\"a\":\" s \",\"b "
                "\\\"q\\\"\":\"say \\\"hi\\\"\",\"c\":\"\"}]",
                NULL);
    assert_file("x.csv", "a,\"b \"\"q\"\"\",c\n\"x,y\",\"1\n2\",\"\r\"\n s ,\"say \"\"hi\"\"\",\n");
}

static void values_of_all_types_are_written(void **state) {
    (void)state;
    write_items("x.csv", "{}",
                "[{\"i\":-5,\"f\":1.50,\"t\":true,\"n\":null,\"l\":[1,\"a\"],\"m\":{\"k\":\"v\"}}]", NULL);
    assert_file("x.csv", "i,f,t,n,l,m\n-5,1.5,true,,\"[1,\"\"a\"\"]\",\"{\"\"k\"\":\"\"v\"\"}\"\n");
}

static void delimiter_quote_and_line_end_are_as_asked(void **state) {
    (void)state;
    static const char items[] = "[{\"a\":\"x\\ty\",\"b\":\"'\"}]";
    write_items("x.tsv", "{}", items, NULL);
    assert_file("x.tsv", "a\tb\n\"x\ty\"\t'\n");
    write_items("x.csv", "{\"delimiter\":\";\",\"quote\":\"'\",\"crlf\":true}", items, NULL);
    assert_file("x.csv", "a;b\r\nx\ty;''''\r\n");
    write_items("x.csv", "{\"header\":false}", items, NULL);
    assert_file("x.csv", "x\ty,'\n");
    rig r = {0};
    rig_open(&r, "x.csv", "{\"delimiter\":\"\\\"\"}");
    assert_int_equal(r.status, SL_E_PLAN);
    rig_close(&r);
}

static void records_are_copied(void **state) {
    (void)state;
    static const char text[] = "1,a\n2,\"b,c\"\n3,\"d \"\"e\"\"\"\n4,\"plain\"\n5\n,\n\"6\n7\",x\n";
    write_csv("x.csv", "{}", "n,t", text);
    assert_file("x.csv", "n,t\n1,a\n2,\"b,c\"\n3,\"d \"\"e\"\"\"\n4,plain\n5,\n,\n\"6\n7\",x\n");
}

/* What is copied whole and what goes cell by cell is spelled alike. */
static void records_copied_or_not_are_spelled_alike(void **state) {
    (void)state;
    static const char text[] = "1,a\n2,\"b,c\"\n3,\"d \"\"e\"\"\"\n4,\"plain\"\n5\n,\nc\rd,\r\n\"6\n7\",x\n";
    sl_arena arena = {0};
    write_csv("whole.csv", "{}", "n,t", text);
    write_csv("cells.csv", "{\"columns\":[\"t\",\"n\"]}", "n,t", text);
    write_csv("back.csv", "{\"columns\":[\"n\",\"t\"]}", "n,t", text);
    assert_file("back.csv", slurp("whole.csv", &arena));
    assert_file("cells.csv",
                "t,n\na,1\n\"b,c\",2\n\"d \"\"e\"\"\",3\nplain,4\n,5\n,\n\"\r\",\"c\rd\"\nx,\"6\n7\"\n");
    sl_arena_free(&arena);
}

static void a_lone_empty_cell_is_quoted(void **state) {
    (void)state;
    write_csv("x.csv", "{}", "n", "1\n\n2\n");
    assert_file("x.csv", "n\n1\n\"\"\n2\n");
    write_items("x.csv", "{}", "[{\"a\":null},{\"a\":\"\"}]", "[{\"a\":1}]");
    assert_file("x.csv", "a\n\"\"\n\"\"\n1\n");
}

static void other_columns_are_placed(void **state) {
    (void)state;
    write_items("x.csv", "{}", "[{\"a\":1,\"b\":\"x,y\",\"c\":3}]",
                "[{\"c\":\"\\\"q\\\"\\n\",\"a\":\"\"},{\"b\":2},{\"c\":5,\"b\":4,\"a\":3}]");
    assert_file("x.csv", "a,b,c\n1,\"x,y\",3\n,,\"\"\"q\"\"\n\"\n,2,\n3,4,5\n");
}

static void unknown_columns_are_errors(void **state) {
    (void)state;
    for (int one_unit = 0; one_unit < 2; one_unit++) {
        rig r = {0};
        rig_open(&r, "x.csv", "{}");
        if (one_unit)
            rig_items(&r, "[{\"a\":1},{\"a\":1,\"late\":2}]", 0);
        else {
            rig_items(&r, "[{\"a\":1}]", 0);
            rig_items(&r, "[{\"a\":1,\"late\":2}]", 0);
        }
        rig_commit(&r);
        assert_int_equal(r.status, SL_E_DATA);
        assert_non_null(strstr(r.err.text, "'late'"));
        assert_non_null(strstr(r.err.text, "`columns`"));
        rig_close(&r);
        assert_int_equal(count_files(), 0);
    }
}

static void columns_asked_for_are_all_there(void **state) {
    (void)state;
    write_items("x.csv", "{\"columns\":[\"b\",\"zz\",\"a\"]}", "[{\"a\":1,\"c\":9},{\"b\":2}]",
                "[{\"a\":3,\"b\":4}]");
    assert_file("x.csv", "b,zz,a\n,,1\n2,,\n4,,3\n");
    write_items("x.csv", "{\"columns\":\"a\"}", "[]", NULL);
    assert_file("x.csv", "a\n");
}

/* Any cut of the same items into units and batches gives the same file. */
static void units_do_not_show(void **state) {
    (void)state;
    static const char *const items[] = {
        "{\"a\":1,\"b\":2,\"c\":3}", "{\"b\":2}", "{\"a\":1,\"c\":3}", "{}", "{\"c\":\"x\"}",
        "{\"a\":7,\"b\":8,\"c\":9}"};
    for (unsigned cut = 0; cut < 32; cut++) {
        rig r = {0};
        char all[256] = "[";
        rig_open(&r, "x.csv", "{}");
        for (unsigned i = 0; i < SL_COUNT(items); i++) {
            bool ends = i + 1 == SL_COUNT(items) || cut >> i & 1;
            strcat(strcat(all, items[i]), ends ? "]" : ",");
            if (!ends) continue;
            rig_items(&r, all, cut % 3);
            strcpy(all, "[");
        }
        rig_commit(&r);
        assert_ok(&r);
        rig_close(&r);
        assert_file("x.csv", "a,b,c\n1,2,3\n,2,\n1,,3\n,,\n,,x\n7,8,9\n");
    }
}

static void bare_elements_are_a_column(void **state) {
    (void)state;
    write_items("x.csv", "{}", "[1,\"a b\"]", NULL);
    assert_file("x.csv", "content\n1\na b\n");
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static void old_file_stays_until_commit(void **state) {
    (void)state;
    write_file("x.csv", "old");
    assert_int_equal(chmod("x.csv", 0640), 0);
    rig r = {0};
    rig_open(&r, "x.csv", "{}");
    rig_items(&r, "[{\"a\":1}]", 0);
    assert_file("x.csv", "old");
    rig_close(&r);
    assert_file("x.csv", "old");
    assert_int_equal(count_files(), 1);
    write_items("x.csv", "{}", "[{\"a\":1}]", NULL);
    struct stat st;
    assert_int_equal(stat("x.csv", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(count_files(), 1);
}

static void links_are_followed(void **state) {
    (void)state;
    write_file("real.csv", "old");
    assert_int_equal(symlink("real.csv", "x.csv"), 0);
    write_items("x.csv", "{}", "[{\"a\":1}]", NULL);
    assert_file("real.csv", "a\n1\n");
    struct stat st;
    assert_int_equal(lstat("x.csv", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void stale_files_go(void **state) {
    (void)state;
    write_file(".x.csv.sluice-999999999.tmp", "left by a killed process");
    write_file(".y.csv.sluice-999999999.tmp", "another's");
    write_items("x.csv", "{}", "[{\"a\":1}]", NULL);
    assert_int_equal(count_files(), 2);
}

static void full_disks_are_named(void **state) {
    (void)state;
    rig r = {0};
    assert_int_equal(symlink("/dev/full", "x.csv"), 0);
    rig_open(&r, "x.csv", "{}");
    rig_items(&r, "[{\"a\":1}]", 0);
    rig_commit(&r);
    assert_int_equal(r.status, SL_E_IO);
    assert_non_null(strstr(r.err.text, "No space left"));
    assert_non_null(strstr(r.err.text, "x.csv"));
    rig_close(&r);
    rig_open(&r, "/proc/none/x.csv", "{}");
    assert_int_equal(r.status, SL_E_IO);
    rig_close(&r);
}

static void large_output_is_written_whole(void **state) {
    (void)state;
    rig r = {0};
    rig_open(&r, "x.csv", "{}");
    sl_buf text = {0}, all = {0};
    sl_buf_str(&all, "n,t\n");
    for (int k = 0; k < 5; k++) {
        sl_buf_clear(&text);
        for (int i = 0; i < 9000 * k; i++) sl_buf_printf(&text, "%d,some text of row %d\n", i, i * 7);
        rig_csv(&r, "n,t", sl_buf_cstr(&text));
        sl_buf_add(&all, text.data, text.len);
    }
    rig_commit(&r);
    assert_ok(&r);
    assert_int_equal(r.rows, 90000);
    rig_close(&r);
    FILE *f = fopen("x.csv", "rb");
    char *read = malloc(all.len + 1);
    assert_int_equal(fread(read, 1, all.len + 1, f), all.len);
    assert_memory_equal(read, all.data, all.len);
    fclose(f);
    free(read);
    sl_buf_free(&text);
    sl_buf_free(&all);
}

/* ---- standard output --------------------------------------------------------------------------------------------- */

static void show_items(const char *conf, bool terminal, const char *a, const char *b, const char *expected) {
    rig r = {0};
    int fd = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    r.env.out_fd = fd;
    r.env.to_terminal = terminal;
    rig_open(&r, "-", conf);
    rig_items(&r, a, 0);
    if (b) rig_items(&r, b, 1);
    rig_commit(&r);
    assert_ok(&r);
    rig_close(&r);
    assert_int_equal(close(fd), 0);
    assert_file("out", expected);
}

static void standard_output_has_the_format_asked_for(void **state) {
    (void)state;
    static const char a[] = "[{\"a\":1,\"b\":\"x\"}]", b[] = "[{\"a\":2,\"b\":\"y\"},{\"a\":3,\"b\":null}]";
    show_items("{}", false, a, b, "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n{\"a\":3,\"b\":null}\n");
    show_items("{\"format\":\"json\"}", true, a, b,
               "[{\"a\":1,\"b\":\"x\"},\n{\"a\":2,\"b\":\"y\"},\n{\"a\":3,\"b\":null}]\n");
    show_items("{\"format\":\"json\"}", true, "[]", NULL, "[]\n");
    show_items("{\"format\":\"csv\"}", true, a, b, "a,b\n1,x\n2,y\n3,\n");
    show_items("{\"format\":\"tsv\"}", true, a, b, "a\tb\n1\tx\n2\ty\n3\t\n");
    show_items("{}", true, a, b, "a │ b\n──┼──\n1 │ x\n2 │ y\n3 │ \n");
}

static void tables_are_aligned(void **state) {
    (void)state;
    show_items("{}", true,
               "[{\"name\":\"\\u00c9t\\u00e9\",\"n\":5,\"long\":"
               "\"0123456789012345678901234567890123456789012345\"}]",
               "[{\"n\":-1000.5,\"name\":\"a\\nb\\u001b[31m\",\"long\":\"\"},{\"more\":\"x,y\"}]",
               "name     │       n │ long                                     │ more\n"
               "─────────┼─────────┼──────────────────────────────────────────┼─────\n"
               "Été      │       5 │ 012345678901234567890123456789012345678… │ \n"
               "a b?[31m │ -1000.5 │                                          │ \n"
               "         │         │                                          │ x,y\n");
    show_items("{}", true, "[]", NULL, "");
}

/* Widths come from the first 1000 rows, whatever the units are. */
static void long_tables_keep_their_widths(void **state) {
    (void)state;
    sl_arena arena = {0};
    const char *first = NULL;
    for (int per_unit = 100; per_unit <= 1700; per_unit += 800) {
        rig r = {0};
        int fd = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        r.env.out_fd = fd;
        r.env.to_terminal = true;
        rig_open(&r, "-", "{}");
        for (int at = 0; at < 1700; at += per_unit) {
            sl_buf text = {0};
            for (int i = at; i < at + per_unit && i < 1700; i++)
                sl_buf_printf(&text, "%d,%s\n", i, i < 1000 ? "x" : "longer");
            rig_csv(&r, "i,t", sl_buf_cstr(&text));
            sl_buf_free(&text);
        }
        rig_commit(&r);
        assert_ok(&r);
        assert_int_equal(r.rows, 1700);
        rig_close(&r);
        close(fd);
        const char *shown = slurp("out", &arena);
        assert_non_null(strstr(shown, "1699 │ …"));
        if (first) assert_string_equal(shown, first);
        first = shown;
    }
    sl_arena_free(&arena);
}

static void sinks_are_found_by_name_and_suffix(void **state) {
    (void)state;
    sl_error err = {0};
    sl_text place;
    assert_string_equal(sl_sink_for(SL_TEXT("a/b.CSV"), &place, &err)->name, "csv");
    assert_string_equal(sl_sink_for(SL_TEXT("x.json"), &place, &err)->name, "json");
    assert_string_equal(sl_sink_for(SL_TEXT("C:/x.db:a.csv"), &place, &err)->name, "sqlite");
    assert_string_equal(sl_sink_for(SL_TEXT("-"), &place, &err)->name, "stdout");
    assert_null(sl_sink_for(SL_TEXT("x.xls"), &place, &err));
    assert_int_equal(err.code, SL_E_USAGE);
    assert_non_null(strstr(err.text, "x.db:table"));
    assert_non_null(sl_sink_named(SL_TEXT("jsonl")));
    assert_null(sl_sink_named(SL_TEXT("xls")));
    for (unsigned i = 0; sl_sink_at(i); i++)
        assert_ptr_equal(sl_sink_named(sl_text_of(sl_sink_at(i)->name)), sl_sink_at(i));
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, enter_folder, leave_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(quotes_where_needed),
        IN_FOLDER(values_of_all_types_are_written),
        IN_FOLDER(delimiter_quote_and_line_end_are_as_asked),
        IN_FOLDER(records_are_copied),
        IN_FOLDER(records_copied_or_not_are_spelled_alike),
        IN_FOLDER(a_lone_empty_cell_is_quoted),
        IN_FOLDER(other_columns_are_placed),
        IN_FOLDER(unknown_columns_are_errors),
        IN_FOLDER(columns_asked_for_are_all_there),
        IN_FOLDER(units_do_not_show),
        IN_FOLDER(bare_elements_are_a_column),
        IN_FOLDER(old_file_stays_until_commit),
        IN_FOLDER(links_are_followed),
        IN_FOLDER(stale_files_go),
        IN_FOLDER(full_disks_are_named),
        IN_FOLDER(large_output_is_written_whole),
        IN_FOLDER(standard_output_has_the_format_asked_for),
        IN_FOLDER(tables_are_aligned),
        IN_FOLDER(long_tables_keep_their_widths),
        cmocka_unit_test(sinks_are_found_by_name_and_suffix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
