#include "base/locale.h"

/* Without memory for a locale things stay as they are; the GNU C library has this one ready and takes none. */
sl_locale sl_locale_enter(void) {
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return (sl_locale){.before = uselocale(plain), .plain = plain};
}

void sl_locale_leave(sl_locale *l) {
    if (!l->plain) return;
    uselocale(l->before);
    freelocale(l->plain);
}
