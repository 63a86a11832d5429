/* progress.c: the progress line and the summary. The line is drawn anew for the width that the terminal has at that moment, and
 * taken away before anything else is written, so that a log or a table never has half a progress line in it. */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/stat.h>

enum { BAR = 24, USUAL_WIDTH = 80 };

/* 1234567 -> "1,234,567" */
const char *cli_grouped(uint64_t v, char out[32]) {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, v), k = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = 0;
    return out;
}

const char *cli_scaled(double v, const char *unit, char out[32]) {
    static const char *const prefixes[] = {"", "k", "M", "G", "T"};
    int i = 0;
    while (v >= 1000 && i < 4) {
        v /= 1000;
        i++;
    }
    snprintf(out, 32, i && v < 10 ? "%.1f %s%s" : "%.0f %s%s", v, prefixes[i], unit);
    return out;
}

static const char *duration(double seconds, char out[32]) {
    if (seconds < 60)
        snprintf(out, 32, seconds < 10 ? "%.2f s" : "%.0f s", seconds);
    else
        snprintf(out, 32, "%.0f:%02.0f min", (double)(int)(seconds / 60), (double)((int)seconds % 60));
    return out;
}

/* ---- the line ---------------------------------------------------------------------------------------------------------- */

/* Parts of the line, from left to right. */
enum { ITEMS, BYTES, RATE, TIME, DONE, LEFT, PARTS };
enum { PART = 48, GAP = 2, LEAST_BAR = 6, WIDEST = 512 };

typedef struct parts {
    char text[PARTS][PART]; /* empty: there is none */
    bool shown[PARTS];
    int length; /* of those shown, with the gaps between them */
} parts;

static void fill(parts *t, const sl_progress *p) {
    char a[32];
    double seconds = (double)p->nanoseconds / 1e9;
    double speed = seconds > 0 ? (double)p->bytes_in / seconds : 0;
    bool known = p->bytes_total && p->bytes_in <= p->bytes_total && speed > 0;
    double left = known ? (double)(p->bytes_total - p->bytes_in) / speed : 0;
    snprintf(t->text[ITEMS], PART, "%s items", cli_grouped(p->items_in + p->ahead, a));
    snprintf(t->text[BYTES], PART, "%s", cli_scaled((double)p->bytes_in, "B", a));
    snprintf(t->text[RATE], PART, "%s", cli_scaled(speed, "B/s", a));
    snprintf(t->text[TIME], PART, "%s", duration(seconds, a));
    if (p->committing)
        snprintf(t->text[DONE], PART, "committing");
    else if (known)
        snprintf(t->text[DONE], PART, "%.0f %%", 100 * (double)p->bytes_in / (double)p->bytes_total);
    if (left > 0 && !p->committing) snprintf(t->text[LEFT], PART, "%s left", duration(left, a));
}

/* What fits into ROOM, the most telling first. */
static void choose(parts *t, int room) {
    static const int by_weight[PARTS] = {ITEMS, DONE, LEFT, BYTES, RATE, TIME};
    for (int i = 0; i < PARTS; i++) {
        int k = by_weight[i], n = (int)strlen(t->text[k]) + (t->length ? GAP : 0);
        t->shown[k] = t->text[k][0] && t->length + n <= room;
        if (t->shown[k]) t->length += n;
    }
}

/* [=====     ] as wide as ROOM allows; nothing when that is too narrow. */
static int put_bar(char *line, double done, int room) {
    int width = room - GAP < BAR + 2 ? room - GAP - 2 : BAR;
    if (width < LEAST_BAR) return 0;
    int full = (int)(done * width);
    if (full > width) full = width;
    return sprintf(line, "[%.*s%*s]%*s", full, "========================", width - full, "", GAP, "");
}

/* One line of less than WIDTH columns. */
static void compose(char line[WIDEST], const sl_progress *p, int width) {
    parts t = {0};
    int n = 0, room = (width < WIDEST ? width : WIDEST) - 1;
    bool bar = !p->committing && p->bytes_total && p->bytes_in <= p->bytes_total;
    fill(&t, p);
    choose(&t, room);
    line[0] = 0;
    if (!t.shown[ITEMS]) snprintf(line, WIDEST, "%.*s", room > 0 ? room : 0, t.text[ITEMS]);
    for (int k = 0; k < PARTS && t.shown[ITEMS]; k++) {
        if (!t.shown[k]) continue;
        if (n) n += sprintf(line + n, "%*s", GAP, "");
        if (k == DONE && bar)
            n += put_bar(line + n, (double)p->bytes_in / (double)p->bytes_total, room - t.length);
        n += sprintf(line + n, "%s", t.text[k]);
    }
}

int cli_terminal_width(void) {
    struct winsize size;
    bool told = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return told ? size.ws_col : USUAL_WIDTH;
}

/* The cursor goes back to the start of the line: a terminal that is made narrower breaks a line that stands there already, and the
 * cursor stays where it began, so that all of it can be cleared. */
bool cli_progress(void *user, const sl_progress *p) {
    cli_meter *m = user;
    char line[WIDEST];
    if (!m->shown) return true;
    compose(line, p, cli_terminal_width());
    fprintf(stderr, "\r%s\033[J\r", line);
    fflush(stderr);
    m->drawn = true;
    return true;
}

void cli_progress_clear(cli_meter *m) {
    if (m->drawn)
        fputs("\r\033[K\033[J",
              stderr); /* first the line itself: what is at the top of a window may be kept */
    m->drawn = false;
}

/* What a terminal shows, or a program that may write to one, must not be mixed with the line, which therefore comes back only where
 * output goes into a file. */
void cli_progress_yield(void *user) {
    cli_meter *m = user;
    struct stat to;
    cli_progress_clear(m);
    m->shown = m->shown && fstat(STDOUT_FILENO, &to) == 0 && S_ISREG(to.st_mode);
}

/* ---- the summary ------------------------------------------------------------------------------------------------------- */

void cli_unchanged(int64_t since) {
    char text[64] = "";
    time_t t = (time_t)since;
    struct tm local;
    if (localtime_r(&t, &local)) strftime(text, sizeof text, " since %Y-%m-%d %H:%M:%S", &local);
    fprintf(stderr, "nothing has changed%s: nothing was done\n", text);
}

void cli_summary(const sl_pipeline *pipeline) {
    char a[32], b[32], c[32], d[32];
    sl_progress p = sl_pipeline_totals(pipeline);
    double seconds = (double)p.nanoseconds / 1e9;
    fprintf(stderr, "%s items in, %s out", cli_grouped(p.items_in, a), cli_grouped(p.items_out, b));
    if (p.filtered) fprintf(stderr, ", %s filtered", cli_grouped(p.filtered, c));
    if (p.quarantined) fprintf(stderr, ", %s quarantined", cli_grouped(p.quarantined, c));
    if (p.recovered) fprintf(stderr, ", %s recovered", cli_grouped(p.recovered, c));
    if (p.failed) fprintf(stderr, ", %s sources left out", cli_grouped(p.failed, c));
    if (p.ahead) fprintf(stderr, ", %s read ahead", cli_grouped(p.ahead, c));
    fprintf(stderr, "; %s in %s", cli_scaled((double)p.bytes_in, "B", c), duration(seconds, d));
    if (seconds > 0 && p.bytes_in)
        fprintf(stderr, " (%s)", cli_scaled((double)p.bytes_in / seconds, "B/s", a));
    fputc('\n', stderr);
}
