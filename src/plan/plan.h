/* plan.h: a pipeline definition, read and checked: settings, sources, a graph of steps, sinks.
 *
 *     text -> sl_plan_parse -> graph (nodes in topological order) -> sl_plan_prepare -> compiled confs -> engine
 *
 * Accepted forms (docs/pipeline-format.md): a bare list of modules; {"modules", "wires": [[source, target], ...]}; the full
 * {"modules", "wires": [{id, src, tgt}]} format with typed literals, terminals, _OTHER and other ports; each with the
 * settings of the top level beside them. Everything wrong is found here, with file, line and column.
 *
 * A definition may refer to others, its subpipes (pipe:ID). Each is a plan of its own, owned by the one that refers to it. Where it
 * stands as a module its nodes move into the graph of its parent; where a loop runs it for each item it stays whole, prepared once.
 *
 * Ownership: a plan owns an arena in which all it points to lives. Thread rule: one thread until prepared; read-only afterwards. */
#ifndef SL_PLAN_PLAN_H
#define SL_PLAN_PLAN_H

#include "net/cache/cache.h"
#include "plan/pipe.h"
#include "plan/settings.h"
#include "plan/web.h"

typedef struct sl_node sl_node;
typedef struct sl_plan sl_plan;

typedef enum sl_port { SL_PORT_INPUT, SL_PORT_OTHER, SL_PORT_OTHERS, SL_PORT_TERMINAL } sl_port;

/* A stream into a node. */
typedef struct sl_wire {
    sl_port port;
    sl_node *from;
    sl_text terminal; /* SL_PORT_TERMINAL: name that conf values {"terminal": name} refer to */
} sl_wire;

/* skip_if: the items a processor passes on as they are. */
typedef enum sl_skip_op { SL_SKIP_CONTAINS, SL_SKIP_INTERSECTION, SL_SKIP_SEARCH } sl_skip_op;

typedef struct sl_skip_rule {
    sl_text field, text;
    int op;       /* sl_skip_op */
    bool include; /* skip the items that do not match */
} sl_skip_rule;

struct sl_node {
    sl_plan *home;         /* the definition it was written in: its places, dialect, base folder and env */
    sl_text id;            /* as written, or "sw-N"; "MODULE/ID" for a node of a subpipe that has moved in */
    sl_text type;          /* the pipe's name as written */
    int step;              /* from 1, in the order of the definition, for messages; 0: a source of the collection, or implied */
    const sl_pipe *pipe;   /* NULL for the output node, the caller's node, a subpipe that has not been read yet */
    sl_value conf;         /* a map, resolved: typed literals applied; {subkey}, {terminal} maps left where the item decides */
    sl_text field, assign; /* call options; .s NULL: absent */
    int emit;              /* -1 absent, 0, 1 */
    int count;             /* 0 absent, 1 first, 2 all */
    sl_value skip_if;      /* as given; missing: absent */
    sl_text embed;         /* loops: the type of the submodule as written; .s NULL: absent */
    bool loop;             /* once prepared: PIPE is the submodule, run for each item under the rules of loops */
    sl_plan *nested;       /* once prepared: a loop over a subpipe, whose pipe is `loop` itself */
    sl_wire *inputs;       /* SL_PORT_INPUT (at most one) first, the others in the order of the wires */
    uint32_t ninputs;
    uint32_t nconsumers;   /* how many wires leave it */
    uint64_t line, column; /* of the module in the definition; 0 unknown */
    const char *place;     /* path of the conf in the definition ("modules.2.conf"); NULL: not from a definition */
    sl_path *subkeys;      /* those of the conf, compiled, in the order of a walk through it */
    uint32_t nsubkeys;
    unsigned mark; /* graph.c's own */

    /* After sl_plan_prepare: */
    sl_step_info info;
    void *compiled; /* pipe->conf_size bytes, prepared */
    sl_rules skip;  /* of sl_skip_rule: what skip_if says */
    bool networked; /* its items may hold what came from the network */
    bool in_order;  /* the pipe says that this conf needs its serial form */
    bool dynamic;   /* the conf refers to the item or to a terminal: compiled is NULL, conf is resolved per item */
};

