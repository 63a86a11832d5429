/* tokens.c: OAuth2 tokens that all sessions of a run share. One asks and the others wait, so that a run with many workers asks
 * once. A number says whose turn it is, so that an answer which comes too late cannot undo a newer one. */
#include "net/http/tokens.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/shared.h"

#define AGAIN_NS  30000000000u /* a token that has replaced a refused one is believed for so long */
#define ASLEEP_NS 150000000u   /* who asks and has not moved for so long does something else */

/* All under lock. The value of a process that died on the way has until 0: that is written last. */
typedef struct slot {
    char key[SL_CACHE_KEY]; /* empty: free */
    pid_t owner;            /* the process that asks; 0: none does */
    uint64_t turn;          /* counts the askings: whose it is */
    uint64_t moved;         /* monotonic ns, of the owner */
    uint64_t issue, until;
    uint64_t refused; /* monotonic ns: when one was last given up for that; 0: never */
    bool failed;
    sl_error why;
    char value[SL_TOKEN_SIZE];
} slot;

struct sl_tokens {
    pthread_mutex_t lock;
    uint64_t issues; /* under lock */
    slot v[SL_TOKENS];
};

sl_tokens *sl_tokens_new(void) {
    sl_tokens *t = sl_shared_map(sizeof *t);
    if (t && sl_shared_lock_init(&t->lock)) return t;
    sl_shared_unmap(t, sizeof *t);
    return NULL;
}

void sl_tokens_free(sl_tokens **t) {
    sl_shared_unmap(*t, sizeof **t);
    *t = NULL;
}

/* The slot of KEY, a fresh one if there is room; NULL: there is none. */
static slot *slot_of(sl_tokens *t, const char *key) {
    for (unsigned i = 0; i < SL_TOKENS; i++) {
        slot *s = &t->v[i];
        if (!s->key[0]) memcpy(s->key, key, sizeof s->key);
        if (!strcmp(s->key, key)) return s;
    }
    return NULL;
}

static bool is_given_up(const slot *s, bool wanted, uint64_t now) {
    if (!s->owner || (wanted && s->moved + ASLEEP_NS < now)) return true;
    return s->owner != getpid() && kill(s->owner, 0) && errno == ESRCH;
}

static sl_token_state begin_asking(sl_tokens *t, slot *s, sl_token_grip *g, uint64_t now) {
    s->owner = getpid();
    s->turn++;
    s->moved = now;
    g->place = (int)(s - t->v);
    g->turn = s->turn;
    return SL_TOKEN_YOURS;
}

static sl_token_state take(sl_tokens *t, slot *s, sl_token_grip *g, bool wanted, sl_error *why) {
    uint64_t now = sl_clock_ns();
    if (s->failed) {
        *why = s->why;
        return SL_TOKEN_FAILED;
    }
    if (s->until > now) {
        g->issue = s->issue;
        g->until = s->until;
        memcpy(g->value, s->value, sizeof g->value);
        return SL_TOKEN_THERE;
    }
    return is_given_up(s, wanted, now) ? begin_asking(t, s, g, now) : SL_TOKEN_ASKED;
}

sl_token_state sl_tokens_take(sl_tokens *t, sl_token_grip *g, bool wanted, sl_error *why) {
    sl_shared_lock(&t->lock);
    slot *s = slot_of(t, g->key);
    g->place = -1;
    sl_token_state state = s ? take(t, s, g, wanted, why) : SL_TOKEN_YOURS;
    sl_shared_unlock(&t->lock);
    return state;
}

/* The slot for which G still asks; NULL: it does not, or somebody else does by now. */
static slot *asked_by(sl_tokens *t, const sl_token_grip *g) {
    slot *s = g->place >= 0 ? &t->v[g->place] : NULL;
    return s && s->owner == getpid() && s->turn == g->turn ? s : NULL;
}

void sl_tokens_touch(sl_tokens *t, const sl_token_grip *g) {
    sl_shared_lock(&t->lock);
    slot *s = asked_by(t, g);
    if (s) s->moved = sl_clock_ns();
    sl_shared_unlock(&t->lock);
}

/* The end of G's asking; S is its slot, or NULL. */
static void end_asking(sl_token_grip *g, slot *s) {
    if (s) s->owner = 0;
    g->place = -1;
}

void sl_tokens_put(sl_tokens *t, sl_token_grip *g) {
    sl_shared_lock(&t->lock);
    slot *s = asked_by(t, g);
    g->issue = ++t->issues;
    if (s) {
        s->until = 0;
        s->issue = g->issue;
        memcpy(s->value, g->value, sizeof s->value);
        s->until = g->until;
    }
    end_asking(g, s);
    sl_shared_unlock(&t->lock);
}

void sl_tokens_fail(sl_tokens *t, sl_token_grip *g, const sl_error *why) {
    sl_shared_lock(&t->lock);
    slot *s = asked_by(t, g);
    if (s) {
        s->why = *why;
        s->failed = true;
    }
    end_asking(g, s);
    sl_shared_unlock(&t->lock);
}

void sl_tokens_give(sl_tokens *t, sl_token_grip *g) {
    sl_shared_lock(&t->lock);
    end_asking(g, asked_by(t, g));
    sl_shared_unlock(&t->lock);
}

static bool give_up(slot *s) {
    uint64_t now = sl_clock_ns();
    if (s->refused && s->refused + AGAIN_NS > now) return false;
    s->refused = now;
    s->until = 0;
    return true;
}

bool sl_tokens_refused(sl_tokens *t, const sl_token_grip *g) {
    sl_shared_lock(&t->lock);
    slot *s = slot_of(t, g->key);
    bool another = !s || s->issue != g->issue || s->until == 0 || give_up(s);
    sl_shared_unlock(&t->lock);
    return another;
}
