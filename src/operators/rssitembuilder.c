/* rssitembuilder: an item of a feed from the conf alone, so everything is done once, in prepare; a conf that refers to the item is
 * prepared once an item. */
#include "base/error.h"
#include "plan/pipe.h"
#include "record/time.h"

enum { PARTS = 4 };

typedef struct conf {
    sl_value pub_date, author, description, guid, link, title;
    sl_value content[PARTS], thumbnail[PARTS]; /* height, type, url, width; thumbnails have no type */
    sl_value item;                             /* made by prepare */
} conf;

/* An object of the parts that are given, under KEY; nothing if there are none. */
static sl_status add_object(sl_pair *item, uint32_t *n, sl_text key, const sl_value parts[PARTS],
                            sl_arena *arena, sl_error *err) {
    static const char *const names[PARTS] = {"height", "type", "url", "width"};
    uint32_t count = 0;
    sl_pair *object = sl_arena_alloc(arena, PARTS * sizeof *object);
    if (!object) return sl_oom(err);
    for (uint32_t i = 0; i < PARTS; i++)
        if (parts[i].type != SL_MISSING) object[count++] = (sl_pair){sl_text_of(names[i]), parts[i]};
    if (count) item[(*n)++] = (sl_pair){key, sl_map(object, count)};
    return SL_OK;
}

static void add_value(sl_pair *item, uint32_t *n, sl_text key, sl_value v) {
    if (v.type != SL_MISSING) item[(*n)++] = (sl_pair){key, v};
}

static sl_status start_time(int64_t now, sl_arena *arena, sl_value *out, sl_error *err) {
    sl_buf iso = {0};
    sl_time_iso(sl_time_make(SL_TIME_DATETIME, now, 0, 0), &iso);
    sl_text copy = sl_arena_text(arena, sl_text_n(iso.data, iso.len));
    bool failed = iso.failed || !copy.s;
    sl_buf_free(&iso);
    *out = sl_text_value(copy);
    return failed ? sl_oom(err) : SL_OK;
}

static sl_status prepare(void *vconf, const sl_step_info *info, sl_error *err) {
    conf *c = vconf;
    uint32_t n = 0;
    sl_pair *item = sl_arena_alloc(info->arena, 8 * sizeof *item);
    if (!item) return sl_oom(err);
    if (c->pub_date.type == SL_MISSING) TRY(start_time(info->env->now, info->arena, &c->pub_date, err));
    add_value(item, &n, SL_TEXT("pubDate"), c->pub_date);
    add_value(item, &n, SL_TEXT("author"), c->author);
    add_value(item, &n, SL_TEXT("description"), c->description);
    add_value(item, &n, SL_TEXT("y:id"), c->guid);
    add_value(item, &n, SL_TEXT("link"), c->link);
    TRY(add_object(item, &n, SL_TEXT("media:content"), c->content, info->arena, err));
    TRY(add_object(item, &n, SL_TEXT("media:thumbnail"), c->thumbnail, info->arena, err));
    add_value(item, &n, SL_TEXT("y:title"), c->title);
    c->item = sl_map(item, n);
    return SL_OK;
}

static sl_status each(const void *vconf, void *state, sl_value field, sl_item item, sl_results *results,
                      sl_error *err) {
    const conf *c = vconf;
    (void)state, (void)field, (void)item;
    return sl_result(results, c->item, err);
}

/* OLD: the same in lower case. */
#define ROW(key, old, member, text)                                                                          \
    { .name = key, .alias = old, .type = SL_OPT_VALUE, .offset = offsetof(conf, member), .help = text }

static const sl_option options[] = {
    ROW("author", NULL, author, "who wrote it; becomes author"),
    ROW("description", NULL, description, "what it says; becomes description"),
    ROW("guid", NULL, guid, "what tells it from other items; becomes y:id"),
    ROW("link", NULL, link, "where it is; becomes link"),
    ROW("mediaContentHeight", "mediacontentheight", content[0], "becomes media:content.height"),
    ROW("mediaContentType", "mediacontenttype", content[1], "becomes media:content.type"),
    ROW("mediaContentURL", "mediacontenturl", content[2], "becomes media:content.url"),
    ROW("mediaContentWidth", "mediacontentwidth", content[3], "becomes media:content.width"),
    ROW("mediaThumbHeight", "mediathumbheight", thumbnail[0], "becomes media:thumbnail.height"),
    ROW("mediaThumbURL", "mediathumburl", thumbnail[2], "becomes media:thumbnail.url"),
    ROW("mediaThumbWidth", "mediathumbwidth", thumbnail[3], "becomes media:thumbnail.width"),
    ROW("pubDate", "pubdate", pub_date,
        "when it was published; default: the start of the run, as in 2014-01-02T03:04:05+00:00"),
    ROW("title", NULL, title, "its title; becomes y:title"),
    {.flags = SL_OPT_OPEN},
};

const sl_pipe sl_pipe_rssitembuilder = {
    .name = "rssitembuilder",
    .kind = SL_KIND_PROCESSOR,
    .summary = "Makes an item with the fields of a feed",
    .details =
        "Each key that is given becomes one field of a new item; values may be fields of the item at hand, "
        "by "
        "subkey. The item itself is not part of the result. pubDate is always there. Under riko's dialect "
        "other keys are passed over.",
    .example = "rssitembuilder title=Hello guid=a1 mediaThumbURL=i.png pubDate=2014-01-02",
    .options = options,
    .conf_size = sizeof(conf),
    .main = "title",
    .flags = SL_PIPE_EMITS | SL_PIPE_NO_FIELD,
    .cast = SL_CAST_PASS,
    .prepare = prepare,
    .each = each,
};
