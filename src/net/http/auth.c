/* auth.c: tokens of OAuth2 clients (RFC 6749, 4.4). A token is asked for once in a run (tokens.h) and serves every fetch with the
 * same client until it expires; the request for it is a fetch like any other, of the session that came first. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "net/http/internal.h"

#define ANSWER_LIMIT ((uint64_t)64 << 10) /* bytes of a token's answer */
#define MARGIN       30.0                 /* seconds before its end in which a token is not used any more */
#define SHORT_LIFE   3600.0               /* seconds, where the answer does not say */

struct sl_token {
    sl_token *next;
    sl_arena arena;
    sl_oauth client;    /* in the arena, as are the texts of manners */
    sl_manners manners; /* of the request for it */
    sl_fetch *request;  /* under way; NULL: none */
    sl_token_grip grip; /* until 0: there is no value */
    sl_error error;     /* why there is none */
};

static void put_part(sl_buf *out, const char *text) {
    sl_buf_str(out, text ? text : "");
    sl_buf_byte(out, 0);
}

static bool make_key(const sl_oauth *client, char key[SL_CACHE_KEY]) {
    sl_buf text = {0};
    put_part(&text, client->id);
    put_part(&text, client->secret);
    put_part(&text, client->scope);
    sl_cache_key(sl_text_of(client->token_url), sl_text_n(text.data, text.len), key);
    if (text.len) memset(text.data, 0, text.len);
    bool made = !text.failed && key[0];
    sl_buf_free(&text);
    return made;
}

static sl_tokens *tokens_of(const sl_http *h) {
    return sl_permits_tokens(h->options.permits);
}

/* A copy of Z, or NULL; *LOST: there was no memory. */
static const char *copy(sl_token *t, const char *z, bool *lost) {
    const char *own = z ? sl_arena_strndup(&t->arena, z, strlen(z)) : NULL;
    *lost = *lost || (z && !own);
    return own;
}

/* How the token is asked for: as F's source asks, without who asks. F may be gone long before the answer comes. */
static bool copy_client(sl_token *t, const sl_fetch *f) {
    const sl_manners *m = f->request.manners;
    const sl_oauth *client = m->oauth;
    bool lost = false;
    t->client = (sl_oauth){.token_url = copy(t, client->token_url, &lost),
                           .id = copy(t, client->id, &lost),
                           .secret = copy(t, client->secret, &lost),
                           .scope = copy(t, client->scope, &lost)};
    t->manners = *m;
    t->manners.headers = NULL;
    t->manners.user = t->manners.bearer = NULL;
    t->manners.oauth = NULL;
    t->manners.netrc = false;
    t->manners.max_body = ANSWER_LIMIT;
    t->manners.agent = copy(t, m->agent, &lost);
    t->manners.cacert = copy(t, m->cacert, &lost);
    t->manners.cert = copy(t, m->cert, &lost);
    t->manners.key = copy(t, m->key, &lost);
    return !lost;
}

static void free_token(sl_token *t) {
    sl_arena_free(&t->arena);
    free(t);
}

static sl_token *new_token(const sl_fetch *f, const char *key) {
    sl_token *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    memcpy(t->grip.key, key, sizeof t->grip.key);
    t->grip.place = -1;
    if (copy_client(t, f)) return t;
    free_token(t);
    return NULL;
}

/* The session's token of F's client, made if there is none yet; NULL: no memory. */
static sl_token *token_of(sl_fetch *f) {
    char key[SL_CACHE_KEY];
    if (f->token) return f->token;
    if (!make_key(f->request.manners->oauth, key)) return NULL;
    for (sl_token *t = f->http->tokens; t; t = t->next) {
        if (!strcmp(t->grip.key, key)) return t;
    }
    sl_token *t = new_token(f, key);
    if (!t) return NULL;
    t->next = f->http->tokens;
    f->http->tokens = t;
    return t;
}

/* ---- asking for one ------------------------------------------------------------------------------------ */

static void add_field(sl_buf *form, const char *name, const char *value) {
    if (!value) return;
    sl_buf_printf(form, "%s%s=", form->len ? "&" : "", name);
    sl_url_encode(sl_text_of(value), "", form);
}

static sl_status ask(sl_token *t, sl_http *h, sl_error *err) {
    sl_buf form = {0};
    add_field(&form, "grant_type", "client_credentials");
    add_field(&form, "client_id", t->client.id);
    add_field(&form, "client_secret", t->client.secret);
    add_field(&form, "scope", t->client.scope);
    sl_request request = {.url = t->client.token_url, .manners = &t->manners};
    const char *text = sl_buf_cstr(&form);
    sl_status status = sl_buf_check(&form, err);
    if (!status) status = sl_fetch_new(h, &request, text, &t->request, err);
    sl_buf_free(&form);
    return status;
}

/* ---- the answer ---------------------------------------------------------------------------------------- */

