/* sluice_plugin.h: functions for `udf` and `aggregate` in C, in a shared library that sluice loads:
 * {"type": "udf", "conf": {"plugin": "./libx.so"}}.
 *
 *     static int twice(void *state, const sl_plugin_host *host, sl_plugin_call *call) {
 *         int64_t a;
 *         if (!host->get_int(call, "a", &a)) return host->fail(call, "no number in field 'a'");
 *         host->start_item(call);
 *         host->put_int(call, "twice", 2 * a);
 *         return 0;
 *     }
 *     static const sl_plugin_function functions[] = {{"twice", NULL, twice, NULL}};
 *     static const sl_plugin plugin = {SL_PLUGIN_ABI, sizeof plugin, "example", functions, 1};
 *     const sl_plugin *sluice_plugin(uint32_t host_version) { return host_version < SL_PLUGIN_ABI ? NULL : &plugin; }
 *
 *     cc -shared -fPIC -o libx.so x.c
 *
 * A plugin needs this header alone, links with nothing of sluice's and sees none of its structs. It runs in the process of sluice:
 * what it breaks is broken there. It must not exit, print to standard output, change signal handlers, or leave `item` by an
 * exception or longjmp.
 *
 * Order, of a function for `udf`: open, item*, close for each worker. Which items a worker gets is not known and differs from run
 * to run, so the results for an item must follow from the item and the conf, not from items seen before. Of one for `aggregate`:
 * open, item*, result, close once a run, with every item of the stream in order. Of both once more open, close before any input is
 * read, so that a conf that open refuses is found then.
 *
 * Threads: workers may be threads, and an aggregate within a subpipe may run in several of them. A state is one worker's and never
 * used by two at once; whatever several states share, such as static variables, is for the plugin to guard. With worker processes
 * the library is loaded before they fork.
 *
 * Ownership: the descriptors are the plugin's and stay as they are while it is loaded. What is handed to a function is valid until
 * it returns. Every text is UTF-8. Names end in a zero byte; other texts have a length and need not end in one. */
#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. Members are added only at the ends of sl_plugin_host and sl_plugin, which `size` tells; any other
 * change is another version. */
#define SL_PLUGIN_ABI 1u

#define SL_PLUGIN_EXPORT __attribute__((visibility("default")))

/* One call of `item` or `result`; what is inside is sluice's. */
typedef struct sl_plugin_call sl_plugin_call;

typedef enum sl_plugin_type {
    SL_PLUGIN_MISSING = 0, /* the item has no such field */
    SL_PLUGIN_NULL,
    SL_PLUGIN_BOOL,
    SL_PLUGIN_INT, /* 64 bits */
    SL_PLUGIN_DOUBLE,
    SL_PLUGIN_TEXT,    /* every field of CSV */
    SL_PLUGIN_DECIMAL, /* exact: its digits, by get_text */
    SL_PLUGIN_TIME,    /* a date or a time: by get_text */
    SL_PLUGIN_LIST,    /* JSON, by get_text */
    SL_PLUGIN_MAP      /* JSON, by get_text */
} sl_plugin_type;

/* What a function may ask of sluice, only during `item` and `result`, with the CALL it was given and in the thread that it was
 * called in. */
