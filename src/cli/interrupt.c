/* interrupt.c: signals that end a run.
 *
 * The first one asks the run to stop, which it does wherever it looks: between items, while it waits. What cannot be asked (a Lua pattern,
 * a name that is looked up, a write without a reader) is given PATIENCE_MS; then the program ends where it stands, as by kill -9: until the sinks
 * are committed the old output is there. Once they are being committed the run is done, and nothing cuts that short but a second
 * signal.
 *
 * Signals that the caller ignores (nohup, a job in the background of a script) stay ignored. Those that are of no use here are caught and not
 * ignored: a command that is started has them as the program had, since caught ones fall back to the default and ignored ones do
 * not. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/cli.h"

enum { PATIENCE_MS = 700, MESSAGE = 1024 };

/* What a signal handler can reach: the pipeline that runs. Set before the handlers, cleared after them. */
static sl_pipeline *volatile running;
static volatile sig_atomic_t caught, code = -1; /* -1: the run is not over */
static char message[MESSAGE];                   /* made before the handlers are set */

static void set_timer(long ms) {
    struct itimerval in = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &in, NULL);
}

/* Only calls that a handler may make. A message that cannot be written changes nothing. */
static _Noreturn void end_now(void) {
    if (code >= 0) _exit(code);
    if (write(STDERR_FILENO, message, strlen(message)) < 0) _exit(128 + caught);
    _exit(128 + caught);
}

static void on_timer(int number) {
    int before = errno;
    (void)number;
    if (code >= 0 || !running || !sl_pipeline_committing(running)) end_now();
    set_timer(PATIENCE_MS);
    errno = before;
}

static void on_signal(int number) {
    int before = errno;
    if (caught) _exit(128 + number);
    caught = number;
    if (running) sl_pipeline_stop(running);
    set_timer(PATIENCE_MS);
    errno = before;
}

static void on_useless(int number) {
    (void)number;
}

static bool is_ignored(int number) {
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void handle(int number, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void handle_unless_ignored(int number, void (*handler)(int), int flags) {
    if (!is_ignored(number)) handle(number, handler, flags);
}

static void handle_timer(void) {
    sigset_t timer;
    sigemptyset(&timer);
    sigaddset(&timer, SIGALRM);
    handle(SIGALRM, on_timer, 0);
    sigprocmask(SIG_UNBLOCK, &timer, NULL);
}

/* What a file's name stands for holds what it held before; not so with a device or a pipe. */
static bool is_untouched(const char *file) {
    struct stat st;
    return *file && (stat(file, &st) != 0 || S_ISREG(st.st_mode));
}

static void add(const char *text) {
    size_t at = strlen(message), room = sizeof message - at - 64; /* for the last words */
    if (strlen(text) < room) memcpy(message + at, text, strlen(text) + 1);
}

static void add_files(const sl_pipeline *p, unsigned all) {
    const char *file;
    char shown[512];
    for (unsigned i = 0, found = 0; (file = sl_pipeline_output(p, i)); i++) {
        if (!is_untouched(file)) continue;
        add(!found ? "; " : found + 1 == all ? " and " : ", ");
        add(sl_show_text(file, shown, sizeof shown));
        found++;
    }
}

static void make_message(const sl_pipeline *p) {
    const char *file;
    unsigned all = 0;
    for (unsigned i = 0; (file = sl_pipeline_output(p, i)); i++) all += is_untouched(file);
    message[0] = 0;
    if (isatty(STDERR_FILENO)) add("\r\033[K"); /* a progress line may stand there */
    add("sluice: interrupted");
    add_files(p, all);
    size_t at = strlen(message);
    snprintf(message + at, sizeof message - at, "%s\n",
             !all      ? ""
             : all > 1 ? " are untouched"
                       : " is untouched");
}

void cli_interrupt_watch(sl_pipeline *p) {
    make_message(p);
    running = p;
    handle_timer();
    handle_unless_ignored(SIGINT, on_signal, 0);
    handle_unless_ignored(SIGTERM, on_signal, 0);
    handle_unless_ignored(SIGHUP, on_signal, 0);
    handle_unless_ignored(SIGPIPE, on_useless, SA_RESTART);
    handle_unless_ignored(SIGXFSZ, on_useless,
                          SA_RESTART); /* a file beyond its limit is a failed write, like a full disk */
}

int cli_interrupt_over(bool stopped, int exit_code) {
    code = stopped && caught ? 128 + caught : exit_code;
    running = NULL;
    if (stopped && caught) fputs(message, stderr);
    return code;
}
