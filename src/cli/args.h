/* args.h: the command line as data. One row an option; the parser, --help and "did you mean" come from the same rows. */
#ifndef SL_CLI_ARGS_H
#define SL_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cli_arg { CLI_FLAG, CLI_OPTIONAL, CLI_REQUIRED } cli_arg; /* --name, --name[=BOOL], --name VALUE */

enum { CLI_OF_RUN, CLI_OF_COMMAND };

typedef struct cli_option {
    const char *name; /* without dashes; NULL ends a table */
    char letter;      /* 0: none */
    cli_arg arg;
    const char *value;    /* "N", "FILE": for help; NULL with CLI_FLAG */
    const char *help;     /* what it does */
    const char *fallback; /* its default, for help; NULL: HELP says it */
    const char *choices;  /* what its value may be, separated by blanks; NULL: anything */
    bool format;          /* its choices are the formats that the library reads */
    bool hidden;          /* for tests: in no help */
    const char *sets;     /* a setting of the run, by the name that the library knows it by; NULL: none */
    const char *means;    /* what that is set to; NULL: the value that was given */
    int of;               /* CLI_OF_RUN, or a command's own: SETS is no setting of the run but a key of this part of it */
} cli_option;

/* A row; designated members may follow HELP. */
/* clang-format off */
#define CLI_OPTION(its_name, its_letter, its_arg, its_value, ...) \
    {.name = its_name, .letter = its_letter, .arg = CLI_##its_arg, .value = its_value, .help = __VA_ARGS__}
/* clang-format on */

typedef struct cli_given { /* an option as it was given */
    const cli_option *option;
    const char *value; /* "true" for a flag, or an optional value left out */
} cli_given;

typedef struct cli_args {
    cli_given *given; /* in order; repeated options stay repeated */
    size_t ngiven;
    const char **words; /* what is not an option */
    size_t nwords;
    char error[512]; /* filled when parsing fails */
    bool no_memory;  /* that is why */
} cli_args;

/* Parses ARGV[0..ARGC) by the TABLES (NULL-terminated list). "--" ends the options. false: see error. */
bool cli_parse(cli_args *args, int argc, char **argv, const cli_option *const *tables);
void cli_args_free(cli_args *args);

/* The option of a name of N bytes, or of a letter; NULL: there is none. */
const cli_option *cli_find_long(const cli_option *const *tables, const char *name, size_t n);
const cli_option *cli_find_letter(const cli_option *const *tables, char letter);

/* The choices of O, in OUT where they are not the row's own; NULL: there are none. */
const char *cli_choices(const cli_option *o, char *out, size_t size);
/* The help of O with its default, into OUT, which is returned. */
const char *cli_option_help(const cli_option *o, char *out, size_t size);

/* The last value given for NAME, or NULL. */
const char *cli_value(const cli_args *args, const char *name);
bool cli_true(const cli_args *args, const char *name);

#endif
