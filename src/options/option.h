/* option.h: options are data. One table row a conf key; one parser serves every pipe, source and sink; help, docs, range errors
 * and "did you mean" come from the same rows. */
#ifndef SL_OPTIONS_OPTION_H
#define SL_OPTIONS_OPTION_H

#include "record/value.h"

typedef enum sl_option_type {
    SL_OPT_TEXT,    /* sl_text */
    SL_OPT_BOOL,    /* bool */
    SL_OPT_INT,     /* int64_t, cast as typecast does ("2.9" is 2), range checked */
    SL_OPT_SIZE,    /* uint64_t bytes: 1048576, "256M", "1G" */
    SL_OPT_SECONDS, /* double: 1.5, "30s", "500ms", "2m" */
    SL_OPT_ENUM,    /* int: index into names */
    SL_OPT_CHAR,    /* char: one byte; "\t" and "tab" too; "" is 0 */
    SL_OPT_PATH,    /* sl_text: a field path */
    SL_OPT_TEXTS,   /* sl_texts: a text or a list of texts */
    SL_OPT_VALUE,   /* sl_value as it came (missing when absent) */
    SL_OPT_RULES,   /* sl_rules: an object or a list of objects, each parsed by `rules` */
    SL_OPT_OBJECT,  /* sl_value: an object as it came (missing when absent), after a look at its keys by `rules` */
    SL_OPT_FURTHER  /* sl_value: a map of the keys given that are not this table's but of `further` tables: their values as they
                     * came,  under the names of those rows. Once in a table, at its end; its own name is shown nowhere */
} sl_option_type;

typedef struct sl_texts {
    sl_text *v;
    uint32_t n;
    bool given; /* the key is present and not null */
} sl_texts;

typedef struct sl_rules { /* v is an array of n structs of rule_size bytes */
    void *v;
    uint32_t n;
} sl_rules;

enum {
    SL_OPT_REQUIRED = 1, /* must be present and not null */
    SL_OPT_SCALARS = 2,  /* SL_OPT_RULES: a bare scalar stands for {first option: scalar} */
    SL_OPT_HIDDEN = 4,   /* an accepted old name, not shown */
    SL_OPT_LOOSE = 16,   /* SL_OPT_ENUM: under riko's dialect any other word means the default */
    SL_OPT_OPEN = 32     /* on the row that ends a table: under riko's dialect keys that are not in it are passed over */
};

typedef struct sl_option sl_option;
struct sl_option {
    const char *name; /* lower case; NULL ends a table */
    sl_option_type type;
    size_t offset;                   /* in the conf (or rule) struct */
    const char *fallback;            /* default, as text, shown in help; NULL: absent (zero, missing) */
    int64_t min, max;                /* SL_OPT_INT, both 0: any */
    const char *unit;                /* for help: "items", "bytes", "seconds"; may be NULL */
    const char *const *names;        /* SL_OPT_ENUM, NULL-terminated */
    const char *(*word)(unsigned i); /* SL_OPT_TEXT: the words that it may be, NULL behind the last; others are not refused here */
    const sl_option *(*further)(
        unsigned i);        /* SL_OPT_FURTHER: the tables, NULL behind the last; of rows of one name the first counts */
    const sl_option *rules; /* SL_OPT_RULES, SL_OPT_OBJECT: table of one rule */
    size_t rule_size;       /* SL_OPT_RULES, SL_OPT_OBJECT */
    unsigned flags;         /* SL_OPT_* */
    const char *alias;      /* another accepted name, of the 2016 API; may be NULL */
    const char *help;       /* one line */
};

/* Fills CONF (zeroed, conf_size bytes) from MAP (a map value, or missing for defaults only) by TABLE. Texts and arrays live in
 * ARENA or in MAP. Unknown keys are SL_E_PLAN with the nearest name; *BAD_KEY (may be NULL) gets the dotted path of the
 * offending key, e.g. "rule.2.fied", so that the caller can point at it. NOCASE: keys match ignoring case (riko's dialect). */
SL_MUST_CHECK sl_status sl_options_parse(const sl_option *table, sl_value map, bool nocase, void *conf, sl_arena *arena,
                                         sl_text *bad_key, sl_error *err);

/* A value of type missing inside MAP stands for one that only the item decides: it satisfies SL_OPT_REQUIRED and leaves its place
 * zero. So a conf that refers to items is checked before any item is read. */

/* The row of TABLE that KEY is a name of, among the further ones too; NULL: none. */
const sl_option *sl_option_named(const sl_option *table, sl_text key, bool nocase);

/* The rows of TABLE one by one, those of further tables at the end, each name once. Begins zeroed but for the table. */
typedef struct sl_option_walk {
    const sl_option *table, *at, *from;
    unsigned next;
} sl_option_walk;
const sl_option *sl_option_next(sl_option_walk *w); /* NULL: no more */

/* The words of an option as a list for messages, in OUT, which it returns: "csv, tsv, json". */
const char *sl_option_words(const char *(*word)(unsigned i), char *out, size_t size);

/* Bytes: "1048576", "256M", "1.5G", "64KiB" (powers of 1024). false when T is not a size. */
bool sl_size_parse(sl_text t, uint64_t *out);

/* One option as it is written for people: "count" -> "INT = 0, items". Appends. */
void sl_option_describe(const sl_option *o, sl_buf *out);

#endif
