/* test_lua.c: the rewriting of Lua texts before they are compiled: what becomes of loops, constructors and names, and what must
 * be left alone. What functions compute is in tests/cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operators/lua/scan.h"

#define C SL_LUA_CHECK "();"
#define N SL_LUA_NUMBER
#define R SL_LUA_ROWS
#define T SL_LUA_TEXTS

static void expect_rewritten(const char *text, sl_lua_rewrite rewrite, const char *code) {
    sl_arena arena = {0};
    sl_lua_source s;
    assert_int_equal(sl_lua_scan(sl_text_of(text), rewrite, &arena, &s, NULL), SL_OK);
    char *z = sl_arena_strndup(&arena, s.code.s, s.code.n);
    assert_string_equal(z, code);
    sl_arena_free(&arena);
}

static void expect_code(const char *text, bool numbers, const char *code) {
    expect_rewritten(text, numbers ? SL_LUA_NUMBERS : SL_LUA_PLAIN, code);
}

static void expect_keys(const char *text, const char *keys) {
    sl_arena arena = {0};
    sl_lua_source s;
    char all[256] = "";
    assert_int_equal(sl_lua_scan(sl_text_of(text), SL_LUA_PLAIN, &arena, &s, NULL), SL_OK);
    for (uint32_t i = 0; i < s.nkeys; i++) {
        strncat(all, s.keys[i].s, s.keys[i].n);
        strcat(all, " ");
    }
    assert_string_equal(all, keys);
    sl_arena_free(&arena);
}

static void loops_functions_and_jumps_are_checked(void **state) {
    (void)state;
    expect_code("while true do end", false, "while true do " C "  end");
    expect_code("repeat x() until y", false, "repeat " C "  x() until y");
    expect_code("for i = 1, 2 do\nend", false, "for i = 1, 2 do " C " \nend");
    expect_code("local function f(a, b) return (a) end", false,
                "local function f(a, b) " C "  return (a) end");
    expect_code("return function() end", false, "return function() " C "  end");
    expect_code("do (f)() end", false, "do " C "  (f)() end");
    expect_code("::a:: goto a", false, "::a::  " C " goto a");
    expect_code("x['goto'] = t.go", false, "x['goto'] = t.go");
}

static void texts_and_comments_are_left_alone(void **state) {
    (void)state;
    static const char *const same[] = {"-- while true do",
                                       "--[[ do\nrepeat ]] x()",
                                       "--[==[ ]] do ]==] y()",
                                       "x = [[do]] .. [=[ ]] do ]=]",
                                       "x = 'do \\' do' .. \"\\\" do\"",
                                       "undo = redo",
                                       "x = 'do\ny = 1",
                                       "[[ no end do",
                                       "x = 1e+5 y = 0x1p-3",
                                       ""};
    for (size_t i = 0; i < SL_COUNT(same); i++) expect_code(same[i], true, same[i]);
}

static void fields_are_numbers_beside_numbers(void **state) {
    (void)state;
    expect_code("a > 5", true, N "(a) > 5");
    expect_code("a > 5", false, "a > 5");
    expect_code("item.a.b <= -5", true, N "(item.a.b) <= -5");
    expect_code("5 < a and b", true, "5 < " N "(a) and b");
    expect_code("x + a >= 1.5", true, "x + " N "(a) >= 1.5");
    static const char *const same[] = {"a == 5",    "a > b",       "#a > 5",    "f(x).n > 5",     "5 < f(x)",
                                       "5 < a[1]",  "5 < a:len()", "'x' < a",   "a ~= 5 and 'b'", "5 < f'x'",
                                       "t:n() > 5", "nil > 5",     "a .. b > 5"};
    for (size_t i = 0; i < SL_COUNT(same); i++) expect_code(same[i], true, same[i]);
}

static void keys_have_the_order_of_the_text(void **state) {
    (void)state;
    expect_keys("return {total = 1, name = x, ['a b'] = 2}", "total name a b ");
    expect_keys("item.z = 1 item.a = 2 if x.q == 1 then item.z = 3 end", "z a ");
    expect_keys("local a, b = 1, 2; c = 3", "");
    expect_keys("return {f(a, b), {k = 1}; m = function(x, y) local p = 1 end}", "k m ");
    expect_keys("x['a\\n'] = 1 x[\"b\"] = 2 x[ [[c]] ] = 3", "b ");
}

static void constructors_of_results_become_calls(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"{a = 1}", R "[1]( ( 1))"},
        {"return {a = x, b = f()}", "return " R "[1](  x,  ( f()))"},
        {"return { a = 1; b = {2, 3}; }", "return " R "[1](   1,  ( {2, 3} ))"},
        {"if x then return {a = 1} end return {b = (2)},",
         "if x then return " R "[1]( ( 1)) end return {b = (2)},"},
        {"if x then return\n{a = 1} else return {b = 2} end",
         "if x then return\n" R "[1]( ( 1)) else return " R "[2]( ( 2)) end"},
    };
    for (size_t i = 0; i < SL_COUNT(pairs); i++) expect_rewritten(pairs[i][0], SL_LUA_RESULTS, pairs[i][1]);
}

static void texts_made_of_fields_get_a_call_before_them(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"{a = item.b}", R "[1]( (" T "[1]() or  item.b))"},
        {"return {a = item.b, c = 1, d = item.e .. ', ' .. item.f}",
         "return " R "[1]( " T "[1]() or  item.b,   1,  (" T "[2]() or  item.e .. ', ' .. item.f))"},
        {"if item.x then return {a = item.b} end return {a = 'x' .. item.b}",
         "if item.x then return " R "[1]( (" T "[1]() or  item.b)) end return " R "[2]( (" T
         "[2]() or  'x' .. item.b))"},
        {"{a = 'x'}", R "[1]( ( 'x'))"},
        {"{a = 1 .. item.b}", R "[1]( ( 1 .. item.b))"},
        {"{a = item.b.c}", R "[1]( ( item.b.c))"},
        {"{a = item.b .. x}", R "[1]( ( item.b .. x))"},
        {"{a = item.b ..}", R "[1]( ( item.b ..))"},
        {"{a = x.item.b}", R "[1]( ( x.item.b))"},
        {"{a = item.b, c = f(item)}", R "[1](  item.b,  ( f(item)))"},
        {"local item = x return {a = item.b}", "local item = x return " R "[1]( ( item.b))"},
    };
    for (size_t i = 0; i < SL_COUNT(pairs); i++) expect_rewritten(pairs[i][0], SL_LUA_RESULTS, pairs[i][1]);
}

static void other_constructors_stay_tables(void **state) {
    (void)state;
    static const char *const same[] = {"return {}",
                                       "return {1, 2}",
                                       "return {a = 1, 2}",
                                       "return {['a'] = 1}",
                                       "return {a = 1, a = 2}",
                                       "return {a = 1}, 2",
                                       "return {a = 1}.a",
                                       "return {a = }",
                                       "return {a = 1",
                                       "return {a = (1}",
                                       "return f{a = 1}",
                                       "return ({a = 1})",
                                       "local t = {a = 1} return t"};
    for (size_t i = 0; i < SL_COUNT(same); i++) expect_rewritten(same[i], SL_LUA_RESULTS, same[i]);
    expect_rewritten("local function f() return {a = 1} end", SL_LUA_RESULTS,
                     "local function f() " C "  return {a = 1} end");
    expect_rewritten("return {a = function() return 1, 2 end}", SL_LUA_RESULTS,
                     "return {a = function() " C "  return 1, 2 end}");
}

static void our_names_are_taken(void **state) {
    (void)state;
    sl_arena arena = {0};
    sl_lua_source s;
    assert_int_equal(sl_lua_scan(SL_TEXT("local " SL_LUA_CHECK " = 1"), SL_LUA_PLAIN, &arena, &s, NULL),
                     SL_E_PLAN);
    assert_int_equal(sl_lua_scan(SL_TEXT(N "(1)"), SL_LUA_PLAIN, &arena, &s, NULL), SL_E_PLAN);
    assert_int_equal(sl_lua_scan(SL_TEXT("x = " T), SL_LUA_PLAIN, &arena, &s, NULL), SL_E_PLAN);
    assert_int_equal(sl_lua_scan(SL_TEXT(R " = {}"), SL_LUA_PLAIN, &arena, &s, NULL), SL_E_PLAN);
    sl_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_functions_and_jumps_are_checked),
        cmocka_unit_test(texts_and_comments_are_left_alone),
        cmocka_unit_test(fields_are_numbers_beside_numbers),
        cmocka_unit_test(keys_have_the_order_of_the_text),
        cmocka_unit_test(constructors_of_results_become_calls),
        cmocka_unit_test(texts_made_of_fields_get_a_call_before_them),
        cmocka_unit_test(other_constructors_stay_tables),
        cmocka_unit_test(our_names_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
