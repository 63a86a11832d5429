/* pages.h: large pieces of memory straight from the system, which go back to it at once when they are freed. What gathers up to a
 * budget and then lets go of it all (sorts, spools) takes them, so that the process really shrinks and the memory serves other
 * threads too, which freed heap memory does not. Thread rule: pieces are independent. */
#ifndef SL_BASE_PAGES_H
#define SL_BASE_PAGES_H

#include <stddef.h>

/* SIZE > 0 zeroed bytes, or NULL. Only touched pages count. */
void *sl_pages_new(size_t size);
/* SIZE as given to new; NULL-safe. */
void sl_pages_free(void *pages, size_t size);

#endif
