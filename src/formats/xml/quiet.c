#include "formats/xml/quiet.h"
#include "formats/xml2.h"

static void print_nothing(void *user, const char *format, ...) {
    (void)user, (void)format;
}

static void note_memory(void *user, xmlErrorPtr error) {
    sl_xml_watched *w = user;
    if (!w || error->code != XML_ERR_NO_MEMORY) return;
    if (w->parser && !w->no_memory) xmlStopParser(w->parser);
    w->no_memory = true;
}

sl_xml_hush sl_xml_watch(sl_xml_watched *w) {
    sl_xml_hush before = {xmlGenericError, (void (*)(void))xmlStructuredError, xmlGenericErrorContext,
                          xmlStructuredErrorContext};
    xmlSetGenericErrorFunc(NULL, print_nothing);
    xmlSetStructuredErrorFunc(w, note_memory);
    return before;
}

sl_xml_hush sl_xml_quiet(void) {
    return sl_xml_watch(NULL);
}

void sl_xml_loud(const sl_xml_hush *before) {
    xmlSetGenericErrorFunc(before->generic_user, before->generic);
    xmlSetStructuredErrorFunc(before->structured_user, (xmlStructuredErrorFunc)before->structured);
}
