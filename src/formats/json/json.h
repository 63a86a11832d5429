/* json.h: what the files of the json and jsonl formats share.
 *
 *   scan.c   finds where elements end: vector code that knows strings and depth and nothing else
 *   walk.c   a validating automaton, byte by byte, that can stop anywhere: everything outside the elements
 *   split.c  the json splitter: walks to the path, scans the elements, walks the rest
 *   value.c  reads one value, strictly
 *   table.c  columns filled row by row, with the prediction of keys
 *   read.c   the reader of both formats
 *
 * The note of a json unit says what its bytes are; see sl_json_note. */
#ifndef SL_FORMATS_JSON_JSON_H
#define SL_FORMATS_JSON_JSON_H

#include "base/arena.h"
#include "base/status.h"
#include "formats/encoding.h"
#include "formats/format.h"

#define SL_JSON_DEPTH  1000 /* containers within containers */
#define SL_JSON_RECORD SL_RECORD_MOST

typedef struct sl_json_conf {
    sl_texts path; /* joined with dots */
    sl_text encoding_name;
    sl_text joined;
    sl_encoding encoding;
    sl_dialect dialect;
} sl_json_conf;

/* First byte of a unit's note; no note is SL_JSON_VALUES. */
enum sl_json_note {
    SL_JSON_ELEMENTS = 'a', /* values with commas between them */
    SL_JSON_VALUES = 'v',   /* values with white space between them, or nothing */
    SL_JSON_LINES = 'l',    /* a value a line */
    SL_JSON_EVALUATE = 'e', /* one value; behind the letter the path still to be followed from it. With 'E' the value is
                                              first put under the path's first name, for what a lookup does to a value it hits. */
    SL_JSON_WRAPPED = 'E',
    SL_JSON_NOTHING = 'm' /* riko: the path leads nowhere, the item is an empty text; the bytes mean nothing */
};

/* ---- scanning ---------------------------------------------------------------------------------------------------- */

/* Where the scan stands. Zeroed: between elements. Depth counts from the elements. */
typedef struct sl_json_scan {
    uint64_t inside;  /* all ones: in a string */
    uint64_t escaped; /* 1: the next byte is escaped */
    uint64_t depth;
    char separator; /* what ends an element at depth 0: ',' or '\n' */
    size_t cut;     /* behind the last separator at depth 0, 0: none yet */
    size_t shut;    /* behind the last bracket that led back to depth 0, 0: none yet */
    bool ended;     /* a bracket closes what the elements are in; it is at `at` */
    size_t at;
} sl_json_scan;

/* Looks at DATA[from, n) in whole chunks of 64 bytes, all of it when LAST; returns how far it has looked. PORTABLE: without
 * vector code. DATA has SL_PADDING readable bytes past n. */
size_t sl_json_scan_bytes(sl_json_scan *s, const char *data, size_t from, size_t n, bool last, bool portable);

/* Line feeds in the bytes. */
uint64_t sl_json_count_lines(const char *s, size_t n);

/* ---- walking ----------------------------------------------------------------------------------------------------- */

typedef enum sl_json_event {
    SL_JSON_NONE,  /* nothing to be told */
    SL_JSON_BEGIN, /* the byte is the first of a value; a container counts as open already */
    SL_JSON_KEY,   /* the byte is the closing quote of a key; `key` holds what was between the quotes */
    SL_JSON_END,   /* the byte is the last of a value; a container is closed */
    SL_JSON_AFTER, /* the same for a number or word: it ended before this byte */
    SL_JSON_BAD    /* no JSON; `why` says what was expected */
} sl_json_event;

typedef struct sl_json_walk {
    uint8_t state, hex; /* see walk.c; digits of a \u still to come */
    bool in_key;
    uint32_t depth;   /* open containers */
    const char *word; /* the rest of true, false or null */
    const char *why;
    uint64_t line, column; /* of the next byte */
    sl_buf key;
    char open[SL_JSON_DEPTH];
    uint64_t begun[SL_JSON_DEPTH]; /* line of each open container */
} sl_json_walk;

void sl_json_walk_begin(sl_json_walk *w);
sl_json_event sl_json_walk_byte(sl_json_walk *w, char c);
/* Closes a value that needs something behind it to be seen as ended (a number at the end of the document). False: there is none. */
bool sl_json_walk_finish(sl_json_walk *w);
/* The value that has begun was read by somebody else. */
void sl_json_walk_skip_value(sl_json_walk *w);
bool sl_json_walk_complete(const sl_json_walk *w);
/* Counts BYTES that others have read. */
void sl_json_walk_moved(sl_json_walk *w, const char *bytes, size_t n);
void sl_json_walk_free(sl_json_walk *w);

/* ---- reading values ---------------------------------------------------------------------------------------------- */

/* Name -> number, for finding keys again; open addressing, emptied for each use. */
typedef struct sl_json_index {
    uint32_t *slots; /* number + 1, 0: free */
    uint32_t cap, n;
} sl_json_index;

/* A text being read. Functions return the byte behind what they read, or NULL after filling err. */
typedef struct sl_json_in {
    const char *start, *end; /* the unit; reading 64 bytes past the end is allowed */
    const char *floor;       /* the bytes from here on may be looked at to find where a line begins */
    uint64_t line;           /* of the byte being read */
    bool by_line;            /* a line feed ends the record, it is no white space */
    bool distinct;           /* a key that comes twice in a map is a failure */
    bool python;             /* numbers decode to what Python makes of them */
    uint32_t depth;
    sl_arena *arena;
    sl_pair *pairs; /* stack of members and elements of the containers that are open */
    uint32_t npairs, cap_pairs;
    sl_json_index index;
    sl_error *err;
} sl_json_in;

