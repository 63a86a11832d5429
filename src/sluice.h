/* sluice.h: batch ETL as a library. The one header of a program that uses it; a function that items pass through includes
 * sluice_plugin.h too. docs/api/ has programs.
 *
 * A pipeline takes items from sources, sends them through a chain of pure pipes and writes them to sinks. It is built from a
 * definition (a file or a JSON text) or step by step, and then either run to its sinks or read item by item:
 *
 *     sl_error err = {0};
 *     sl_pipeline *p = sl_pipeline_new();
 *     if (!sl_pipeline_add(p, "fetchdata", "{\"url\": \"crime.json\", \"path\": \"value.items\"}", &err) &&
 *         !sl_pipeline_add_text(p, "filter rule.field=province rule.op=eq rule.value=GP", &err)) {
 *         sl_stream *s = sl_pipeline_open(p, &err);
 *         const char *json;
 *         while (s && sl_stream_next(s, &json, NULL, &err) == SL_OK) puts(json);
 *         sl_stream_close(&s);
 *     }
 *     if (err.code) fprintf(stderr, "%s\n", sl_error_format(&err, text, sizeof text));
 *     sl_pipeline_free(&p);
 *
 * Where items come from: the definition's sources, and what the program pushes (sl_source_*). Where they go: files, databases and
 * standard output (sl_pipeline_sink), a file descriptor, a function of the program (sl_pipeline_sink_*), or whoever pulls them
 * (sl_stream_*).
 *
 * Order of calls: new, then in any order what builds the pipeline (load, add, set, source, sink, option, push_source, function,
 * on_*), then run, or open and close, as often as is wanted, at last free. A call that builds may also stand between two runs.
 * Every run is a new one: it reads definitions, files and the environment as they are then, and `now` is the time of its beginning.
 *
 * Ownership: const pointers are borrowed for the call, and what is wanted of them is copied. sl_*_new and _open return an object
 * for the matching _free or _close, which accept NULL and null the caller's pointer. Text and values handed out are valid until the
 * next call on the same object, unless it is said otherwise.
 *
 * Threads: an object is used by one thread at a time; different objects are independent, so that any number of pipelines may run at
 * once in threads of their own. The calls that another thread or a signal handler may make meanwhile say so. The library never
 * prints, never exits, keeps no mutable globals and installs no signal handlers. With worker processes (the settings parallel=true,
 * threads=false, which are the default) it forks: a program with threads of its own sets threads=true, or parallel=false.
 *
 * Functions of the program that the library calls run in the thread that called the library, unless they say otherwise, and in the
 * locale of the program, whatever that is; it changes nothing in what is read and written. They may not free or run the pipeline
 * that calls them, but may stop it (sl_pipeline_stop), and must return. None is called any more once sl_pipeline_run, or
 * sl_stream_close, has returned.
 *
 * Errors: every call that can fail returns an sl_status and fills the caller's sl_error (which may be NULL).
 *
 * Versions: within one soname functions and members are only added, and numbers of enums stay. Structs that the program makes have
 * room for further members: make them zero, as in `sl_error err = {0}`. Structs that only the library makes may grow at their ends.
 */
#ifndef SLUICE_H
#define SLUICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice_version.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_API __attribute__((visibility("default")))

/* What a call came to. The comment says what the exit code of the program `sluice` is for it. */
typedef enum sl_status {
    SL_OK = 0,
    SL_DONE,      /* the stream is at its end, or the consumer has enough; never an error */
    SL_E_USAGE,   /* 2: the caller's options make no sense */
    SL_E_PLAN,    /* 2: the definition is wrong; found before any input is read */
    SL_E_DATA,    /* 1: a record is not what the format or a pipe needs */
    SL_E_IO,      /* 1: a file or an answer cannot be read or written */
    SL_E_TEMP,    /* 75: the same, but trying again later may help: locked database, network down */
    SL_E_MEMORY,  /* 1: no memory, or a limit on a single record */
    SL_E_STOPPED, /* 130, 143: sl_pipeline_stop was called */
    SL_E_INTERNAL /* 70: a bug in sluice; counts that do not balance */
} sl_status;

/* Where and why. All zero is "no error"; filled once, by the first failure. */
typedef struct sl_error {
    sl_status code;
    char source[256]; /* file or URL, its tail if long; empty if unknown */
    uint64_t line;    /* from 1, where the record begins; 0 unknown */
    uint64_t column;  /* from 1; 0 unknown */
    int step;         /* from 1, in the order of the definition; 0 unknown */
    char pipe[32];    /* its pipe; empty if unknown */
    char text[768];   /* what is wrong, what was expected, what to do; no newline */
    uint64_t reserved[8];
} sl_error;

