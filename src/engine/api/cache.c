/* cache.c: the functions of sluice.h that look after the HTTP cache's folder. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/locale.h"
#include "net/cache/cache.h"
#include "options/option.h"
#include "record/cast.h"
#include "record/time.h"

/* DIR, or the default folder, in TEXT. */
static sl_status folder(const char *dir, sl_buf *text, sl_error *err) {
    if (dir && *dir) {
        sl_buf_str(text, dir);
    } else if (!sl_cache_default_dir(text)) {
        return sl_fail(err, SL_E_USAGE, "where is the cache? HOME is not set: name its folder");
    }
    sl_buf_cstr(text);
    return sl_buf_check(text, err);
}

/* ---- listing --------------------------------------------------------------------------------------------- */

typedef struct list {
    sl_buf text;
    uint64_t bytes;
    bool any;
} list;

static void put_time(sl_buf *out, const char *name, int64_t seconds) {
    sl_buf_printf(out, ", \"%s\": \"", name);
    sl_time_iso(sl_time_make(SL_TIME_DATETIME, seconds, 0, 0), out);
    sl_buf_byte(out, '"');
}

static void put_text(sl_buf *out, const char *name, const char *text) {
    sl_buf_printf(out, ", \"%s\": ", name);
    if (text) {
        sl_json_text(sl_text_of(text), out);
    } else {
        sl_buf_str(out, "null");
    }
}

static sl_status put_entry(void *user, const sl_cache_item *item, sl_error *err) {
    list *l = user;
    sl_buf_printf(&l->text, "%s\n    {\"bytes\": %llu", l->any ? "," : "", (unsigned long long)item->size);
    put_text(&l->text, "url", item->url);
    if (item->url) put_time(&l->text, "stored", item->stored);
    put_time(&l->text, "used", item->used);
    if (item->url) put_text(&l->text, "etag", item->etag);
    if (item->url) put_text(&l->text, "last_modified", item->modified);
    put_text(&l->text, "file", item->name);
    sl_buf_byte(&l->text, '}');
    l->any = true;
    l->bytes += item->size;
    return sl_buf_check(&l->text, err);
}

static sl_status list_into(const char *dir, list *l, sl_error *err) {
    sl_buf_str(&l->text, "{\"folder\": ");
    sl_json_text(sl_text_of(dir), &l->text);
    sl_buf_str(&l->text, ",\n  \"entries\": [");
    TRY(sl_cache_list(dir, put_entry, l, err));
    sl_buf_printf(&l->text, "%s],\n  \"bytes\": %llu}", l->any ? "\n  " : "", (unsigned long long)l->bytes);
    sl_buf_cstr(&l->text);
    return sl_buf_check(&l->text, err);
}

char *sl_http_cache_list(const char *dir, sl_error *err) {
    SL_PLAIN_LOCALE;
    sl_buf where = {0};
    list l = {0};
    sl_status status = folder(dir, &where, err);
    if (!status) status = list_into(where.data, &l, err);
    sl_buf_free(&where);
    if (!status) return l.text.data;
    sl_buf_free(&l.text);
    return NULL;
}

/* ---- removing -------------------------------------------------------------------------------------------- */

/* "90", "90s", "15m", "12h", "30d", "4w". */
static bool parse_age(sl_text t, uint64_t *seconds) {
    static const char letters[] = "smhdw";
    static const uint64_t units[] = {1, 60, 3600, 86400, 7 * 86400};
    uint64_t unit = 1, n = 0;
    const char *letter = t.n ? memchr(letters, t.s[t.n - 1], sizeof letters - 1) : NULL;
    if (letter) {
        unit = units[letter - letters];
        t.n--;
    }
    for (uint32_t i = 0; i < t.n; i++) {
        if (t.s[i] < '0' || t.s[i] > '9' || n > UINT32_MAX) return false;
        n = n * 10 + (uint64_t)(t.s[i] - '0');
    }
    *seconds = n * unit;
    return t.n > 0 && n <= UINT32_MAX;
}

static sl_status read_bounds(const char *older, const char *max_size, int64_t *before, uint64_t *bytes,
                             sl_error *err) {
    uint64_t age = 0;
    *before = 0;
    *bytes = older ? UINT64_MAX : SL_CACHE_SIZE;
    if (older && !parse_age(sl_text_trim(sl_text_of(older)), &age)) {
        return sl_fail(err, SL_E_USAGE,
                       "an age is a number with s, m, h, d or w behind it, such as 12h or 30d, not '%s'",
                       older);
    }
    if (older) *before = sl_clock_epoch() - (int64_t)age;
    if (!max_size || sl_size_parse(sl_text_trim(sl_text_of(max_size)), bytes)) return SL_OK;
    return sl_fail(err, SL_E_USAGE, "a size is a number of bytes, such as 500M or 1G, not '%s'", max_size);
}

static void report(const sl_cache_pruned *p, sl_cache_change *out) {
    *out = (sl_cache_change){
        .files = p->files, .bytes = p->bytes, .files_left = p->files_left, .bytes_left = p->bytes_left};
}

sl_status sl_http_cache_prune(const char *dir, const char *older, const char *max_size, sl_cache_change *out,
                              sl_error *err) {
    SL_PLAIN_LOCALE;
    sl_buf where = {0};
    sl_cache_pruned pruned = {0};
    int64_t before;
    uint64_t bytes;
    sl_status status = read_bounds(older, max_size, &before, &bytes, err);
    if (!status) status = folder(dir, &where, err);
    if (!status) status = sl_cache_prune(where.data, before, bytes, &pruned, err);
    sl_buf_free(&where);
    report(&pruned, out);
    return status;
}

sl_status sl_http_cache_clear(const char *dir, sl_cache_change *out, sl_error *err) {
    SL_PLAIN_LOCALE;
    sl_buf where = {0};
    sl_cache_pruned pruned = {0};
    sl_status status = folder(dir, &where, err);
    if (!status) status = sl_cache_clear(where.data, &pruned, err);
    sl_buf_free(&where);
    report(&pruned, out);
    return status;
}
