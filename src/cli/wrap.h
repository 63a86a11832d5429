/* wrap.h: text for people, in lines that a terminal of 80 columns shows whole. */
#ifndef SL_CLI_WRAP_H
#define SL_CLI_WRAP_H

enum { CLI_WIDTH = 80 };

/* TEXT on standard output in lines of at most CLI_WIDTH columns, each behind INDENT blanks; COLUMN is where the first one begins,
 * as something stands there already (0: at the start of a line). Ends with a line end. */
void cli_wrap(const char *text, int indent, int column);

/* Paragraphs, apart by an empty line; those that begin with two blanks are examples and stay as they are. */
void cli_wrap_paragraphs(const char *text);

#endif
