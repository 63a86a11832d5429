/* locale.h: numbers have a point, letters are those of ASCII, and names of months are English, whatever locale a host program has
 * set.
 *
 * The C library's printf, strtod, isalpha, strcasecmp and what libraries make of them follow the locale of the thread. So every
 * function of the API that reads or writes anything begins with SL_PLAIN_LOCALE: until it returns, this thread is in the "C"
 * locale, and no other thread notices. Worker threads are in it throughout. */
#ifndef SL_BASE_LOCALE_H
#define SL_BASE_LOCALE_H

#include <locale.h>

typedef struct sl_locale {
    locale_t before, plain;
} sl_locale;

sl_locale sl_locale_enter(void);
void sl_locale_leave(sl_locale *l);

#define SL_PLAIN_LOCALE __attribute__((cleanup(sl_locale_leave), unused)) sl_locale plain_locale_ = sl_locale_enter()

#endif