static sl_status no_token(sl_token *t, const char *why) {
    sl_buf shown = {0};
    sl_url_redact(sl_text_of(t->client.token_url), &shown);
    sl_status status = sl_fail(&t->error, SL_E_IO, "no token from %s: %s", sl_buf_cstr(&shown), why);
    sl_buf_free(&shown);
    return status;
}

static sl_status keep_token(sl_token *t, const json_t *answer) {
    const char *value = json_string_value(json_object_get(answer, "access_token"));
    const json_t *life = json_object_get(answer, "expires_in");
    double seconds = json_is_number(life) ? json_number_value(life) : SHORT_LIFE;
    if (!value || !value[0] || strpbrk(value, "\r\n")) return no_token(t, "the answer has no access_token");
    if (strlen(value) >= sizeof t->grip.value) return no_token(t, "the token is longer than 16 KiB");
    memcpy(t->grip.value, value, strlen(value) + 1);
    double use = seconds > 2 * MARGIN ? seconds - MARGIN : seconds / 2;
    t->grip.until = sl_clock_ns() + (uint64_t)((use < 0 ? 0 : use > 1e8 ? 1e8 : use) * SL_SECOND);
    return SL_OK;
}

static sl_status read_answer(sl_token *t) {
    char text[ANSWER_LIMIT];
    size_t n = 0, more = 1;
    while (more) {
        TRY(sl_fetch_read(t->request, text + n, sizeof text - n, &more, &t->error));
        n += more;
    }
    json_t *answer = json_loadb(text, n, 0, NULL);
    sl_status status = answer ? keep_token(t, answer) : no_token(t, "the answer is not JSON");
    json_decref(answer);
    return status;
}

static void take_answer(sl_http *h, sl_token *t) {
    t->error = (sl_error){0};
    t->grip.until = 0;
    if (read_answer(t) && !t->error.code) t->error.code = SL_E_IO;
    sl_fetch_close(&t->request);
    if (t->error.code) {
        sl_tokens_fail(tokens_of(h), &t->grip, &t->error);
    } else {
        sl_tokens_put(tokens_of(h), &t->grip);
    }
}

/* ---- for the scheduler --------------------------------------------------------------------------------- */

static bool fail(sl_fetch *f, const sl_error *why) {
    if (!f->error.code) f->error = *why;
    f->phase = SL_FETCH_ENDED;
    f->head = true;
    return false;
}

/* There is no token that can be used: another session has one, or will, or this one asks. */
static bool find_token(sl_token *t, sl_fetch *f, bool wanted) {
    sl_error why = {0};
    switch (sl_tokens_take(tokens_of(f->http), &t->grip, wanted, &why)) {
    case SL_TOKEN_THERE: return true;
    case SL_TOKEN_ASKED: f->http->crowded = true; return false;
    case SL_TOKEN_FAILED: t->error = why; return fail(f, &why);
    case SL_TOKEN_YOURS: break;
    }
    if (ask(t, f->http, &why) == SL_OK) return false;
    sl_tokens_give(tokens_of(f->http), &t->grip);
    return fail(f, &why);
}

bool sl_auth_ready(sl_fetch *f, bool wanted) {
    if (!f->request.manners->oauth || !sl_place_same(&f->home, &f->place)) return true;
    sl_error err = {0};
    sl_token *t = token_of(f);
    if (!t && sl_oom(&err)) return fail(f, &err);
    f->token = t;
    if (t->request && t->request->phase != SL_FETCH_ENDED) return false;
    if (t->request) take_answer(f->http, t);
    if (t->error.code) return fail(f, &t->error);
    return t->grip.until > sl_clock_ns() || find_token(t, f, wanted);
}

void sl_auth_touch(sl_http *h) {
    for (sl_token *t = h->tokens; t; t = t->next)
        if (t->request) sl_tokens_touch(tokens_of(h), &t->grip);
}

bool sl_auth_renew(sl_fetch *f) {
    if (!f->token || f->renewed) return false;
    f->renewed = true;
    if (f->token->grip.issue != f->token_issue) return true; /* another fetch has renewed it since */
    if (!sl_tokens_refused(tokens_of(f->http), &f->token->grip)) return false;
    f->token->grip.until = 0;
    return true;
}

const char *sl_auth_line(sl_fetch *f) {
    const sl_manners *m = f->request.manners;
    const char *token = m->oauth && f->token ? f->token->grip.value : m->bearer;
    if (m->oauth && f->token) f->token_issue = f->token->grip.issue;
    return token ? sl_arena_printf(&f->arena, "Authorization: Bearer %s", token).s : NULL;
}

void sl_auth_free(sl_http *h) {
    while (h->tokens) {
        sl_token *t = h->tokens;
        h->tokens = t->next;
        sl_tokens_give(tokens_of(h), &t->grip);
        free_token(t);
    }
}
