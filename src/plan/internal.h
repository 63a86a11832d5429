/* internal.h: what the files of this room share and no other room needs.
 *
 *     definition.c, notation.c  -> nodes and wires        legacy.c  -> the same of older formats
 *     expand.c                  -> sources of the collection, lists of URLs
 *     mailbox.c, loop.c, subpipe.c -> what their pipes stand for
 *     conf.c                    -> typed literals, what depends on the item
 *     graph.c                   -> order                  prepare.c -> all of it, in turn */
#ifndef SL_PLAN_INTERNAL_H
#define SL_PLAN_INTERNAL_H

#include "plan/plan.h"

enum { SL_MAX_NODES = 4096 };

/* SL_E_PLAN at the member PLACE of the definition ("wires.3.tgt", or NULL: only the file). */
sl_status sl_plan_fail(const sl_plan *p, const char *place, sl_error *err, const char *fmt, ...) SL_PRINTF(4, 5);
/* Adds to a failure where in the definition it is: at PLACE.KEY, or PLACE when there is no such key. */
void sl_plan_point(const sl_plan *p, const char *place, sl_text key, sl_error *err);
/* The same for KEY of the conf of NODE, and its step. */
sl_status sl_node_blame(const sl_node *node, sl_text key, sl_status status, sl_error *err);
/* The same for a member of NODE's module ("type", "embed.type"), where that is in the definition. */
void sl_node_point(const sl_node *node, const char *member, sl_error *err);

/* plan.c: a node at the end of p->nodes, its pipe looked up (NULL when unknown). ID and TYPE are borrowed for good. */
SL_MUST_CHECK sl_status sl_plan_node(sl_plan *p, sl_text id, sl_text type, sl_node **out, sl_error *err);
SL_MUST_CHECK sl_status sl_node_wire(sl_plan *p, sl_node *to, sl_port port, sl_node *from, sl_text terminal, sl_error *err);
/* Sets the call option KEY ("field", "assign", "emit", "count", "embed") from V; SL_E_PLAN when V cannot be one. */
SL_MUST_CHECK sl_status sl_node_call(sl_plan *p, sl_node *node, const char *key, sl_value v, sl_error *err);
/* A node made elsewhere, at the end of p->nodes. */
SL_MUST_CHECK sl_status sl_plan_adopt(sl_plan *p, sl_node *node, sl_error *err);
/* SL_E_PLAN with a suggestion when the pipe of NODE, or the submodule of a loop, is neither known nor a subpipe. */
SL_MUST_CHECK sl_status sl_node_known(const sl_node *node, sl_error *err);
/* The submodule of a loop from V: its type, or {"type", "id"}. */
SL_MUST_CHECK sl_status sl_node_embed(sl_plan *p, sl_node *node, sl_value v, sl_error *err);
/* Types of older formats become today's, in NODE or in the submodule of a loop. */
SL_MUST_CHECK sl_status sl_node_translate(sl_node *node, sl_error *err);
#define SL_LOOP_WITHOUT_EMBED "loop without 'embed': the submodule to run for each item, {\"type\": PIPE}"
/* Sinks and sources with their places in the definition. */
SL_MUST_CHECK sl_status sl_plan_sink(sl_plan *p, sl_text text, sl_value conf, const char *place, sl_error *err);
SL_MUST_CHECK sl_status sl_plan_source(sl_plan *p, sl_value conf, const char *place, sl_error *err);

/* A setting of the definition; V a bool, number or text. False names are SL_E_PLAN. */
SL_MUST_CHECK sl_status sl_plan_setting(sl_plan *p, sl_text name, sl_value v, sl_error *err);

/* interpolate.c: ${NAME} in every text of V, to any depth. On failure *PLACE is the path of the text. */
SL_MUST_CHECK sl_status sl_interpolate(sl_plan *p, sl_value *v, const char **place, sl_error *err);

