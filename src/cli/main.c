/* main.c: the program: which command is asked for, and what the process needs before any of it runs. A library must not touch
 * the process, so allocator settings, signals and standard descriptors are set up here. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/wrap.h"

static const cli_command *const commands[] = {&cli_run,  &cli_load,    &cli_pipe,  &cli_pipes, &cli_check,
                                              &cli_plan, &cli_convert, &cli_cache, &cli_schema};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const cli_option common[] = {
    CLI_OPTION("help", 'h', FLAG, NULL, "show this help"),
    {0},
};

int cli_complain(int code, const char *fmt, ...) {
    char text[2048], shown[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "sluice: %s\n", sl_show_text(text, shown, sizeof shown));
    return code;
}

sl_status cli_no_memory(sl_error *err) {
    snprintf(err->text, sizeof err->text, "out of memory");
    return err->code = SL_E_MEMORY;
}

int cli_error(const sl_error *err) {
    char text[1400];
    return cli_complain(sl_exit_code(err->code), "%s", sl_error_format(err, text, sizeof text));
}

/* ---- help ------------------------------------------------------------------------------------------------------------- */

enum {
    HELP = 29,
    USAGE = 7
}; /* the column in which an option is explained, and the one of a long usage's second line */

static void print_option(const cli_option *o) {
    char left[64], text[1024];
    if (o->hidden) return;
    int n = o->letter ? snprintf(left, sizeof left, "-%c, --%s", o->letter, o->name)
                      : snprintf(left, sizeof left, "    --%s", o->name);
    if (o->arg == CLI_OPTIONAL) snprintf(left + n, sizeof left - (size_t)n, "[=%s]", o->value);
    if (o->arg == CLI_REQUIRED) snprintf(left + n, sizeof left - (size_t)n, " %s", o->value);
    int column = printf("  %-26s ", left);
    if (column > HELP) {
        putchar('\n');
        column = 0;
    }
    cli_wrap(cli_option_help(o, text, sizeof text), HELP, column);
}

static int help_command(const cli_command *c) {
    cli_wrap(c->usage, USAGE, printf("usage: sluice %s ", c->name));
    printf("\n%s.\n\n", c->summary);
    cli_wrap_paragraphs(c->help);
    puts("\noptions:");
    for (size_t t = 0; c->tables && c->tables[t]; t++) {
        if (t) putchar('\n'); /* each table is about one thing */
        for (const cli_option *o = c->tables[t]; o->name; o++) print_option(o);
    }
    print_option(&common[0]);
    return CLI_OK;
}

static int help(FILE *to, int code) {
    fputs("sluice moves items from files and feeds through pipes into SQLite, CSV or JSON,\n"
          "in parallel.\n\n"
          "usage: sluice COMMAND ...\n\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++) fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n  sluice COMMAND --help   options and examples of a command\n"
          "  sluice --version        the version\n\n"
          "examples:\n"
          "  sluice load crime.csv --to crime.db:crime\n"
          "  sluice pipe 'csv url=crime.csv | filter rule.field=province rule.op=eq\n"
          "      rule.value=GP | truncate 5'\n"
          "  sluice run configs/crime-top.json --set PROVINCE=WC -j 4\n\n"
          "exit codes: 0 done; 1 failed, nothing committed; 2 usage or pipeline error;\n"
          "3 done, with quarantined items; 70 internal error; 75 try again later;\n"
          "129, 130, 143 interrupted\n",
          to);
    return code;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------------- */

const cli_command *cli_command_at(unsigned i) {
    return i < COMMANDS ? commands[i] : NULL;
}

const cli_command *cli_command_named(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

void cli_tables(const cli_command *command, const cli_option *tables[CLI_TABLES]) {
    size_t n = 0;
    for (tables[n++] = common; command->tables && command->tables[n - 1] && n + 1 < CLI_TABLES; n++)
        tables[n] = command->tables[n - 1];
    tables[n] = NULL;
}

static int unknown_command(const char *name) {
    const char *names[COMMANDS + 1] = {NULL};
    for (size_t i = 0; i < COMMANDS; i++) names[i] = commands[i]->name;
    const char *meant = sl_suggest(name, names);
    if (meant) return cli_complain(CLI_USAGE, "unknown command '%s', did you mean '%s'?", name, meant);
    if (strpbrk(name, "./"))
        return cli_complain(
            CLI_USAGE, "unknown command '%s'; to load a file: sluice load %s --to out.db:table", name, name);
    return cli_complain(CLI_USAGE, "unknown command '%s'; sluice --help lists the commands", name);
}

static int run_command(const cli_command *c, int argc, char **argv) {
    const cli_option *tables[CLI_TABLES];
    cli_tables(c, tables);
    cli_args args = {0};
    int code;
    if (!cli_parse(&args, argc, argv, tables))
        code = cli_complain(args.no_memory ? CLI_FAILED : CLI_USAGE, "%s", args.error);
    else if (cli_true(&args, "help"))
        code = help_command(c);
    else
        code = c->run(&args);
    cli_args_free(&args);
    return code;
}

/* A batch is made and dropped a thousand times a second: memory given back to the system in between would be faulted in again. But
 * what each thread keeps for itself adds up and, cut into ever other pieces, grows with the length of the run; threads allocate too
 * seldom to stand in each other's way, so one arena serves them all. */
static void keep_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_ARENA_MAX, 1);
}

/* The number of a standard descriptor that the caller has closed would go to the first file that is opened, which then got what is meant
 * for the other. The null device takes its place, the wrong way round, so that whoever needs the real one is told; only lost
 * messages go unnoticed. */
static bool fill_descriptors(void) {
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
        if (open("/dev/null", modes[fd]) != fd) return false;
    }
    return true;
}

/* Where the caller ignores the ends of its children the system does not tell us those of ours. */
static void wait_for_children(void) {
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigemptyset(&usual.sa_mask);
    sigaction(SIGCHLD, &usual, NULL);
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) return help(stderr, CLI_USAGE);
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return help(stdout, CLI_OK);
    if (strcmp(word, "help") == 0) {
        const cli_command *c = argc > 2 ? cli_command_named(argv[2]) : NULL;
        return argc <= 2 ? help(stdout, CLI_OK) : c ? help_command(c) : unknown_command(argv[2]);
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
        printf("sluice %s\n", sl_version());
        return CLI_OK;
    }
    if (strcmp(word, "complete") == 0) return cli_complete(argc - 2, argv + 2);
    const cli_command *c = cli_command_named(word);
    return c ? run_command(c, argc - 2, argv + 2) : unknown_command(word);
}

/* What went through stdio (help, descriptions, plans) must have arrived; sinks look after their own. */
int main(int argc, char **argv) {
    if (!fill_descriptors()) return CLI_FAILED;
    wait_for_children();
    keep_memory();
    int code = dispatch(argc, argv);
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    return written || code ? code : cli_complain(CLI_FAILED, "cannot write to standard output");
}
