/* locale.h: numbers have a point, letters are those of ASCII, and names of months are English, whatever locale a host program has
 * set.
 *
 * The C library's printf, strtod, isalpha, strcasecmp and what libraries make of them follow the locale of the thread. So every
 * function of the API that reads or writes anything begins with SL_PLAIN_LOCALE: until it returns, this thread is in the "C"
 * locale, and no other thread notices. Worker threads are in it throughout. */
#ifndef SL_BASE_LOCALE_H
#define SL_BASE_LOCALE_H

#include <locale.h>
#include <stdatomic.h>

typedef struct sl_locale {
    locale_t before, plain;
} sl_locale;

sl_locale sl_locale_enter(void);
void sl_locale_leave(sl_locale *l);

/* The locale of the program, for its own code that the library calls. Every call of the API sets it, also while workers run. */
typedef _Atomic(locale_t) sl_program_locale;

/* Enters it; returns the one to go back to, by uselocale. */
static inline locale_t sl_locale_of_program(const sl_program_locale *l) {
    return uselocale(atomic_load_explicit(l, memory_order_relaxed));
}

#define SL_PLAIN_LOCALE __attribute__((cleanup(sl_locale_leave), unused)) sl_locale plain_locale_ = sl_locale_enter()

#endif