/* White space skipped. */
const char *sl_json_space_slow(sl_json_in *in, const char *p);
static inline const char *sl_json_space(sl_json_in *in, const char *p) {
    return (unsigned char)*p > ' ' ? p : sl_json_space_slow(in, p);
}

/* Any value; RAW: texts and numbers are left raw, lists and maps are decoded always. */
const char *sl_json_value(sl_json_in *in, const char *p, bool raw, sl_value *out);
/* A key at its opening quote, decoded; views where it can. */
const char *sl_json_key(sl_json_in *in, const char *p, sl_text *out);
/* Says at which byte what is wrong; NULL. */
const char *sl_json_bad(sl_json_in *in, const char *at, const char *expected);
void sl_json_in_free(sl_json_in *in);

/* The one value of the text JSON; DISTINCT: without keys that come twice in a map, of which the last counts otherwise. SL_E_DATA
 * with line and column, counted from 1, when it is not that. The value lives in ARENA. */
SL_MUST_CHECK sl_status sl_json_document(const char *json, size_t n, bool distinct, sl_arena *arena, sl_value *out, sl_error *err);

/* Empties the index with room for MANY names. */
SL_MUST_CHECK bool sl_json_index_clear(sl_json_index *x, uint32_t many);
/* The slot of NAME, whose number + 1 it holds, or the free one where it belongs. NAMES + STRIDE * number is an sl_text. */
uint32_t *sl_json_index_slot(sl_json_index *x, sl_text name, const void *names, size_t stride);

/* Of members with one key the last counts, in the place of the first. Returns how many are left; UINT32_MAX: no memory. Where keys
 * must be distinct, it stops at the first that is not: PAIRS[result], if the result is below N. */
uint32_t sl_json_unite(sl_json_in *in, sl_pair *pairs, uint32_t n);

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* Where batches go, made ready on the way. */
typedef struct sl_json_out {
    sl_batch_sink sink;
    void *to;
    const sl_block *block;
    sl_status status; /* what became of the last batch */
} sl_json_out;

/* An sl_batch_sink; TO is an sl_json_out. */
SL_MUST_CHECK sl_status sl_json_hand_on(void *to, sl_batch *take, sl_error *err);

typedef struct sl_json_table sl_json_table;

sl_json_table *sl_json_table_new(void);
void sl_json_table_free(sl_json_table *t); /* NULL-safe; rows not flushed are dropped */
/* Begins a unit: IN is read, batches keep INPUT. OUT is borrowed until the flush. */
void sl_json_table_open(sl_json_table *t, sl_json_in *in, sl_input *input, sl_json_out *out);
/* The value at P as an element: an object as a row, null as nothing, anything else bare. */
const char *sl_json_table_element(sl_json_table *t, const char *p);
SL_MUST_CHECK sl_status sl_json_table_flush(sl_json_table *t);

/* ---- the reader -------------------------------------------------------------------------------------------------- */

sl_status sl_json_start(const void *conf, void **state, sl_error *err);
void sl_json_stop(void *state);
/* The records of BLOCK, which its note describes. */
sl_status sl_json_read_block(void *state, const sl_block *block, const sl_json_conf *conf, sl_batch_sink sink, void *to,
                             sl_error *err);

sl_status sl_json_split_new(const void *conf, void **splitter, sl_error *err);
sl_status sl_json_split(void *splitter, const char *data, size_t n, bool last, sl_cut *cut, sl_error *err);
void sl_json_split_free(void *splitter);

/* SL_E_DATA when the stream begins as UTF-16 or UTF-32; *SKIP bytes of a UTF-8 mark otherwise. */
SL_MUST_CHECK sl_status sl_json_mark(const char *data, size_t n, size_t *skip, sl_error *err);

/* ---- picking values out of a document (pick.c) ----------------------------------------------------------- */

/* One value out of a JSON document that passes by: the address of the next page, a cursor.
 *
 *     new ( feed* ( end | begin ) )* free
 *
 * The bytes are looked at as they come and only the value looked for is kept, at most 64 KiB of it: the document is never
 * held, and the value may stand anywhere in it. Under one key given twice the last counts. What follows the first document is
 * not looked at.
 *
 * Thread rule: one thread at a time. */

typedef struct sl_json_pick sl_json_pick;

/* PATH as in a field: names of keys and places in lists, from 0, with dots between them ("meta.next", "links.0.href"); a key of
 * the document's own that is the whole path counts too. SL_E_PLAN: it is empty, or counts from the end of a list. */
SL_MUST_CHECK sl_status sl_json_pick_new(sl_text path, sl_json_pick **out, sl_error *err);
void sl_json_pick_free(sl_json_pick **p); /* NULL-safe */

/* Forgets what was seen: another document begins. */
void sl_json_pick_begin(sl_json_pick *p);
/* More of the document, in UTF-8. */
void sl_json_pick_feed(sl_json_pick *p, const char *data, size_t n);
/* The document is over. *OUT, in ARENA: the text, or the number as it was written; .s NULL: there is none (the path leads
 * nowhere, or to null, false or an empty text). SL_E_DATA: no JSON, or a value of another kind. */
SL_MUST_CHECK sl_status sl_json_pick_end(sl_json_pick *p, sl_arena *arena, sl_text *out, sl_error *err);

#endif
