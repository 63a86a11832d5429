/* permits.h: what the sessions of one run share: how many transfers run at once, and when a host is asked again.
 *
 * The permits lie in memory that threads and forked processes see, so that 16 connections are 16 whatever the pool is.
 * A permit belongs to the process that took it; those of a process that died are free again.
 *
 * Transfers stand still when what they bring is not read, or while their thread does other work; such a permit is
 * asleep. Somebody who waits for one certain transfer and finds permits asleep does not wait for them: their owner may
 * be waiting for him. So the limits hold for everything that moves, and nothing can starve.
 *
 * Thread rule: made before workers are forked; then any thread and process. */
#ifndef SL_NET_HTTP_PERMITS_H
#define SL_NET_HTTP_PERMITS_H

#include "base/status.h"
#include "net/http/tokens.h"

typedef struct sl_permits sl_permits;

/* CONNECTIONS transfers in all, PER_HOST of them to one host; NULL when memory is out. */
sl_permits *sl_permits_new(unsigned connections, unsigned per_host);
void sl_permits_free(sl_permits **p); /* NULL-safe; in each process the last user */

/* What is asked for. */
typedef struct sl_permit_wish {
    uint64_t host;     /* hash of its name */
    uint64_t interval; /* nanoseconds between two requests to this host; 0: any */
    bool wanted;       /* somebody waits for this transfer alone */
} sl_permit_wish;

enum { SL_PERMIT_LATER = -1, SL_PERMIT_CROWDED = -2 };

/* A permit from 0 on; or SL_PERMIT_LATER: the host is not to be asked before *WHEN (monotonic nanoseconds); or
 * SL_PERMIT_CROWDED: too many transfers run. */
int sl_permits_take(sl_permits *p, const sl_permit_wish *wish, uint64_t *when);
/* The transfer moves: its permit is awake for the next instant. */
void sl_permits_touch(sl_permits *p, int permit);
void sl_permits_give(sl_permits *p, int permit);

/* Attempts made again, by all sessions. */
void sl_permits_retried(sl_permits *p);
uint64_t sl_permits_retries(const sl_permits *p);

/* Where the sessions find each other's tokens. */
sl_tokens *sl_permits_tokens(const sl_permits *p);

/* How many are out, for tests. */
unsigned sl_permits_out(sl_permits *p);

#endif
