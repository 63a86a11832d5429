/* trace.h: what the library tells while it runs, on standard error: a trace, and items that a tap shows. */
#ifndef SL_CLI_TRACE_H
#define SL_CLI_TRACE_H

#include "cli/cli.h"
#include "cli/progress.h"

typedef struct cli_teller {
    unsigned parts; /* of the trace that are wanted, a bit each */
    cli_meter *meter;
} cli_teller;

/* As --trace says: CLI_OK, or an exit code, and it has been said why. */
int cli_teller_make(const cli_args *args, cli_teller *t);
/* T, which outlives P's run, tells what P decides from here on. */
void cli_teller_listen(cli_teller *t, sl_pipeline *p);

#endif
