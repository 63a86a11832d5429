/* args.h: the command line as data. One row an option; the parser, --help and "did you mean" come from the same rows. */
#ifndef SL_CLI_ARGS_H
#define SL_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cli_arg {
    CLI_FLAG,
    CLI_OPTIONAL,
    CLI_REQUIRED
} cli_arg; /* --name, --name[=BOOL], --name VALUE */

typedef struct cli_option {
    const char *name; /* without dashes; NULL ends a table */
    char letter;      /* 0: none */
    cli_arg arg;
    const char *value; /* "N", "FILE": for help; NULL with CLI_FLAG */
    const char *help;  /* NULL: not shown */
} cli_option;

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

/* The last value given for NAME, or NULL. */
const char *cli_value(const cli_args *args, const char *name);
bool cli_true(const cli_args *args, const char *name);

#endif
