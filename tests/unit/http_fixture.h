/* http_fixture.h: the loopback server of tests/http for one test program. */
#ifndef SL_TESTS_HTTP_FIXTURE_H
#define SL_TESTS_HTTP_FIXTURE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct server {
    pid_t pid;
    int in; /* the server lives until this is closed */
    int port;
} server;

static inline void server_exec(int in, int out, const char *root) {
    dup2(in, 0);
    dup2(out, 1);
    execlp("python3", "python3", SLUICE_SOURCE_DIR "/tests/http/server.py", "--root", root, (char *)NULL);
    _exit(127);
}

/* Starts a server over the files of ROOT; 0 once it listens. */
static inline int server_start(server *s, const char *root) {
    int to[2], from[2];
    setenv("no_proxy", "127.0.0.1", 1);
    if (pipe(to) || pipe(from)) return -1;
    s->pid = fork();
    if (s->pid == 0) {
        close(to[1]); /* or the server would keep itself alive */
        server_exec(to[0], from[1], root);
    }
    close(to[0]);
    close(from[1]);
    s->in = to[1];
    char line[32] = "";
    FILE *f = fdopen(from[0], "r");
    if (f && !fgets(line, sizeof line, f)) line[0] = 0;
    if (f) fclose(f);
    s->port = atoi(line);
    return s->port > 0 ? 0 : -1;
}

static inline int server_stop(server *s) {
    close(s->in);
    return waitpid(s->pid, NULL, 0) == s->pid ? 0 : -1;
}

static inline const char *server_url(const server *s, const char *path, char out[256]) {
    snprintf(out, 256, "http://127.0.0.1:%d%s", s->port, path);
    return out;
}

/* Answers one request with RESPONSE, whatever it asks. Returns the port. */
static inline int serve_once(const char *response, pid_t *pid) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, n) || listen(listener, 1)) abort();
    if (getsockname(listener, (struct sockaddr *)&address, &n)) abort();
    *pid = fork();
    if (*pid == 0) {
        char request[4096];
        int client = accept(listener, NULL, NULL);
        bool ok = read(client, request, sizeof request) > 0;
        ok = ok && write(client, response, strlen(response)) == (ssize_t)strlen(response);
        close(client);
        _exit(!ok);
    }
    close(listener);
    return ntohs(address.sin_port);
}

#endif