/* "No error" again, so that ERR can be used for another call. */
SL_API void sl_error_clear(sl_error *err);

/* "path:line:col: step 3 (filter): text" into OUT, parts left out where unknown; control characters escaped. Always terminated.
 * Returns OUT. */
SL_API const char *sl_error_format(const sl_error *err, char *out, size_t size);

/* The exit code for a status (see sl_status). */
SL_API int sl_exit_code(sl_status status);
/* "SL_OK", "SL_E_PLAN" ...: for logs. "unknown" for any other number. */
SL_API const char *sl_status_name(sl_status status);

/* The version of the library: "0.2.0", or "0.2.0-12-g1a2b3c4" when built from a checkout that is 12 commits further. */
SL_API const char *sl_version(void);

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* What a value is. An item is a map, or any other value where a pipe makes bare ones (`tokenizer`, `count` with emit). */
typedef enum sl_type {
    SL_MISSING, /* there is none: the field is not in the item. Never inside a list or map */
    SL_NULL,
    SL_BOOL,
    SL_INT,       /* 64 bits */
    SL_FLOAT,     /* a double: what a computation has made */
    SL_DECIMAL,   /* a number as its digits, exactly as the input had it: 1.10, 1e5, 12345678901234567890 */
    SL_TEXT_TYPE, /* UTF-8; every field of CSV */
    SL_TIME,      /* a date, a date with time and zone, or a clock without zone */
    SL_LIST,
    SL_MAP /* keys in order, each once */
} sl_type;

/* A value of an item, read by the functions below. A pointer to one, and all that it leads to, is valid as long as the call that
 * gave it says. All accept NULL, which is a missing value: so sl_value_int(sl_value_get(item, "id"), &id) needs no check between.
 *
 *     const char *name;
 *     size_t length;
 *     int64_t id;
 *     if (sl_value_int(sl_value_get(item, "id"), &id) && (name = sl_value_text(sl_value_get(item, "name"), &length)))
 *         printf("%lld %.*s\n", (long long)id, (int)length, name); */
typedef struct sl_value sl_value;

SL_API sl_type sl_value_type(const sl_value *v);
/* "missing", "null", "bool", "int", "float", "decimal", "text", "time", "list", "map". */
SL_API const char *sl_type_name(sl_type type);

/* V as a whole number that fits 64 bits: an int, a float or decimal without a fraction, a text that reads as one. False: it is
 * not one, and *OUT is left alone. */
SL_API bool sl_value_int(const sl_value *v, int64_t *out);
/* V as a number: an int, float, decimal, or a text that reads as one. */
SL_API bool sl_value_double(const sl_value *v, double *out);
/* V as a truth: a bool, or a text that is true or false in any case. */
SL_API bool sl_value_bool(const sl_value *v, bool *out);
/* The instant of a time, in seconds since 1970-01-01 UTC; a clock without zone counts as UTC. */
SL_API bool sl_value_time(const sl_value *v, int64_t *seconds);

/* The bytes of a text, or the digits of a decimal, with no zero byte behind them; NULL for every other value. LENGTH may not be
 * NULL. */
SL_API const char *sl_value_text(const sl_value *v, size_t *length);

/* Any value as a text (a time in ISO 8601, lists and maps as JSON, null and missing as nothing), or as JSON, in the manner of
 * snprintf: at most SIZE bytes of OUT are written, the last of them zero, and the length of the whole is returned; if that is not
 * below SIZE, the text is cut. OUT may be NULL with a SIZE of 0. SIZE_MAX: memory is out. */
SL_API size_t sl_value_print(const sl_value *v, char *out, size_t size);
SL_API size_t sl_value_json(const sl_value *v, char *out, size_t size);

/* How many elements a list has, or fields a map; 0 for every other value. */
SL_API size_t sl_value_count(const sl_value *v);
/* The I-th of them, from 0, and of a map its key (no zero byte behind it); NULL past the last. */
SL_API const sl_value *sl_value_at(const sl_value *v, size_t i);
SL_API const char *sl_value_key(const sl_value *v, size_t i, size_t *length);
/* The field NAME of a map, spelled exactly so; NULL: it has none. */
SL_API const sl_value *sl_value_get(const sl_value *v, const char *name);

/* ---- building ---------------------------------------------------------------------------------------------------- */

