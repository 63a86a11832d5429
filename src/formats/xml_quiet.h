/* xml_quiet.h: libxml2 prints what it has to say about memory, where no parser has anybody to say it to, on standard error.
 *
 * Between the two calls it says nothing on this thread; what a host program had set stands again after the second. They may be nested. */
#ifndef SL_FORMATS_XML_QUIET_H
#define SL_FORMATS_XML_QUIET_H

#include <libxml/xmlerror.h>

typedef struct sl_xml_hush {
    xmlGenericErrorFunc generic;
    xmlStructuredErrorFunc structured;
    void *generic_user, *structured_user;
} sl_xml_hush;

sl_xml_hush sl_xml_quiet(void);
void sl_xml_loud(const sl_xml_hush *before);

#endif
