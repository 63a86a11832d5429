/* cli.h: the program's subcommands. Each file is one of them; main.c lists them. Only this room prints, exits and reads argv; it
 * knows the library by sluice_program.h alone, which includes sluice.h. */
#ifndef SL_CLI_CLI_H
#define SL_CLI_CLI_H

#include "cli/args.h"
#include "sluice_program.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_PIPE_CLOSED = 141 };

typedef struct cli_command {
    const char *name;
    const char *usage;   /* after the name */
    const char *summary; /* one line */
    const char *help;    /* paragraphs and examples */
    const char *words;   /* what its words are, for completion: "@definitions", "@files", "@pipes", "@steps", or the words
                            themselves separated by blanks; NULL: it has none */
    const cli_option *const *tables;
    int (*run)(cli_args *args); /* returns the exit code */
} cli_command;

extern const cli_command cli_run, cli_load, cli_pipe, cli_pipes, cli_check, cli_plan, cli_cache, cli_convert, cli_schema;

/* main.c: the commands in the order of the help; NULL past the last, or for a name that none has. */
const cli_command *cli_command_at(unsigned i);
const cli_command *cli_command_named(const char *name);
/* The tables of COMMAND with those that all commands have. */
enum { CLI_TABLES = 8 };
void cli_tables(const cli_command *command, const cli_option *tables[CLI_TABLES]);

/* complete.c: candidates for the last of WORDS, those that follow the program's name, on standard output. */
int cli_complete(int nwords, char **words);

/* load.c: whether NAME is that of a data file by its suffix, and so not that of a definition. */
bool cli_is_data(const char *name);
/* The word that names a definition; NULL when there is not just one, or it is data: *CODE, and it has been said. */
const char *cli_definition(const cli_args *args, int *code);

/* settings.c: options of every command that reads a definition; and settings of every command that runs a pipeline, those about the
 * network apart. */
extern const cli_option cli_reading_options[], cli_setting_options[], cli_network_options[];
/* execute.c: what else commands that run a pipeline take. */
extern const cli_option cli_run_options[];

/* Prints "sluice: MESSAGE" on stderr, control characters escaped; returns CODE. */
int cli_complain(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints ERR; returns its exit code. */
int cli_error(const sl_error *err);
/* ERR for what the program itself could not get; SL_E_MEMORY. */
sl_status cli_no_memory(sl_error *err);

/* interrupt.c: from here on the first signal stops the run of P, which is checked, soon; a second one ends the program at once. */
void cli_interrupt_watch(sl_pipeline *p);
/* The run is over, having STOPPED before its end or not, with that exit code; the one that counts is returned, after a line for a
 * run that a signal has stopped. */
int cli_interrupt_over(bool stopped, int exit_code);

/* report.c: refuses a path where the report of P could not be written, before anything is read: CLI_OK or the exit code. */
int cli_report_check(sl_pipeline *p, const char *path);
/* Writes it. CODE is the run's own exit code; returned unless that fails. */
int cli_report_write(sl_pipeline *p, const char *path, int code);

/* What is odd about a definition, on stderr. */
void cli_warnings(const sl_pipeline *p);

/* settings.c: what the command line says of P besides its steps and sinks: variables, inputs, settings. It must be said before a
 * definition is read. P may be NULL: there was no memory for it. */
sl_status cli_begin(sl_pipeline *p, const cli_args *args, sl_error *err);
/* execute.c: the sinks of the command line in the place of those of the definition; with none at all items go to standard output.
 */
sl_status cli_sinks(sl_pipeline *p, const cli_args *args, sl_error *err);
/* Runs P, with its progress, summary, report and exit code; or says ERR, when BUILT is not SL_OK. Frees P. */
int cli_execute(sl_pipeline *p, const cli_args *args, sl_status built, sl_error *err);

#endif