typedef struct sl_pipeline sl_pipeline;

/* An empty pipeline with default settings; NULL when memory is out. */
SL_API sl_pipeline *sl_pipeline_new(void);
SL_API void sl_pipeline_free(sl_pipeline **p);

/* Variables for ${NAME} in definitions, and values for `input` pipes. Set before loading; between two runs a new value takes the
 * place of the one before. */
SL_API sl_status sl_pipeline_set(sl_pipeline *p, const char *name, const char *value, sl_error *err);
SL_API sl_status sl_pipeline_input(sl_pipeline *p, const char *name, const char *value, sl_error *err);

/* Reads a definition in any accepted form. PATH also is the base of relative file names in it. */
SL_API sl_status sl_pipeline_load_file(sl_pipeline *p, const char *path, sl_error *err);
/* The same from a text; NAME is used in messages. */
SL_API sl_status sl_pipeline_load(sl_pipeline *p, const char *json, const char *name, sl_error *err);

/* Appends one step. CONF is a JSON object: the pipe's conf; call options (field, assign, emit, count) may stand beside it under
 * "@field", "@assign", "@emit", "@count", "@skip_if". NULL: no conf. */
SL_API sl_status sl_pipeline_add(sl_pipeline *p, const char *pipe, const char *conf, sl_error *err);

/* The notation of `sluice pipe`: steps separated by |, each a pipe name and key=value words with dotted keys. */
SL_API sl_status sl_pipeline_add_text(sl_pipeline *p, const char *text, sl_error *err);

/* One source more of a collection: items of all sources follow one another. CONF as in a definition's `sources`
 * ({"url": ..., "type": "csv", ...}). */
SL_API sl_status sl_pipeline_source(sl_pipeline *p, const char *conf, sl_error *err);

/* A sink: "-", "x.csv", "x.jsonl", "x.json", "x.db:table", or a JSON object as in a definition's `sinks`. */
SL_API sl_status sl_pipeline_sink(sl_pipeline *p, const char *sink, sl_error *err);

/* Whether there is a sink, from a definition or added. */
SL_API bool sl_pipeline_has_sink(const sl_pipeline *p);
/* Forgets all sinks: those of a definition, before others are added in their place. */
SL_API void sl_pipeline_drop_sinks(sl_pipeline *p);

/* Sets NAME, a setting as the top level of a definition has it: "workers", "memory" (docs/pipeline-format.md lists them, as does
 * sl_definition_schema), or a key of its http as "http.KEY"; http.headers and allow_net add one each time. Three are for whoever
 * runs a definition alone: unsafe_lua (Lua functions may use os, io, ffi, package, debug), no_exec (no commands), no_plugins (no
 * shared libraries). VALUE as text: "true", "4", "256M". SL_E_USAGE with the accepted range otherwise. Overrides what a definition
 * says, whenever it is called. */
SL_API sl_status sl_pipeline_option(sl_pipeline *p, const char *name, const char *value, sl_error *err);

/* Everything that can be checked without reading input: SL_OK, or the first thing wrong. */
SL_API sl_status sl_pipeline_check(sl_pipeline *p, sl_error *err);

/* What is odd about the definition without being an error, once it is checked or run: the I-th of it from 0, with its place; NULL
 * past the last. Also in the report. Valid until P is run again, or added to. */
SL_API const char *sl_pipeline_warning(const sl_pipeline *p, unsigned i);

/* Sources that the run did without (keep_going): what was wrong with the I-th from 0; NULL past the last. Also in the report. Valid
 * until the next call of the pipeline. */
SL_API const char *sl_pipeline_failure(const sl_pipeline *p, unsigned i);

/* What the definition asks for and is made of, as JSON. INPUTS: a list of [position, name,
 * prompt] or [position, name, prompt, type, default]; DEPENDENCIES: the sorted list of its pipes; both: an object of the two. Valid
 * until the next call. */
SL_API const char *sl_pipeline_describe(sl_pipeline *p, bool inputs, bool dependencies, sl_error *err);

/* The plan as JSON (stages, their steps, where each runs, what gathers), for people and tools. Valid until the next call. */
SL_API const char *sl_pipeline_plan(sl_pipeline *p, sl_error *err);

/* ---- items of the program ------------------------------------------------------------------------------------------ */