typedef struct sl_sink_ref { /* a sink as given; the engine resolves it */
    sl_text text;            /* its place: "out.db:crime" */
    sl_value conf;           /* map of further keys, `type` and `table` among them; may be empty */
    uint64_t line, column;
} sl_sink_ref;

typedef struct sl_variable {
    sl_text name, value;
} sl_variable;

/* One source of the collection. */
typedef struct sl_source_ref {
    sl_value conf;     /* {url, type, ...} */
    const char *place; /* in the definition, or NULL */
} sl_source_ref;

struct sl_plan {
    sl_arena arena;
    sl_plan *parent;                        /* of a subpipe: the definition that refers to it; NULL: the pipeline itself */
    sl_plan *subs, *sibling;                /* those it refers to, owned; the next of the parent's */
    int step;                               /* of a subpipe: that of the module that refers to it */
    bool nested;                            /* of a subpipe: a loop runs it for each item */
    sl_node *caller;                        /* of a nested subpipe: stands for the item it is run for; NULL: no module takes it */
    const sl_pipe *(*lookup)(sl_text name); /* sl_pipe_named, unless a test brings pipes of its own */
    sl_text name;                           /* of the pipeline, or empty */
    const char *file;                       /* for messages */
    const char *base_dir;                   /* of relative file names; NULL: working directory */
    const char *text;                       /* the definition, for places in messages; NULL if none */
    sl_settings settings;
    sl_variable *variables; /* for ${NAME}; the environment is looked at after them */
    uint32_t nvariables;
    sl_value inputs; /* map for `input` pipes */
    sl_web web;      /* `http` and `allow_net` */
    sl_node **nodes; /* once prepared: in topological order, only nodes that lead to the output */
    uint32_t nnodes, cap_nodes;
    sl_node **all; /* [nall] every module that a definition has, in its order, until prepared; NULL: there is none */
    uint32_t nall;
    sl_value root;   /* the definition, variables filled in; missing if none */
    bool verbatim;   /* texts keep their ${NAME}: for converting */
    sl_node *tail;   /* what the output is fed from, and what sl_plan_add appends to; NULL: nothing yet */
    sl_node *output; /* once prepared: the node (pipe NULL, one SL_PORT_INPUT) whose stream is the pipeline's result */
    sl_source_ref *sources;
    uint32_t nsources;
    sl_sink_ref *sinks;
    uint32_t nsinks;
    sl_env env;        /* filled by sl_plan_prepare */
    sl_text *warnings; /* what is odd and no error, with its place; of the pipeline itself, not of subpipes */
    uint32_t nwarnings;
    uint32_t nread;   /* subpipes read so far, in all; of the pipeline itself */
    sl_error failure; /* what sl_plan_prepare found, for those who ask again */
};

sl_plan *sl_plan_new(void);
void sl_plan_free(sl_plan **p);

/* ${NAME} for definitions read later, and a value for `input` pipes. Texts are copied. */
SL_MUST_CHECK sl_status sl_plan_set_variable(sl_plan *p, sl_text name, sl_text value, sl_error *err);
SL_MUST_CHECK sl_status sl_plan_set_input(sl_plan *p, sl_text name, sl_text value, sl_error *err);

/* A setting by name and text value; BY_CALLER: wins over what a definition says, before or after. */
SL_MUST_CHECK sl_status sl_plan_set(sl_plan *p, sl_text name, sl_text value, bool by_caller, sl_error *err);

/* Reads a definition. FILE for messages; BASE_DIR may be NULL. Both copied. */
SL_MUST_CHECK sl_status sl_plan_parse(sl_plan *p, const char *json, size_t n, const char *file, const char *base_dir,
                                      sl_error *err);
