/* library.h: foreign libraries that few runs need, opened when they are first needed.
 *
 * What is called of such a library stands in NAME.calls in the room that calls it. From that list the build makes
 * (cmake/on_demand.cmake)
 *
 *     ROOM/NAME.h       a struct of pointers to these functions, and for each a macro of its own name that calls it through there:
 *                       a source includes this header instead of the library's and is otherwise written as ever
 *     sluice-NAME.so    such a struct, filled in by the linker; it alone is linked with the library
 *     sl_NAME_library   the sl_library below, through which the first is led to the second
 *
 * A function that is called and is not in the list would have the program linked with the library again, which
 * tests/cli/test_install.py notices. In libsluice.a the struct is linked in, and nothing has to be opened. */
#ifndef SL_BASE_LIBRARY_H
#define SL_BASE_LIBRARY_H

#include <stdatomic.h>

#include "base/status.h"

typedef struct sl_library {
    const char *name;            /* of the library, for messages */
    const char *file;            /* sluice-NAME.so */
    const char *symbol;          /* the struct in it; its name changes with the list */
    _Atomic(const void *) calls; /* the struct; NULL: not open */
} sl_library;

/* Before the first call of one of its functions, on any thread; it stays open. The file is looked for beside the library or the
 * program that this code is part of, wherever that has been moved: in sluice/, in the folder for libraries, and in the build's own.
 * What is missing is SL_E_IO. A worker that is forked later has the library too. */
SL_MUST_CHECK sl_status sl_library_open(sl_library *l, sl_error *err);

#endif
