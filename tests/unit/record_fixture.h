/* record_fixture.h: values and batches from JSON and back, for tests of the record room. */
#ifndef SL_TESTS_RECORD_FIXTURE_H
#define SL_TESTS_RECORD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "record/builder.h"
#include "record/cast.h"

static inline sl_value value_of(const json_t *j, sl_arena *arena);

static inline sl_value list_of(const json_t *j, sl_arena *arena) {
    uint32_t n = (uint32_t)json_array_size(j);
    sl_value *list = sl_arena_alloc(arena, n * sizeof *list);
    for (uint32_t i = 0; i < n; i++) list[i] = value_of(json_array_get(j, i), arena);
    return sl_list(list, n);
}

static inline sl_value map_of(const json_t *j, sl_arena *arena) {
    sl_pair *map = sl_arena_alloc(arena, json_object_size(j) * sizeof *map);
    uint32_t n = 0;
    for (void *it = json_object_iter((json_t *)(uintptr_t)j); it; it = json_object_iter_next((json_t *)(uintptr_t)j, it)) {
        map[n].key = sl_arena_text(arena, sl_text_of(json_object_iter_key(it)));
        map[n++].value = value_of(json_object_iter_value(it), arena);
    }
    return sl_map(map, n);
}

static inline sl_value value_of(const json_t *j, sl_arena *arena) {
    if (json_is_object(j)) return map_of(j, arena);
    if (json_is_array(j)) return list_of(j, arena);
    if (json_is_string(j)) return sl_text_value(sl_arena_text(arena, sl_text_n(json_string_value(j), json_string_length(j))));
    if (json_is_integer(j)) return sl_int(json_integer_value(j));
    if (json_is_real(j)) return sl_float(json_real_value(j));
    if (json_is_boolean(j)) return sl_bool(json_is_true(j));
    return sl_null();
}

static inline sl_value parse(sl_arena *arena, const char *text) {
    json_error_t error;
    json_t *j = json_loads(text, JSON_DECODE_ANY, &error);
    if (!j) fail_msg("%s: %s", text, error.text);
    sl_value v = value_of(j, arena);
    json_decref(j);
    return v;
}

/* Missing shows as the word. */
static inline void show(sl_value v, sl_buf *out) {
    if (v.type == SL_MISSING)
        sl_buf_str(out, "missing");
    else
        sl_json_write(v, out);
}

static inline void assert_shows(sl_value v, const char *expected) {
    sl_buf out = {0};
    show(v, &out);
    assert_string_equal(sl_buf_cstr(&out), expected);
    sl_buf_free(&out);
}

/* One line of JSON a selected row; a bare element as itself. */
static inline void show_batch(sl_batch *b, sl_buf *out) {
    for (uint32_t i = 0; i < b->nsel; i++) {
        sl_value item;
        assert_int_equal(sl_batch_item(b, sl_batch_row(b, i), &item, NULL), SL_OK);
        show(b->bare ? item.as.map[0].value : item, out);
        sl_buf_byte(out, '\n');
    }
}

static inline void assert_rows(sl_batch *b, const char *expected) {
    sl_buf out = {0};
    show_batch(b, &out);
    assert_string_equal(sl_buf_cstr(&out), expected);
    sl_buf_free(&out);
}

/* A sink that keeps what it gets. */
typedef struct batch_list {
    sl_batch *batch[64];
    unsigned n;
} batch_list;

static inline sl_status keep_batch(void *to, sl_batch *take, sl_error *err) {
    (void)err;
    batch_list *list = to;
    assert_true(list->n < SL_COUNT(list->batch));
    list->batch[list->n++] = take;
    return SL_OK;
}

static inline void drop_batches(batch_list *list) {
    while (list->n) sl_batch_free(&list->batch[--list->n]);
}

static inline void assert_all_rows(batch_list *list, const char *expected) {
    sl_buf out = {0};
    for (unsigned i = 0; i < list->n; i++) show_batch(list->batch[i], &out);
    assert_string_equal(sl_buf_cstr(&out), expected);
    sl_buf_free(&out);
}

/* One batch of the items in a JSON array, which must fit into one. */
static inline sl_batch *batch_of(const char *items) {
    sl_arena arena = {0};
    batch_list made = {0};
    sl_builder *bd = sl_builder_new(0, NULL, keep_batch, &made);
    assert_non_null(bd);
    sl_value list = parse(&arena, items);
    for (uint32_t i = 0; i < list.n; i++) assert_int_equal(sl_builder_add(bd, list.as.list[i], NULL), SL_OK);
    assert_int_equal(sl_builder_flush(bd, NULL), SL_OK);
    sl_builder_free(&bd);
    sl_arena_free(&arena);
    assert_int_equal(made.n, 1);
    return made.batch[0];
}

#endif
