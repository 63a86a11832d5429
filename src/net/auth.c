/* auth.c: tokens of OAuth2 clients (RFC 6749, 4.4). A token is asked for once and serves every fetch of the session
 * with the same client until it expires; the request for it is a fetch like any other. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "net/http_internal.h"

#define ANSWER_LIMIT ((uint64_t)64 << 10) /* bytes of a token's answer */
#define MARGIN       30.0                 /* seconds before its end in which a token is not used any more */
#define SHORT_LIFE   3600.0               /* seconds, where the answer does not say */

struct sl_token {
    sl_token *next;
    const sl_oauth *client;
    sl_manners manners; /* of the request for it */
    sl_fetch *request;  /* under way; NULL: none */
    char *value;        /* NULL: none yet */
    unsigned issue;     /* counts the values */
    uint64_t until;     /* monotonic ns: not used any more after that */
    sl_error error;     /* why there is none */
};

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && !strcmp(a, b));
}

static bool same_client(const sl_oauth *a, const sl_oauth *b) {
    return same_text(a->token_url, b->token_url) && same_text(a->id, b->id) &&
           same_text(a->secret, b->secret) && same_text(a->scope, b->scope);
}

/* The session's token of F's client, made if there is none yet; NULL: no memory. */
static sl_token *token_of(sl_fetch *f) {
    const sl_oauth *client = f->request.manners->oauth;
    for (sl_token *t = f->http->tokens; t; t = t->next) {
        if (same_client(t->client, client)) return t;
    }
    sl_token *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->client = client;
    t->next = f->http->tokens;
    f->http->tokens = t;
    return t;
}

static void drop_value(sl_token *t) {
    free(t->value);
    t->value = NULL;
}

/* ---- asking for one ------------------------------------------------------------------------------------ */

static void add_field(sl_buf *form, const char *name, const char *value) {
    if (!value) return;
    sl_buf_printf(form, "%s%s=", form->len ? "&" : "", name);
    sl_url_encode(sl_text_of(value), "", form);
}

static sl_status ask(sl_token *t, const sl_fetch *f, sl_error *err) {
    sl_buf form = {0};
    add_field(&form, "grant_type", "client_credentials");
    add_field(&form, "client_id", t->client->id);
    add_field(&form, "client_secret", t->client->secret);
    add_field(&form, "scope", t->client->scope);
    t->manners = *f->request.manners;
    t->manners.headers = NULL;
    t->manners.user = t->manners.bearer = NULL;
    t->manners.oauth = NULL;
    t->manners.netrc = false;
    t->manners.max_body = ANSWER_LIMIT;
    sl_request request = {.url = t->client->token_url, .manners = &t->manners};
    const char *text = sl_buf_cstr(&form);
    sl_status status = sl_buf_check(&form, err);
    if (!status) status = sl_fetch_new(f->http, &request, text, &t->request, err);
    sl_buf_free(&form);
    return status;
}

/* ---- the answer ---------------------------------------------------------------------------------------- */

static sl_status no_token(sl_token *t, const char *why) {
    sl_buf shown = {0};
    sl_url_redact(sl_text_of(t->client->token_url), &shown);
    sl_status status = sl_fail(&t->error, SL_E_IO, "no token from %s: %s", sl_buf_cstr(&shown), why);
    sl_buf_free(&shown);
    return status;
}

static sl_status keep_token(sl_token *t, const json_t *answer) {
    const char *value = json_string_value(json_object_get(answer, "access_token"));
    const json_t *life = json_object_get(answer, "expires_in");
    double seconds = json_is_number(life) ? json_number_value(life) : SHORT_LIFE;
    if (!value || !value[0] || strpbrk(value, "\r\n")) return no_token(t, "the answer has no access_token");
    t->value = strdup(value);
    if (!t->value) return sl_oom(&t->error);
    t->issue++;
    double use = seconds > 2 * MARGIN ? seconds - MARGIN : seconds / 2;
    t->until = sl_clock_ns() + (uint64_t)((use < 0 ? 0 : use > 1e8 ? 1e8 : use) * SL_SECOND);
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

static void take_answer(sl_token *t) {
    t->error = (sl_error){0};
    drop_value(t);
    if (read_answer(t) && !t->error.code) t->error.code = SL_E_IO;
    sl_fetch_close(&t->request);
}

/* ---- for the scheduler --------------------------------------------------------------------------------- */

static bool fail(sl_fetch *f, const sl_error *why) {
    if (!f->error.code) f->error = *why;
    f->phase = SL_FETCH_ENDED;
    f->head = true;
    return false;
}

bool sl_auth_ready(sl_fetch *f) {
    if (!f->request.manners->oauth || !sl_place_same(&f->home, &f->place)) return true;
    sl_error err = {0};
    sl_token *t = token_of(f);
    if (!t && sl_oom(&err)) return fail(f, &err);
    if (t->request && t->request->phase != SL_FETCH_ENDED) return false;
    if (t->request) take_answer(t);
    if (t->error.code) return fail(f, &t->error);
    f->token = t;
    if (t->value && t->until > sl_clock_ns()) return true;
    return ask(t, f, &err) ? fail(f, &err) : false;
}

bool sl_auth_renew(sl_fetch *f) {
    if (!f->token || f->renewed) return false;
    f->renewed = true;
    if (f->token->issue == f->token_issue)
        drop_value(f->token); /* unless another fetch has renewed it since */
    return true;
}

const char *sl_auth_line(sl_fetch *f) {
    const sl_manners *m = f->request.manners;
    const char *token = m->oauth && f->token ? f->token->value : m->bearer;
    if (m->oauth && f->token) f->token_issue = f->token->issue;
    return token ? sl_arena_printf(&f->arena, "Authorization: Bearer %s", token).s : NULL;
}

void sl_auth_free(sl_http *h) {
    while (h->tokens) {
        sl_token *t = h->tokens;
        h->tokens = t->next;
        drop_value(t);
        free(t);
    }
}