/* A source whose items the program makes. The step `push NAME` takes them, once in the pipeline and wherever a source may stand (a
 * definition says {"type": "push", "conf": {"name": NAME}}):
 *
 *     sl_source *orders = sl_pipeline_push_source(p, "orders", &err);
 *     if (!orders || sl_pipeline_add_text(p, "push orders | sort rule.field=city", &err)) ...
 *     sl_source_put_int(orders, "id", 17);
 *     sl_source_put_text(orders, "city", "Pretoria", 8);
 *     if (sl_source_push_item(orders, &err)) ...
 *     if (sl_source_push(orders, "{\"id\": 18, \"city\": null}", 26, &err)) ...
 *     sl_source_end(orders);
 *     if (sl_pipeline_run(p, &err)) ...
 *
 * The items may be pushed before the run, all of them: then they wait in memory. Or during the run, by another thread: some
 * megabytes wait, then a push waits for the pipeline, as the pipeline waits for pushes. It needs the setting parallel=false or
 * threads=true then, as worker processes are forked; with workers, results may be held back until all workers have something to do,
 * with parallel=false they come at once. Or when the pipeline asks for them, by a function that runs in its thread
 * (sl_source_on_need).
 *
 * Ownership: the source is the pipeline's, and freed with it; names and texts are copied. Threads: one thread at a time pushes,
 * which may be another than the one that runs the pipeline, and must be through before the pipeline is freed. */
typedef struct sl_source sl_source;

/* A source for the step `push NAME`; messages call its 17th item NAME:17. NULL on failure; SL_E_USAGE: the name is taken.
 * A pipeline of which no step takes the items is SL_E_PLAN when it is checked. */
SL_API sl_source *sl_pipeline_push_source(sl_pipeline *p, const char *name, sl_error *err);

/* A field of the item that is being made: behind the others, or in the place of that name. What goes wrong is told by
 * sl_source_push_item, and the item is dropped. Texts are UTF-8. */
SL_API void sl_source_put_null(sl_source *s, const char *name);
SL_API void sl_source_put_bool(sl_source *s, const char *name, bool value);
SL_API void sl_source_put_int(sl_source *s, const char *name, int64_t value);
SL_API void sl_source_put_double(sl_source *s, const char *name, double value);
SL_API void sl_source_put_text(sl_source *s, const char *name, const char *text, size_t length);
/* Any value, list or map as JSON; or one that a pipeline has handed out. */
SL_API void sl_source_put_json(sl_source *s, const char *name, const char *json, size_t length);
SL_API void sl_source_put_value(sl_source *s, const char *name, const sl_value *value);

/* The item made of the fields put since the last one; there may be none. SL_DONE: the pipeline wants no more items (a step has
 * enough, or the run has ended); end the source then. SL_E_DATA: a text that is not UTF-8 or no JSON. SL_E_USAGE: the source was
 * ended for this run. */
SL_API sl_status sl_source_push_item(sl_source *s, sl_error *err);
/* The same with an item that is JSON: an object, or any other value as a bare one. */
SL_API sl_status sl_source_push(sl_source *s, const char *json, size_t length, sl_error *err);
/* The same with an item that a pipeline has handed out. */
SL_API sl_status sl_source_push_value(sl_source *s, const sl_value *item, sl_error *err);

/* No more items come in this run. A run ends only once its sources have. Once it has, what is pushed is for the next run. */
SL_API void sl_source_end(sl_source *s);

/* FN is called by the thread that runs the pipeline whenever that wants items: it pushes at least one, better some hundreds, and
 * returns SL_OK, or SL_DONE when there are no more (then what it has pushed still counts). Another status ends the run with that
 * and with what FN has put into ERR. */
typedef sl_status (*sl_need_fn)(void *user, sl_source *s, sl_error *err);
SL_API void sl_source_on_need(sl_source *s, sl_need_fn fn, void *user);

/* A sink that is a function: called for every item of the result, in order, in the thread that runs the pipeline. ITEM is valid
 * until it returns. SL_OK: go on; another status ends the run with that (SL_DONE counts as SL_E_STOPPED) and what FN has put into
 * ERR, and no sink commits. What it was given is only certain once sl_pipeline_run returns SL_OK.
 *
 *     static sl_status add(void *user, const sl_value *item, sl_error *err) {
 *         double amount;
 *         if (sl_value_double(sl_value_get(item, "amount"), &amount)) *(double *)user += amount;
 *         return SL_OK;
 *     }
 *     ...
 *     sl_pipeline_sink_function(p, add, &sum, &err); */
typedef sl_status (*sl_item_fn)(void *user, const sl_value *item, sl_error *err);
SL_API sl_status sl_pipeline_sink_function(sl_pipeline *p, sl_item_fn fn, void *user, sl_error *err);

