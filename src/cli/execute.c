/* execute.c: what run, load and pipe have in common: settings, sinks, the run itself and what is said about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/trace.h"

const cli_option cli_run_options[] = {
    CLI_OPTION("to", 0, REQUIRED, "SINK",
               "where items go: -, x.csv, x.jsonl, x.json, x.db:table; repeatable"),
    CLI_OPTION(
        "format", 'f', REQUIRED, "F",
        "of standard output: jsonl, json, csv, tsv or table (default: table on a terminal, else jsonl)",
        .choices = "jsonl json csv tsv table"),
    CLI_OPTION("report", 0, REQUIRED, "FILE", "write the run report as JSON"),
    CLI_OPTION("quiet", 'q', FLAG, NULL, "no progress and no summary"),
    CLI_OPTION("verbose", 'v', FLAG, NULL, "print the run report on standard error"),
    {.name = "trace",
     .arg = CLI_OPTIONAL,
     .value = "PART,...",
     .help = "tell every decision on standard error, a line each; all of them, or of these parts"
#define PART(name, help) "; " #name ": " help
#include "base/parts.def"
     ,
     .choices = ""
#define PART(name, help) #name " "
#include "base/parts.def"
    },
    {0},
};

static sl_status stdout_sink(sl_pipeline *p, const char *format, sl_error *err) {
    char sink[64];
    if (!format) return sl_pipeline_sink(p, "-", err);
    if (strlen(format) > 16 || strpbrk(format, "\"\\")) {
        err->code = SL_E_USAGE;
        snprintf(err->text, sizeof err->text, "--format is jsonl, json, csv, tsv or table");
        return SL_E_USAGE;
    }
    snprintf(sink, sizeof sink, "{\"to\": \"-\", \"format\": \"%s\"}", format);
    return sl_pipeline_sink(p, sink, err);
}

sl_status cli_sinks(sl_pipeline *p, const cli_args *args, sl_error *err) {
    const char *format = cli_value(args, "format");
    sl_status s = SL_OK;
    if (cli_value(args, "to")) sl_pipeline_drop_sinks(p);
    for (size_t i = 0; i < args->ngiven && s == SL_OK; i++) {
        const cli_given *g = &args->given[i];
        if (strcmp(g->option->name, "to") != 0) continue;
        s = strcmp(g->value, "-") == 0 ? stdout_sink(p, format, err) : sl_pipeline_sink(p, g->value, err);
    }
    return s == SL_OK && !sl_pipeline_has_sink(p) ? stdout_sink(p, format, err) : s;
}

static int exit_code(sl_pipeline *p, sl_status s, const sl_error *err) {
    if (s == SL_E_STOPPED) return cli_interrupt_over(true, CLI_PIPE_CLOSED);
    cli_interrupt_over(false, sl_exit_code(s));
    if (s != SL_OK) return cli_error(err);
    sl_progress totals = sl_pipeline_totals(p);
    return sl_done_exit_code(&totals);
}

static void print_failures(const sl_pipeline *p) {
    const char *text;
    for (unsigned i = 0; (text = sl_pipeline_failure(p, i)); i++) cli_complain(CLI_OK, "left out: %s", text);
}

static void tell(sl_pipeline *p) {
    int64_t since = sl_pipeline_unchanged(p);
    if (since) {
        cli_unchanged(since);
    } else {
        cli_summary(p);
        cli_loaded(p);
    }
}

/* What is said of a run that has ended. */
static int tell_all(sl_pipeline *p, const cli_args *args, sl_status s, int code) {
    const char *report = cli_value(args, "report");
    if (report) code = cli_report_write(p, report, code);
    if (cli_true(args, "verbose")) {
        const char *text = sl_pipeline_report(p, NULL);
        if (text) fputs(text, stderr);
    }
    cli_warnings(p);
    if (s == SL_OK) print_failures(p);
    if (s == SL_OK && !cli_true(args, "quiet")) tell(p);
    return code;
}

static int run(sl_pipeline *p, const cli_args *args, cli_meter *meter) {
    sl_error err = {0};
    cli_interrupt_watch(p);
    sl_pipeline_on_progress(p, cli_progress, meter);
    sl_pipeline_on_output(p, cli_progress_yield, meter);
    sl_status s = sl_pipeline_run(p, &err);
    cli_progress_clear(meter);
    return tell_all(p, args, s, exit_code(p, s, &err));
}

/* What can be told before anything is read. */
static int check(sl_pipeline *p, const cli_args *args) {
    sl_error err = {0};
    const char *report = cli_value(args, "report");
    if (sl_pipeline_check(p, &err) != SL_OK) return cli_error(&err);
    return report ? cli_report_check(p, report) : CLI_OK;
}

void cli_warnings(const sl_pipeline *p) {
    const char *text;
    for (unsigned i = 0; (text = sl_pipeline_warning(p, i)); i++) cli_complain(CLI_OK, "warning: %s", text);
}

int cli_execute(sl_pipeline *p, const cli_args *args, sl_status built, sl_error *err) {
    cli_meter meter = {0};
    cli_teller teller = {.meter = &meter};
    int code = built == SL_OK ? cli_teller_make(args, &teller) : cli_error(err);
    meter.shown = !teller.parts && !cli_true(args, "quiet") && isatty(STDERR_FILENO);
    if (code == CLI_OK) cli_teller_listen(&teller, p);
    if (code == CLI_OK) code = check(p, args);
    if (code == CLI_OK) code = run(p, args, &meter);
    sl_pipeline_free(&p);
    return code;
}
