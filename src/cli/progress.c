#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BAR = 24 };

/* 1234567 -> "1,234,567" */
static const char *grouped(uint64_t v, char out[32]) {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, v), k = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = 0;
    return out;
}

static const char *scaled(double v, const char *unit, char out[32]) {
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

static void draw_bar(double done) {
    char bar[BAR + 1];
    int full = (int)(done * BAR);
    memset(bar, ' ', BAR);
    memset(bar, '=', (size_t)(full > BAR ? BAR : full));
    bar[BAR] = 0;
    fprintf(stderr, " [%s] %3.0f %%", bar, done * 100);
}

void cli_progress(void *user, const sl_progress *p) {
    cli_meter *m = user;
    if (!m->shown) return;
    char items[32], bytes[32], rate[32], time[32], left[32];
    double seconds = (double)p->nanoseconds / 1e9;
    double speed = seconds > 0 ? (double)p->bytes_in / seconds : 0;
    fprintf(stderr, "\r\033[K%s items  %s  %s  %s", grouped(p->items_in, items),
            scaled((double)p->bytes_in, "B", bytes), scaled(speed, "B/s", rate), duration(seconds, time));
    if (p->bytes_total && p->bytes_in <= p->bytes_total && speed > 0) {
        draw_bar((double)p->bytes_in / (double)p->bytes_total);
        fprintf(stderr, "  %s left", duration((double)(p->bytes_total - p->bytes_in) / speed, left));
    }
    fflush(stderr);
    m->drawn = true;
}

void cli_progress_clear(cli_meter *m) {
    if (m->drawn) fputs("\r\033[K", stderr);
    m->drawn = false;
}

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
    fprintf(stderr, "%s items in, %s out", grouped(p.items_in, a), grouped(p.items_out, b));
    if (p.filtered) fprintf(stderr, ", %s filtered", grouped(p.filtered, c));
    if (p.quarantined) fprintf(stderr, ", %s quarantined", grouped(p.quarantined, c));
    if (p.recovered) fprintf(stderr, ", %s recovered", grouped(p.recovered, c));
    if (p.failed) fprintf(stderr, ", %s sources left out", grouped(p.failed, c));
    if (p.ahead) fprintf(stderr, ", %s read ahead", grouped(p.ahead, c));
    fprintf(stderr, "; %s in %s", scaled((double)p.bytes_in, "B", c), duration(seconds, d));
    if (seconds > 0 && p.bytes_in) fprintf(stderr, " (%s)", scaled((double)p.bytes_in / seconds, "B/s", a));
    fputc('\n', stderr);
}
