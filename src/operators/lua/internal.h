/* internal.h: what state.c, value.c and batch.c share. */
#ifndef SL_OPERATORS_LUA_INTERNAL_H
#define SL_OPERATORS_LUA_INTERNAL_H

#include "operators/lua/lua.h"
#include "operators/lua/memory.h"
#include "operators/lua/scan.h"
#include "operators/luajit.h"
#include "record/builder.h"

struct sl_lua_program {
    sl_lua_source source;
    const char *chunk;    /* name for messages, in Lua's notation */
    const char *function; /* of a file; NULL: the one it returns */
    bool is_file, unsafe;
    sl_lua_role role;
    size_t memory;
    double timeout;
    sl_dialect dialect;
    const _Atomic bool *stopping;
};

/* What C and driver.lua both see. The declaration there is the same, word for word. */
typedef struct sl_lua_frame sl_lua_frame;
struct sl_lua_frame {
    const uint32_t *rows; /* [count] the selected rows */
    uint32_t count;
    uint32_t at;   /* place of the item at hand in rows */
    int32_t left;  /* checks until the next look at the clock */
    int32_t looks; /* at the clock, for this item */
    char *bytes;   /* room for the bytes of results */
    uint32_t room;
    uint32_t made;                                                         /* results in the output columns */
    bool *keep;                                                            /* [count] */
    sl_value *values;                                                      /* by row */
    const sl_value *cell;                                                  /* for convert */
    sl_value *out;                                                         /* for store */
    const sl_value *(*column)(sl_lua_frame *, const char *name, size_t n); /* NULL: failed */
    sl_value *(*output)(sl_lua_frame *, uint32_t number);
    bool (*more)(sl_lua_frame *, size_t n); /* false: failed */
    bool (*late)(sl_lua_frame *);           /* true: the time is over */
};

struct sl_lua {
    sl_lua_frame frame; /* first: sl_lua_frame * is sl_lua * */
    const sl_lua_program *program;
    lua_State *state;
    lua_State *current; /* the coroutine that called C */
    sl_lua_memory memory;
    uint64_t since; /* first look at the clock for this item */
    sl_error error; /* what a C function called by Lua failed with */

    /* The batch at hand. */
    sl_batch *batch;
    sl_arena *arena; /* for results */
    uint32_t *rows;  /* [cap_rows] */
    bool *keep;
    uint32_t cap_rows;
    sl_value *none; /* [cap_none] missing values: a column that is not there */
    uint32_t cap_none;

    /* Results. */
    sl_builder *builder; /* for take */
    uint32_t most;       /* results that a list is, at most; 0: it is one */
    sl_text *keys;       /* of the results of late, in order; the memory is this struct's */
    uint32_t nkeys, cap_keys;
    enum { SL_LUA_ANY, SL_LUA_MAPS, SL_LUA_CHANGES } shape;
    sl_value **outputs; /* [nkeys] */
    char nothing[1];    /* where an empty text begins */

    /* The stream, gathered. */
    uint64_t items;
    sl_text *fields; /* names of its columns, in order; in lasting */
    uint32_t nfields, cap_fields;
    sl_arena lasting;
};

/* Ranks of keys: fields of the item by their place, then these. */
#define SL_LUA_WRITTEN ((uint64_t)1 << 32)
#define SL_LUA_OTHER   ((uint64_t)2 << 32)

/* Places in the registry. */
#define SL_LUA_DRIVER     "sluice.driver"
#define SL_LUA_ITEM_PROXY "sluice.item"
#define SL_LUA_CHANGED    "sluice.changes"
#define SL_LUA_REMOVED    "sluice.removed"
#define SL_LUA_LIST_MARK  "sluice.list"
#define SL_LUA_GATHERED   "sluice.items"

/* state.c: calls the driver's function NAME with the NARGS values on the stack, which it takes; NRESULTS are left there. A failure
 * has the place of the item at hand. */
SL_MUST_CHECK sl_status sl_lua_call(sl_lua *l, const char *name, int nargs, int nresults, sl_error *err);
/* Calls F with L as light userdata. */
SL_MUST_CHECK sl_status sl_lua_protected(sl_lua *l, lua_CFunction f, sl_error *err);
/* The sl_lua that a C function was made for; notes which coroutine called it. */
sl_lua *sl_lua_self(lua_State *L);
/* Ends the Lua call at hand with l->error. */
int sl_lua_raise(sl_lua *l);

/* value.c: V onto the stack; raises a Lua error when memory is out. */
void sl_lua_push(sl_lua *l, sl_value v);
/* The value at INDEX in the arena of L. To be called within a Lua call: may raise an error for lack of memory. */
SL_MUST_CHECK sl_status sl_lua_to_value(sl_lua *l, int index, sl_value *out, sl_error *err);
/* Whether results whose keys are l->keys have them in that order whatever item of the batch they are for. */
bool sl_lua_shape_holds(const sl_lua *l);
/* Whether a selected row has no value in COLUMN. */
bool sl_lua_lacks_some(const sl_batch *b, uint32_t column);
/* ITEM with the members of the map CHANGES set; a missing one takes its field away. */
SL_MUST_CHECK sl_status sl_lua_merge(sl_value item, sl_value changes, sl_arena *arena, sl_value *out, sl_error *err);

/* C functions for the driver, each with the sl_lua as upvalue: its table is on top of the stack. */
void sl_lua_value_functions(sl_lua *l);
void sl_lua_batch_functions(sl_lua *l);
void sl_lua_add_function(sl_lua *l, const char *name, lua_CFunction f);
/* batch.c: the functions of the frame. */
void sl_lua_frame_functions(sl_lua_frame *f);

#endif
