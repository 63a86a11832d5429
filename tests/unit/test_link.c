#include "net/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void finds(const char *header, const char *want) {
    sl_text target;
    bool found = sl_link_find(sl_text_of(header), SL_TEXT("next"), &target);
    if (found != (want != NULL)) fail_msg("'%s': %s", header, found ? "found one" : "found none");
    if (found && !sl_text_is(target, want)) fail_msg("'%s': %.*s", header, (int)target.n, target.s);
}

static void the_next_link_is_found_among_others(void **state) {
    (void)state;
    finds("<https://a/?p=2>; rel=\"next\"", "https://a/?p=2");
    finds("<https://a/?p=2>;rel=next", "https://a/?p=2");
    finds("<a>; rel=prev, <b>; rel=next, <c>; rel=next", "b");
    finds("<a,b;c>; rel=next", "a,b;c");
    finds("<a>; rel=\"prev next\"", "a");
    finds("<a>; REL=Next", "a");
    finds(" <a> ; rel = next ", "a");
    finds(", ,<a>; rel=next", "a");
    finds("<>; rel=next", "");
    finds("<a>; title=\"x, <b>; rel=next\"; rel=prev", NULL);
    finds("<a>; title=\"a \\\" quote\"; rel=next", "a");
    finds("<a>; crossorigin; rel=next", "a");
}

static void what_only_looks_like_a_next_link_is_ignored(void **state) {
    (void)state;
    finds("", NULL);
    finds("<a>", NULL);
    finds("<a>; rel=last", NULL);
    finds("<a>; rel=nextpage", NULL);
    finds("<a>; rel=prev; rel=next", NULL);
    finds("<a>; rel=next; anchor=\"#part\"", NULL);
    finds("<a; rel=next", NULL);
    finds("a; rel=next", NULL);
    finds("<a>; title=\"open, <b>; rel=next", NULL);
    finds("junk, <a>; rel=next", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_link_is_found_among_others),
        cmocka_unit_test(what_only_looks_like_a_next_link_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
