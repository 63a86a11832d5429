/* embed_in_a_server.c: a server on the loopback device that runs a pipeline for each request, many at once in threads of their own.
 *
 *     cc embed_in_a_server.c $(pkg-config --cflags --libs sluice) -pthread -o embed_in_a_server
 *     ./embed_in_a_server crime.csv 8080 &
 *     curl 'localhost:8080/count/province'
 *     curl --data-binary @more.jsonl 'localhost:8080/sort/id'
 *
 * GET /count/FIELD counts the file's rows by a field. POST /sort/FIELD sorts the items of the body, JSON Lines, which are pushed while they
 * arrive. FILE's name goes into a definition as it is. Both answer with JSON Lines as the pipeline makes them. SIGINT and SIGTERM end the server: pipelines under way are stopped. */
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sluice.h>

enum { MOST = 64 }; /* requests at once; further ones wait in the kernel */

typedef struct request {
    struct server *server;
    int fd;
    FILE *in;
    sl_pipeline *pipeline; /* NULL: the place is free */
    bool is_post;
    char what[16], field[64]; /* letters, digits and _ only: they become part of a definition */
} request;

typedef struct server {
    const char *file;
    pthread_mutex_t lock; /* of the requests, which others may stop */
    pthread_cond_t changed;
    request requests[MOST];
    int running;
} server;

static volatile sig_atomic_t ending;

static void end(int signal) {
    (void)signal;
    ending = 1;
}

/* ---- one request -------------------------------------------------------------------------------------------------------- */

static void reply(int fd, const char *status, const char *text) {
    dprintf(fd, "HTTP/1.0 %s\r\nContent-Type: application/x-ndjson\r\n\r\n%s%s", status, text,
            *text ? "\n" : "");
}

/* The first line, and the head behind it, which does not matter here. */
static bool read_head(request *r) {
    char line[512], method[8];
    if (!fgets(line, sizeof line, r->in)) return false;
    if (sscanf(line, "%7s /%15[a-z]/%63[A-Za-z0-9_] ", method, r->what, r->field) != 3) return false;
    r->is_post = strcmp(method, "POST") == 0;
    while (fgets(line, sizeof line, r->in) && strcmp(line, "\r\n") != 0) continue;
    return true;
}

static sl_status build(request *r, const char *file, sl_source **body, sl_error *err) {
    char steps[512], conf[512];
    sl_pipeline *p = r->pipeline;
    sl_status status = sl_pipeline_option(p, "parallel", "false", err); /* the parallel part is the server */
    if (status == SL_OK) status = sl_pipeline_option(p, "memory", "64M", err);
    if (status == SL_OK && r->is_post) *body = sl_pipeline_push_source(p, "body", err);
    if (status == SL_OK && r->is_post) {
        snprintf(steps, sizeof steps, "push body | sort rule.field=%s", r->field);
    } else if (status == SL_OK) {
        snprintf(conf, sizeof conf, "{\"url\": \"%s\", \"type\": \"csv\"}", file);
        snprintf(steps, sizeof steps, "aggregate by=%s ops.0.op=count | sort rule.field=%s", r->field,
                 r->field);
        status = sl_pipeline_source(p, conf, err);
    }
    if (status == SL_OK) status = sl_pipeline_add_text(p, steps, err);
    if (status == SL_OK) status = sl_pipeline_sink_fd(p, r->fd, "jsonl", err);
    return status == SL_OK ? sl_pipeline_check(p, err)
                           : status; /* what is wrong with it is said before the head of the answer */
}

/* A line of the body whenever the pipeline wants one. */
static sl_status push_line(void *user, sl_source *body, sl_error *err) {
    request *r = user;
    char line[8192];
    if (!fgets(line, sizeof line, r->in)) return SL_DONE;
    return sl_source_push(body, line, strlen(line), err);
}

static void serve(request *r) {
    char text[1400];
    sl_error err = {0};
    sl_source *body = NULL;
    if (!read_head(r)) {
        reply(r->fd, "400 Bad Request", "{\"error\":\"GET /count/FIELD or POST /sort/FIELD\"}");
    } else if (build(r, r->server->file, &body, &err) != SL_OK) {
        reply(r->fd, "400 Bad Request", "{\"error\":\"this cannot be done\"}");
    } else {
        if (body) sl_source_on_need(body, push_line, r);
        reply(r->fd, "200 OK", "");
        if (sl_pipeline_run(r->pipeline, &err) !=
            SL_OK) /* the head has gone: what can be said is said at the end */
            dprintf(r->fd, "{\"error\":\"%s\"}\n", sl_status_name(err.code));
    }
    if (err.code) fprintf(stderr, "%s/%s: %s\n", r->what, r->field, sl_error_format(&err, text, sizeof text));
}

static void *thread_of(void *user) {
    request *r = user;
    server *s = r->server;
    r->in = fdopen(dup(r->fd), "r");
    if (r->in) serve(r);
    if (r->in) fclose(r->in);
    pthread_mutex_lock(&s->lock);
    sl_pipeline_free(&r->pipeline);
    close(r->fd);
    s->running--;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the server --------------------------------------------------------------------------------------------------------- */

/* A thread for the client FD; the lock is held. */
static bool begin(server *s, int fd) {
    pthread_t thread;
    request *r = s->requests;
    while (r->pipeline) r++;
    *r = (request){.server = s, .fd = fd, .pipeline = sl_pipeline_new()};
    if (r->pipeline && pthread_create(&thread, NULL, thread_of, r) == 0) {
        pthread_detach(thread);
        s->running++;
        return true;
    }
    sl_pipeline_free(&r->pipeline);
    return false;
}

/* Whether a client waits; false: a signal has come. Signals are blocked everywhere else, so that none is missed. */
static bool client_waits(int listening, const sigset_t *before) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(listening, &set);
    return !ending && pselect(listening + 1, &set, NULL, NULL, NULL, before) > 0;
}

static void accept_all(server *s, int listening, const sigset_t *before) {
    while (client_waits(listening, before)) {
        int fd = accept(listening, NULL, NULL);
        if (fd < 0) continue; /* the client has gone */
        pthread_mutex_lock(&s->lock);
        while (s->running == MOST) pthread_cond_wait(&s->changed, &s->lock);
        if (!begin(s, fd)) close(fd);
        pthread_mutex_unlock(&s->lock);
    }
    pthread_mutex_lock(&s->lock);
    for (request *r = s->requests; r < s->requests + MOST; r++) {
        if (!r->pipeline) continue;
        sl_pipeline_stop(r->pipeline);
        shutdown(r->fd, SHUT_RD); /* whoever waits for a body has it whole now */
    }
    while (s->running) pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

/* A socket that listens on PORT; 0: any. It tells which. */
static int listen_on(unsigned short port) {
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&at, size) || listen(fd, 128) ||
        getsockname(fd, (struct sockaddr *)&at, &size)) {
        close(fd);
        return -1;
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    static server s = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct sigaction ends = {.sa_handler = end};
    sigset_t signals, before;
    if (argc != 3) {
        fputs("usage: embed_in_a_server FILE.csv PORT\n", stderr);
        return 2;
    }
    s.file = argv[1];
    signal(SIGPIPE, SIG_IGN); /* a client that has gone is an error of its own request */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    sigaction(SIGINT, &ends, NULL);
    sigaction(SIGTERM, &ends, NULL);
    int fd = listen_on((unsigned short)strtoul(argv[2], NULL, 10));
    if (fd < 0) {
        perror("embed_in_a_server");
        return 1;
    }
    accept_all(&s, fd, &before);
    close(fd);
    return 0;
}
