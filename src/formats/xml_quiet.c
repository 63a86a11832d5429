#include "formats/xml_quiet.h"

#include <libxml/globals.h>

static void print_nothing(void *user, const char *format, ...) {
    (void)user, (void)format;
}

static void tell_nobody(void *user, xmlErrorPtr error) {
    (void)user, (void)error;
}

sl_xml_hush sl_xml_quiet(void) {
    sl_xml_hush before = {xmlGenericError, xmlStructuredError, xmlGenericErrorContext,
                          xmlStructuredErrorContext};
    xmlSetGenericErrorFunc(NULL, print_nothing);
    xmlSetStructuredErrorFunc(NULL, tell_nobody);
    return before;
}

void sl_xml_loud(const sl_xml_hush *before) {
    xmlSetGenericErrorFunc(before->generic_user, before->generic);
    xmlSetStructuredErrorFunc(before->structured_user, before->structured);
}