/* A sink that is an open file descriptor: a socket, a pipe, a file. FORMAT: "jsonl" (also NULL), "json", "csv", "tsv", "table".
 * Each unit of items is written as soon as it is there, so what has been written stays when the run fails. FD stays the caller's,
 * and open. A reader that has gone is SL_E_IO, if the program ignores SIGPIPE. */
SL_API sl_status sl_pipeline_sink_fd(sl_pipeline *p, int fd, const char *format, sl_error *err);

/* A function that items pass through: the step `udf function=NAME` calls it for each, as it would one of a plugin (sluice_plugin.h,
 * which says what it may do with HOST and CALL), with USER for its state.
 *
 *     static int twice(void *user, const sl_plugin_host *host, sl_plugin_call *call) {
 *         int64_t a;
 *         if (!host->get_int(call, "a", &a)) return host->fail(call, "no number in field 'a'");
 *         host->start_copy(call);
 *         return host->put_int(call, "twice", 2 * a);
 *     }
 *     ...
 *     sl_pipeline_function(p, "twice", twice, NULL, &err);
 *     sl_pipeline_add_text(p, "csv url=a.csv | udf function=twice", &err);
 *
 * Threads: workers call it, several at once with threads=true, so what USER leads to is for the program to guard; worker processes
 * have a copy of it each, and what they change there is lost. Order of items: none that can be known. SL_E_USAGE: the name is
 * taken. */
struct sl_plugin_host;
struct sl_plugin_call;
typedef int (*sl_function_fn)(void *user, const struct sl_plugin_host *host, struct sl_plugin_call *call);
SL_API sl_status sl_pipeline_function(sl_pipeline *p, const char *name, sl_function_fn fn, void *user, sl_error *err);

/* ---- running ----------------------------------------------------------------------------------------------------- */

/* What a run has done so far or in all. */
typedef struct sl_progress {
    uint64_t items_in, items_out, filtered, quarantined; /* in = what the sources read */
    uint64_t
        ahead; /* what they read besides, where a step had enough before the end (truncate): not in, as it depends on the workers */
    uint64_t recovered;             /* items that were no well-formed text and had to be mended: entries of feeds that carry bozo */
    uint64_t failed;                /* sources that were left out, as keep_going asks */
    uint64_t bytes_in, bytes_total; /* total 0: unknown */
    uint64_t nanoseconds;
    bool committing; /* everything is read; the sinks are made ready and committed, which may take a while */
    uint64_t reserved[8];
} sl_progress;

/* Called by sl_pipeline_run about ten times a second while items move. Returns whether to go on: false is as sl_pipeline_stop. */
typedef bool (*sl_progress_fn)(void *user, const sl_progress *progress);
SL_API void sl_pipeline_on_progress(sl_pipeline *p, sl_progress_fn fn, void *user);

/* What the library tells about what it does. Levels include those before them. */
typedef enum sl_log_level {
    SL_LOG_WARNING = 1, /* odd, and no error: what sl_pipeline_warning and sl_pipeline_failure give, at once */
    SL_LOG_INFO,        /* an item that a `tap` shows, as JSON of any length; its part is "tap" */
    SL_LOG_TRACE        /* each decision */
} sl_log_level;

typedef struct sl_log_entry {
    sl_log_level level;
    int worker;       /* from 0; -1: the thread that runs the pipeline */
    const char *part; /* what it is about: "plan" or "source" of a warning; "stage", "split", "unit", "retry", "spill", "request",
                       * "cache", "transaction" or "recode" of a trace (docs/operations.md tells what they are) */
    const char *message;  /* one line, valid until the function returns */
    uint64_t nanoseconds; /* since the pipeline was made */
} sl_log_entry;

/* Calls FN for every entry up to the level MOST; NULL: for none. FN may be called in worker threads, but by one at a time, and not
 * in worker processes. It may not call the pipeline, except for sl_pipeline_stop. */
typedef void (*sl_log_fn)(void *user, const sl_log_entry *entry);
SL_API void sl_pipeline_on_log(sl_pipeline *p, sl_log_level most, sl_log_fn fn, void *user);

/* Runs to the sinks; nothing is committed unless SL_OK is returned. SL_E_USAGE: there is no sink, or the pipeline is being run. */
SL_API sl_status sl_pipeline_run(sl_pipeline *p, sl_error *err);

/* After run with the setting if_changed: when the run was committed since which nothing has changed (seconds since the epoch), so
 * that this one did nothing; 0: it ran. */