/* The same from a file; its folder is the base of relative names. A file that cannot be opened is SL_E_USAGE. */
SL_MUST_CHECK sl_status sl_plan_load_file(sl_plan *p, const char *path, sl_error *err);
/* One linear step more. CONF: a JSON object, may be NULL. */
SL_MUST_CHECK sl_status sl_plan_add(sl_plan *p, sl_text pipe, const char *conf, sl_error *err);
/* One linear step more from a map value; takes "@field" and the like out of it. */
SL_MUST_CHECK sl_status sl_plan_add_value(sl_plan *p, sl_text pipe, sl_value conf, sl_error *err);
/* Steps in the command line's notation (notation.c). */
SL_MUST_CHECK sl_status sl_plan_add_text(sl_plan *p, const char *text, sl_error *err);
/* The pipeline ends at STEP, a number, an id, or the name of a pipe that is there once: what stands behind is left out. */
SL_MUST_CHECK sl_status sl_plan_until(sl_plan *p, sl_text step, sl_error *err);
/* One source more of the collection. CONF: a map {url, type, ...}. */
SL_MUST_CHECK sl_status sl_plan_add_source(sl_plan *p, sl_value conf, sl_error *err);
SL_MUST_CHECK sl_status sl_plan_add_sink(sl_plan *p, sl_text text, sl_value conf, sl_error *err);

/* As JSON into OUT, of a plan that is not prepared: the inputs it asks for, a list of [position, name, prompt, type, default] with
 * the last two only where there is a default; the types of its modules, sorted; an object of both. */
SL_MUST_CHECK sl_status sl_plan_outline(const sl_plan *p, bool inputs, bool dependencies, sl_buf *out, sl_error *err);

/* The definition in the file PATH, of any form, in the native form; it gives the same result when it lies in the same folder. */
SL_MUST_CHECK sl_status sl_convert_file(const char *path, sl_buf *out, sl_error *err);

/* Orders and checks the graph, compiles the confs that need no item, fills env. ENV gives the run-time part (now, tmpdir,
 * stopping, inputs). After it the plan is read-only. Done once; a second call after a failure gives the same failure. */
SL_MUST_CHECK sl_status sl_plan_prepare(sl_plan *p, const sl_env *env, sl_error *err);

/* Hands what the engine has decided about p->env since (memory, http) on to the subpipes. */
void sl_plan_share_env(sl_plan *p);

/* Adds to a failure at run time which step it was, where that is still unknown; for a node of a subpipe also its place there. */
void sl_node_failed(const sl_node *node, sl_error *err);
/* The same for a source: what has no place in the input gets that of the source's url in the definition. */
void sl_source_failed(const sl_node *node, sl_error *err);

/* Keeps a warning about NODE for whoever runs the pipeline. */
SL_MUST_CHECK sl_status sl_plan_warn(const sl_node *node, sl_error *err, const char *fmt, ...) SL_PRINTF(3, 4);
/* The same of no node; P is the pipeline itself. WARNING is copied. */
SL_MUST_CHECK sl_status sl_plan_warn_text(sl_plan *p, const char *warning, sl_error *err);

/* JSON text -> value in ARENA, by the reader of the data format, which unlike jansson notices when memory is out. A key must not
 * come twice. On failure err has line and column. */
SL_MUST_CHECK sl_status sl_json_parse(const char *json, size_t n, const char *file, sl_arena *arena, sl_value *out, sl_error *err);
/* Line and column of the member at PATH ("modules.2.conf.rule.0.fied") in JSON; false when it is not there. */
bool sl_json_locate(const char *json, size_t n, const char *path, uint64_t *line, uint64_t *column);

/* loop.c: whether PIPE can be the submodule of a loop. */
bool sl_pipe_loopable(const sl_pipe *pipe);

/* skip.c: the keys of a rule of skip_if. */
extern const sl_option sl_skip_options[];

/* legacy.c: the I-th type of older formats that is another name of a pipe, and that pipe; NULL past the last. */
const char *sl_legacy_at(unsigned i, const char **pipe);

/* The first byte of the name of a hidden column that carries the elements of a terminal. */
#define SL_TERMINAL_MARK '\x01'

/* The conf of NODE for one item: subkeys looked up, terminal columns read, literals cast; parsed and prepared into OUT
 * (conf_size bytes, zeroed). Used per item for dynamic confs, by workers. ITEM may be missing (operators: the empty item). */
SL_MUST_CHECK sl_status sl_node_resolve(const sl_node *node, sl_item item, sl_arena *arena, void *out, sl_error *err);

#endif
