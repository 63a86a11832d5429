/* choice.c: which format a source is read in. What is asked for goes before what the name or the server says, and that before
 * the first bytes: what somebody has written down is never overruled by a guess. */
#include "sources/stream/choice.h"

#include <string.h>

#include "base/error.h"
#include "formats/encoding.h"
#include "net/url.h"
#include "sources/stream/transcode.h"

const sl_format *sl_choice_by_suffix(sl_text url) {
    return sl_format_for(sl_url_name(url));
}

/* ---- by what comes ------------------------------------------------------------------------------------- */

/* Whether a stream that nothing has been said about may turn out to be of F. */
static bool is_recognised(const sl_format *f) {
    return f->media_types || f->begins;
}

static sl_status unknown_format(const char *media_type, sl_error *err) {
    const sl_format *f;
    sl_buf names = {0};
    for (unsigned i = 0; (f = sl_format_at(i)); i++) sl_buf_printf(&names, "%s%s", i ? ", " : "", f->name);
    sl_status status = sl_fail(err, SL_E_DATA, "cannot tell the format%s%s%s; give type: %s",
                               media_type[0] ? " from the media type '" : "", media_type,
                               media_type[0] ? "'" : "", sl_buf_cstr(&names));
    sl_buf_free(&names);
    return status;
}

sl_status sl_choose(const sl_source_conf *c, const char *media_type, const char *data, size_t n,
                    uint32_t *choice, sl_error *err) {
    *choice = 0;
    if (c->nchoices == 1) return SL_OK;
    const sl_format *f = sl_format_of_type(sl_text_trim(sl_text_n(media_type, strcspn(media_type, ";"))));
    if (!f) f = sl_format_of_bytes(data, n);
    while (*choice < c->nchoices && c->choices[*choice].format != f) ++*choice;
    return *choice < c->nchoices ? SL_OK : unknown_format(media_type, err);
}

/* ---- confs --------------------------------------------------------------------------------------------- */

/* The keys of the dialect, and the encoding where the format decodes it itself. PICKY: without those FORMAT does not know. */
static sl_status collect(const sl_source_conf *c, const sl_format *format, bool picky, sl_arena *arena,
                         sl_value *map, sl_error *err) {
    uint32_t n = 0, given = c->keys.type == SL_MAP ? c->keys.n : 0;
    sl_pair *pairs = sl_arena_calloc(arena, given + 1, sizeof *pairs);
    if (!pairs) return sl_oom(err);
    for (uint32_t i = 0; i < given; i++) {
        sl_pair pair = c->keys.as.map[i];
        if (!picky || sl_option_named(format->options, pair.key, false)) pairs[n++] = pair;
    }
    if (c->decoded) pairs[n++] = (sl_pair){SL_TEXT("encoding"), sl_text_value(c->encoding)};
    *map = sl_map(pairs, n);
    return SL_OK;
}

sl_status sl_source_default(sl_source_conf *c, const char *key, sl_value v, sl_arena *arena, sl_error *err) {
    if (!sl_is_absent(sl_map_get_z(c->keys, key))) return SL_OK;
    sl_pair *pairs = sl_arena_calloc(arena, c->keys.n + 1, sizeof *pairs);
    if (!pairs) return sl_oom(err);
    if (c->keys.n) memcpy(pairs, c->keys.as.map, c->keys.n * sizeof *pairs);
    pairs[c->keys.n] = (sl_pair){sl_text_of(key), v};
    c->keys = sl_map(pairs, c->keys.n + 1);
    return SL_OK;
}

static sl_status add_choice(sl_source_conf *c, const sl_format *format, bool picky, sl_arena *arena,
                            sl_error *err) {
    sl_value map;
    TRY(collect(c, format, picky, arena, &map, err));
    sl_choice *choice = &c->choices[c->nchoices++];
    choice->format = format;
    choice->conf = sl_arena_calloc(arena, 1, format->conf_size ? format->conf_size : 1);
    if (!choice->conf) return sl_oom(err);
    static const sl_option none[] = {{0}};
    const sl_option *table = format->options ? format->options : none;
    TRY(sl_options_parse(table, map, false, choice->conf, arena, NULL, err));
    if (format->set_dialect) format->set_dialect(choice->conf, c->dialect);
    return format->prepare ? format->prepare(choice->conf, arena, err) : SL_OK;
}

static sl_status add_choices(sl_source_conf *c, sl_arena *arena, sl_error *err) {
    const sl_format *f;
    for (unsigned i = 0; (f = sl_format_at(i)); i++)
        if (is_recognised(f)) TRY(add_choice(c, f, true, arena, err));
    return SL_OK;
}

/* Formats decode the usual encodings themselves, in parallel; what they do not know is converted as it is read. FORMAT NULL:
 * not known yet, so what it will know is not either. */
static sl_status choose_conversion(sl_source_conf *c, const sl_format *format, sl_error *err) {
    sl_encoding known;
    if (!c->encoding.n) return SL_OK;
    c->decoded = format && sl_option_named(format->options, SL_TEXT("encoding"), false) &&
                 sl_encoding_named(c->encoding, &known, NULL) == SL_OK;
    if (c->decoded || sl_encoding_is_utf8(c->encoding)) return SL_OK;
    c->convert = c->encoding;
    if (sl_text_eq_nocase(c->encoding, SL_TEXT("auto"))) return SL_OK;
    sl_transcode *probe;
    TRY(sl_transcode_new(c->encoding, &probe, err));
    sl_transcode_free(&probe);
    return SL_OK;
}

static sl_status set_access(sl_source_conf *c, const sl_step_info *info, sl_error *err) {
    const sl_env *env = info->env;
    sl_access *a = &c->access;
    a->from_data = info->url_from_data;
    a->no_files = info->url_from_data && info->networked && !env->allow_files;
    return sl_web_manners(env->web, c->http, a->from_data, env->base_dir, info->arena, &a->manners, err);
}

static sl_status set_pages(sl_source_conf *c, const sl_format *format, sl_arena *arena, sl_error *err) {
    if (!c->paginate.n) return SL_OK;
    if (c->paginate.n > 1)
        return sl_fail(err, SL_E_PLAN, "paginate: one way to the next page, not a list of them");
    sl_paginate *p = c->paginate.v;
    TRY(sl_paginate_prepare(p, arena, err));
    if (sl_paginate_reads_body(p) && format && !format->json) {
        return sl_fail(err, SL_E_PLAN, "paginate: a path leads through JSON, and the pages are %s",
                       format->name);
    }
    c->pages = p;
    return SL_OK;
}

static unsigned count_formats(void) {
    unsigned n = 0;
    while (sl_format_at(n)) n++;
    return n;
}

sl_status sl_source_prepare(sl_source_conf *c, const sl_format *format, const sl_step_info *info,
                            sl_error *err) {
    c->env = info->env;
    c->dialect = info->env->dialect;
    c->keep = info->arena;
    if (sl_source_is_http(c->url)) TRY(sl_http_library(err));
    if (format && format->open) TRY(format->open(err));
    TRY(set_access(c, info, err));
    TRY(choose_conversion(c, format, err));
    TRY(set_pages(c, format, info->arena, err));
    c->choices = sl_arena_calloc(info->arena, format ? 1 : count_formats(), sizeof *c->choices);
    if (!c->choices) return sl_oom(err);
    return format ? add_choice(c, format, false, info->arena, err) : add_choices(c, info->arena, err);
}