SL_API int64_t sl_pipeline_unchanged(const sl_pipeline *p);

/* Asks a running pipeline to stop soon: it returns SL_E_STOPPED. One that is not running will do so when it is run for the first
 * time; a request that comes after a run is forgotten when the next begins. The only call, with the next, that a signal handler or
 * another thread may make. */
SL_API void sl_pipeline_stop(sl_pipeline *p);
/* Whether the sinks are being committed, or were: then the run is as good as done, and stopping it has no effect. Also for a signal
 * handler or another thread. */
SL_API bool sl_pipeline_committing(const sl_pipeline *p);

/* The run report as JSON, after run or close. Valid until the next call. */
SL_API const char *sl_pipeline_report(sl_pipeline *p, sl_error *err);
/* The same figures in a struct: of the run so far, or that has ended; zero after close. */
SL_API sl_progress sl_pipeline_totals(const sl_pipeline *p);

/* ---- pulling items ----------------------------------------------------------------------------------------------- */

typedef struct sl_stream sl_stream;

/* Starts the pipeline without its sinks. NULL on failure. The pipeline must outlive the stream. */
SL_API sl_stream *sl_pipeline_open(sl_pipeline *p, sl_error *err);
/* The next item as one line of JSON: SL_OK, SL_DONE at the end, else the failure. JSON is valid until the next call; LENGTH may
 * be NULL. */
SL_API sl_status sl_stream_next(sl_stream *s, const char **json, size_t *length, sl_error *err);
/* The same as a value, which is valid until the next call. */
SL_API sl_status sl_stream_item(sl_stream *s, const sl_value **item, sl_error *err);
/* Stops the sources and the workers, whether or not the end was reached. */
SL_API void sl_stream_close(sl_stream **s);

/* ---- the HTTP cache ---------------------------------------------------------------------------------------------- */

/* Answers of HTTP servers are kept in a folder of files, with what is needed to ask whether they still hold (docs/operations.md,
 * "Cache"). These look after that folder; they may be called at any time, also while pipelines use it. DIR NULL: the folder used
 * when nothing else is said. */

/* The entries, those not used for longest first, as JSON: {"folder", "bytes", "entries": [{"url", "bytes", "stored", "used",
 * "etag", "last_modified", "file"}]}, times in ISO 8601; what is no whole entry has a null url. The caller frees the text. */
SL_API char *sl_http_cache_list(const char *dir, sl_error *err);

typedef struct sl_cache_change {
    uint64_t files, bytes;           /* removed */
    uint64_t files_left, bytes_left; /* entries that stay */
    uint64_t reserved[4];
} sl_cache_change;

/* Removes entries not used for OLDER ("12h", "30d"; NULL: any age), then those not used for longest until the rest takes no more
 * than MAX_SIZE ("500M"; NULL: any size). Both NULL: down to 1G, the default of runs. */
SL_API sl_status sl_http_cache_prune(const char *dir, const char *older, const char *max_size, sl_cache_change *out, sl_error *err);

/* Removes all entries; files of others in the folder stay. */
SL_API sl_status sl_http_cache_clear(const char *dir, sl_cache_change *out, sl_error *err);

/* ---- converting -------------------------------------------------------------------------------------------------- */

/* The definition in the file PATH, of any accepted form, in the native form: modules, pairs of ids as wires, settings. It gives the
 * same result when it lies in the same folder. The caller frees the text with free(). */
SL_API char *sl_convert_definition(const char *path, sl_error *err);

/* ---- describing -------------------------------------------------------------------------------------------------- */

/* All pipes, or the one called NAME, as JSON: name, kind, summary, options with type, default, help, and an example. NULL and
 * SL_E_USAGE with a suggestion for an unknown name. The caller frees the text with free(). */
SL_API char *sl_describe_pipes(const char *name, sl_error *err);

/* All formats that files are read in, or the one called NAME, or else the one that the name of FILE (a file or URL) tells, as JSON:
 * name, summary, suffixes, media_types, options, and the pipe that reads it where nothing else is said. NULL and SL_E_USAGE where
 * there is none. The caller frees the text with free(). */
SL_API char *sl_describe_formats(const char *name, const char *file, sl_error *err);

/* The JSON Schema (draft 2020-12) of definitions: every pipe, key, setting and sink with type, default and description. NULL when
 * memory is out. The caller frees the text with free(). */
SL_API char *sl_definition_schema(sl_error *err);

#ifdef __cplusplus
}
#endif

#endif