typedef struct sl_plugin_host {
    uint32_t abi;  /* SL_PLUGIN_ABI of sluice */
    uint32_t size; /* of this struct in sluice: a member beyond it is not there */

    /* ---- the item. A bare value has the one field "content". In `result` there is none: every field is missing. */

    /* What is in the field NAME. */
    sl_plugin_type (*type)(sl_plugin_call *call, const char *name);
    /* The name of the field at place I of the item, from 0, in order; NULL past the last. */
    const char *(*field)(sl_plugin_call *call, size_t i);
    /* The field NAME as text: *TEXT gets N bytes that live until `item` returns. Bools are true and false, lists and maps JSON. 0:
     * missing or null, and *TEXT and *N are left alone; else 1. */
    int (*get_text)(sl_plugin_call *call, const char *name, const char **text, size_t *n);
    /* The same as a number: an int, float or decimal, or a text that reads as one. get_int takes whole numbers that fit 64 bits. 0:
     * it is not one, and *OUT is left alone; else 1. */
    int (*get_int)(sl_plugin_call *call, const char *name, int64_t *out);
    int (*get_double)(sl_plugin_call *call, const char *name, double *out);
    /* A bool, or a text that is true or false in any case: *OUT gets 1 or 0. 0: it is neither, and *OUT is left alone; else 1. */
    int (*get_bool)(sl_plugin_call *call, const char *name, int *out);

    /* ---- results: any number for an item, in order; none leaves the item out. With emit false the one result, or the list of
     * several, is stored in the field that `assign` names. `result` of an aggregate makes those that take the place of the stream;
     * its `item` makes none, and start_copy is not for it.
     *
     * All return 0, or -1 when the result could not be kept: then the call fails, whatever `item` returns. */

    /* Begins a result that is an item without fields. */
    int (*start_item)(sl_plugin_call *call);
    /* Begins a result that has the fields of the item. */
    int (*start_copy)(sl_plugin_call *call);
    /* Puts a value under NAME into the result that was begun last: behind the others, or in the place of that name. NAME NULL: the
     * value is a result of its own, and the next item has to be begun anew. Names and texts are copied. */
    int (*put_text)(sl_plugin_call *call, const char *name, const char *text, size_t n);
    int (*put_int)(sl_plugin_call *call, const char *name, int64_t value);
    int (*put_double)(sl_plugin_call *call, const char *name, double value);
    int (*put_bool)(sl_plugin_call *call, const char *name, int value);
    int (*put_null)(sl_plugin_call *call, const char *name);
    /* A list, a map or any other value as JSON. */
    int (*put_json)(sl_plugin_call *call, const char *name, const char *json, size_t n);

    /* Notes why the call fails and returns -1: return host->fail(call, "no such street"). The run ends with MESSAGE, which is
     * copied, and the place of the item in the input. */
    int (*fail)(sl_plugin_call *call, const char *message);
} sl_plugin_host;

typedef struct sl_plugin_function {
    const char *name; /* as the option `function` gives it */
    /* Makes the state of a worker. CONF is the option `conf` as JSON, an object ("{}" when there is none). HOST outlives the state.
     * Not 0 is a failure, with its reason in ERROR (SIZE bytes, empty when called); then close is not called. NULL: the state is
     * NULL. */
    int (*open)(const char *conf, const sl_plugin_host *host, void **state, char *error, size_t size);
    /* Looks at one item and makes its results. Not 0 is a failure: see fail. */
    int (*item)(void *state, const sl_plugin_host *host, sl_plugin_call *call);
    /* Frees the state that open made. NULL: there is nothing to do. */
    void (*close)(void *state);
} sl_plugin_function;

/* A function over the whole stream, for `aggregate`. It runs in one thread and sees the items in order; what it keeps of them is
 * for it to bound. */
typedef struct sl_plugin_aggregate {
    const char *name; /* as the option `function` gives it */
    /* As of sl_plugin_function. */
    int (*open)(const char *conf, const sl_plugin_host *host, void **state, char *error, size_t size);
    int (*item)(void *state, const sl_plugin_host *host, sl_plugin_call *call); /* looks at the next item, makes no results */
    /* After the last item, also of an empty stream: makes the results. Not 0 is a failure. */
    int (*result)(void *state, const sl_plugin_host *host, sl_plugin_call *call);
    void (*close)(void *state);
} sl_plugin_aggregate;

typedef struct sl_plugin {
    uint32_t abi;     /* SL_PLUGIN_ABI */
    uint32_t size;    /* sizeof(sl_plugin) */
    const char *name; /* for messages */
    const sl_plugin_function *functions;
    size_t nfunctions; /* with naggregates at least 1 */
    /* A plugin made when there were none of these has a `size` that ends here. */
    const sl_plugin_aggregate *aggregates;
    size_t naggregates;
} sl_plugin;

/* What a plugin exports. HOST_VERSION is SL_PLUGIN_ABI of sluice; NULL: the plugin does not work with it. Called when a definition
 * is prepared, maybe several times, and in any thread. */
SL_PLUGIN_EXPORT const sl_plugin *sluice_plugin(uint32_t host_version);

#ifdef __cplusplus
}
#endif

#endif
