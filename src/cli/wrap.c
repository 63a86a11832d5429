#include "cli/wrap.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Columns that N bytes of UTF-8 take: continuation bytes take none. */
static int columns(const char *s, size_t n) {
    int count = 0;
    for (size_t i = 0; i < n; i++) count += ((unsigned char)s[i] & 0xC0) != 0x80;
    return count;
}

/* The first piece of the N bytes of TEXT: up to a blank, or in a long row of choices, a|b|c, as many as ROOM allows. */
static size_t piece(const char *text, size_t n, int room) {
    size_t length = 0, choice = 0;
    for (; length < n && text[length] != ' ' && text[length] != '\n'; length++)
        if (text[length] == '|' && columns(text, length + 1) <= room) choice = length + 1;
    return choice && columns(text, length) > room ? choice : length;
}

static void wrap(const char *text, size_t n, int indent, int column) {
    const char *end = text + n;
    bool blank = false; /* one stood in front of the piece */
    for (bool first = true; text < end; first = false) {
        size_t length = piece(text, (size_t)(end - text), CLI_WIDTH - indent);
        int width = columns(text, length);
        if (!first && column + blank + width > CLI_WIDTH) {
            putchar('\n');
            column = 0;
        } else if (blank) {
            putchar(' ');
            column++;
        }
        if (column < indent) {
            printf("%*s", indent - column, "");
            column = indent;
        }
        fwrite(text, 1, length, stdout);
        column += width;
        text += length;
        blank = text < end && text[-1] != '|';
        while (text < end && (*text == ' ' || *text == '\n')) text++;
    }
    putchar('\n');
}

void cli_wrap(const char *text, int indent, int column) {
    wrap(text, strlen(text), indent, column);
}

void cli_wrap_paragraphs(const char *text) {
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t n = end ? (size_t)(end - text) : strlen(text);
        if (strncmp(text, "  ", 2) == 0)
            printf("%.*s\n", (int)n, text);
        else
            wrap(text, n, 0, 0);
        text += n;
        if (end) putchar('\n');
        while (*text == '\n') text++;
    }
}
