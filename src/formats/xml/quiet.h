/* quiet.h: libxml2 prints what it has to say about memory, where no parser has anybody to say it to, on standard error.
 *
 * Between the two calls it says nothing on this thread; what a host program had set stands again after the second. They may be
 * nested.
 *
 * Its HTML parser goes on without memory, in circles if there is none again and again, and forgets that it had none: sl_xml_watch
 * has it stopped, and tells. */
#ifndef SL_FORMATS_XML_QUIET_H
#define SL_FORMATS_XML_QUIET_H

#include <stdbool.h>

typedef struct sl_xml_hush {
    void (*generic)(void *user, const char *format, ...);
    void (*structured)(void); /* its type differs between versions of the library */
    void *generic_user, *structured_user;
} sl_xml_hush;

typedef struct sl_xml_watched {
    struct _xmlParserCtxt *parser; /* to be stopped; NULL: not made yet */
    bool no_memory;
} sl_xml_watched;

sl_xml_hush sl_xml_quiet(void);
/* The same; W is told of memory that was lacking. */
sl_xml_hush sl_xml_watch(sl_xml_watched *w);
void sl_xml_loud(const sl_xml_hush *before);

#endif
