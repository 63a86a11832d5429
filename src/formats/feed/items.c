#include "formats/feed/feed.h"

static sl_feed_mark opening(sl_feed_items *items, bool same) {
    if (same && items->open && !items->depth) {
        items->nested = 0;
        return SL_FEED_AGAIN;
    }
    if (!items->open) {
        items->open = same;
        items->depth = items->nested = 0;
        return same ? SL_FEED_BEGIN : SL_FEED_NOTHING;
    }
    items->depth++;
    items->nested += same;
    return SL_FEED_NOTHING;
}

static sl_feed_mark closing(sl_feed_items *items, bool same) {
    if (!items->open) return SL_FEED_NOTHING;
    if (items->depth) items->depth--;
    if (!same) return SL_FEED_NOTHING;
    if (items->nested) {
        items->nested--;
        return SL_FEED_NOTHING;
    }
    items->open = false;
    return SL_FEED_END;
}

sl_feed_mark sl_feed_items_tag(sl_feed_items *items, sl_xml_token token, const char *data, size_t from,
                               size_t end) {
    bool same = sl_xml_tag_is(data, from, end, items->name);
    if (token == SL_XML_START) return opening(items, same);
    if (token == SL_XML_END) return closing(items, same);
    if (token != SL_XML_EMPTY || !same || (items->open && items->depth)) return SL_FEED_NOTHING;
    if (!items->open) return SL_FEED_WHOLE;
    return SL_FEED_NOTHING; /* <item> <item/>: nothing that could be an item ends here */
}
