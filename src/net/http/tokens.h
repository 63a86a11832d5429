/* tokens.h: tokens of OAuth2 clients, one for each client in the whole run, whatever sessions, threads and processes it has.
 *
 *     take -> SL_TOKEN_THERE                     use it
 *             SL_TOKEN_YOURS   put | fail | give ask for one: meanwhile no other does
 *             SL_TOKEN_ASKED                     somebody is asking: look again soon
 *             SL_TOKEN_FAILED                    there is none, and asking again is of no use
 *
 * Whoever asks must move (touch): a thread that does other work meanwhile, or waits for the one that waits for its token, would
 * hold everybody up. Somebody who waits for one certain transfer asks himself when the other has not moved for an instant, or has
 * died.
 *
 * The table has room for SL_TOKENS clients and for tokens of up to SL_TOKEN_SIZE bytes; what does not fit is the session's own
 * affair, as if it was alone.
 *
 * Thread rule: made before workers are forked; then any thread and process. */
#ifndef SL_NET_HTTP_TOKENS_H
#define SL_NET_HTTP_TOKENS_H

#include "base/status.h"
#include "net/cache/cache.h"

enum { SL_TOKENS = 16, SL_TOKEN_SIZE = 16 << 10 };

typedef struct sl_tokens sl_tokens;

sl_tokens *sl_tokens_new(void);     /* NULL: no memory */
void sl_tokens_free(sl_tokens **t); /* NULL-safe; in each process the last user */

typedef enum sl_token_state { SL_TOKEN_THERE, SL_TOKEN_YOURS, SL_TOKEN_ASKED, SL_TOKEN_FAILED } sl_token_state;

/* What a session knows of the token of its client. */
typedef struct sl_token_grip {
    char key[SL_CACHE_KEY];    /* of the client: sl_cache_key */
    int place;                 /* in the table, while this session asks; -1: nowhere */
    uint64_t turn;             /* which asking that is */
    uint64_t issue;            /* which token VALUE is: they are counted */
    uint64_t until;            /* monotonic ns: not to be used any more after that */
    char value[SL_TOKEN_SIZE]; /* with a NUL */
} sl_token_grip;

/* WANTED: this alone is waited for. THERE fills issue, until and value; YOURS place (-1: there is no room for it); FAILED WHY. */
sl_token_state sl_tokens_take(sl_tokens *t, sl_token_grip *g, bool wanted, sl_error *why);
/* The one who asks moves. */
void sl_tokens_touch(sl_tokens *t, const sl_token_grip *g);
/* Ends the asking: with value and until of G for all, which gets its issue; with a failure for all; with neither. */
void sl_tokens_put(sl_tokens *t, sl_token_grip *g);
void sl_tokens_fail(sl_tokens *t, sl_token_grip *g, const sl_error *why);
void sl_tokens_give(sl_tokens *t, sl_token_grip *g);

/* A server has refused the token that G holds. True: another may do, as there is a newer one by now, or this one is not used any
 * more. False: one was refused a moment ago and replaced, so it is not the token that is wrong. */
bool sl_tokens_refused(sl_tokens *t, const sl_token_grip *g);

#endif