/* conf.c: applies typed literals, marks what the item decides (node->dynamic, node->subkeys). */
SL_MUST_CHECK sl_status sl_conf_resolve(sl_plan *p, sl_node *node, sl_error *err);
/* Keys fully in upper case become lower case, to any depth. */
SL_MUST_CHECK sl_status sl_conf_lower(sl_value *v, sl_arena *arena, sl_error *err);
/* Ids and port names as they are compared: - : / are _, and _ goes before a digit. .s is NULL when memory is out. */
sl_text sl_plan_normal(sl_text id, sl_arena *arena);
/* The name in {"terminal": NAME} of node->conf, anywhere in it: whether the conf asks for TERMINAL (normalised). */
bool sl_conf_asks(sl_value conf, sl_text terminal, sl_arena *arena);
/* A copy of the resolved CONF with `missing` where the item decides. */
SL_MUST_CHECK sl_status sl_conf_blank(sl_value *conf, sl_arena *arena, sl_error *err);

/* skip.c: node->skip_if as node->skip; SL_E_PLAN where the pipe is no processor. */
SL_MUST_CHECK sl_status sl_node_skips(sl_node *node, sl_error *err);

/* graph.c: p->nodes becomes what leads to ROOT, in topological order. Cycles anywhere are SL_E_PLAN. */
SL_MUST_CHECK sl_status sl_graph_order(sl_plan *p, sl_node *root, sl_error *err);

/* legacy.c: types of older formats. The pipe that one is another name of; .s NULL: none. Whether it is one without counterpart. */
sl_text sl_legacy_name(sl_text old);
bool sl_legacy_gone(sl_text old);
/* An old type with its conf becomes today's; FIELD is the module's, .s NULL: none. Any other is left alone. */
SL_MUST_CHECK sl_status sl_legacy_translate(sl_plan *p, sl_text *type, sl_value *conf, sl_text field, sl_error *err);
/* Whether the map MODULE is a loop whose submodule stands in its conf, and the same loop as it is written today. */
bool sl_legacy_loop(sl_value module);
SL_MUST_CHECK sl_status sl_legacy_unfold(sl_plan *p, sl_value *module, sl_error *err);

/* loop.c, after everything is wired. */
SL_MUST_CHECK sl_status sl_expand_loops(sl_plan *p, sl_error *err);

/* mailbox.c: what is sent goes to who receives it; done as soon as a definition is read, since the wires make modules reachable. */
SL_MUST_CHECK sl_status sl_mail_wires(sl_plan *p, sl_error *err);
SL_MUST_CHECK sl_status sl_expand_mail(sl_plan *p, sl_error *err);
bool sl_node_receives(const sl_node *node);

/* subpipe.c. The ID in pipe:ID or pipe_ID; empty: TYPE is no subpipe. */
sl_text sl_subpipe_id(sl_text type);
/* In the native dialect SL_E_PLAN when NODE gives a subpipe a conf or call options, which do not reach it; empties the conf. */
SL_MUST_CHECK sl_status sl_subpipe_conf(sl_node *node, sl_error *err);
/* Reads the subpipe ID for the loop NODE; sl_plan_compile compiles it with the node. */
SL_MUST_CHECK sl_status sl_subpipe_nest(sl_node *node, sl_text id, sl_error *err);
/* The nodes of every subpipe that stands as a module take its place. */
SL_MUST_CHECK sl_status sl_expand_subpipes(sl_plan *p, sl_error *err);

/* prepare.c: everything that stands for something else; then order, confs. */
SL_MUST_CHECK sl_status sl_plan_expand(sl_plan *p, sl_error *err);
SL_MUST_CHECK sl_status sl_plan_compile(sl_plan *p, sl_error *err);
/* A subpipe's env from its parent's. */
void sl_plan_inherit_env(sl_plan *sub);

/* expand.c. The pipe of a source of the collection. */
sl_text sl_source_type(sl_value conf);
SL_MUST_CHECK sl_status sl_expand_sources(sl_plan *p, sl_error *err);
SL_MUST_CHECK sl_status sl_expand_urls(sl_plan *p, sl_error *err);

#endif
