/* json_print.h: the library's JSON descriptions as text for people. */
#ifndef SL_CLI_JSON_PRINT_H
#define SL_CLI_JSON_PRINT_H

/* The text of sl_pipeline_plan. */
#include <stdbool.h>

void cli_print_plan(const char *json, bool verbose);
/* INPUTS: JSON has them, alone or under their name. */
void cli_print_outline(const char *json, bool inputs);
/* The text of sl_describe_pipes: all pipes by kind, or everything about one. */
void cli_print_pipes(const char *json);
void cli_print_pipe(const char *json);

/* Escapes the control characters in all texts of V, which come from wherever, for a terminal. */
struct json_t;
void cli_make_harmless(struct json_t *v);
/* The text that the member KEY of O is; "" when it is none. */
const char *cli_text_of(const struct json_t *o, const char *key);

#endif
