/* settings.h: the settings of a run, by the rows of options/settings.def.
 *
 * A definition sets them at its top level, the caller by sl_pipeline_option or a flag; the caller goes before. Those about how
 * servers are asked (http, allow_net) are kept in plan/web.h.
 *
 * Thread rule: set in the coordinator before the plan is prepared; read-only afterwards. */
#ifndef SL_PLAN_SETTINGS_H
#define SL_PLAN_SETTINGS_H

#include "base/error.h"
#include "base/text.h"

/* What a setting is and how its text is read. The value of a CHOICE is the place of the word among those of its row. */
typedef enum sl_setting_kind {
    SL_SETTING_SWITCH, /* true, false, yes, no, on, off, 1, 0 */
    SL_SETTING_COUNT,
    SL_SETTING_SIZE,   /* bytes, or a large number of something: 1000, 256M */
    SL_SETTING_CHOICE, /* one of its words; "true" and "false" among them are read as those of a SWITCH */
    SL_SETTING_FOLDER,
    SL_SETTING_FOLDERS /* separated by colons; in a definition also a list */
} sl_setting_kind;

#define SL_TYPE_SWITCH  bool
#define SL_TYPE_COUNT   unsigned
#define SL_TYPE_SIZE    uint64_t
#define SL_TYPE_CHOICE  int
#define SL_TYPE_FOLDER  sl_text /* with a NUL behind it; empty: none was given */
#define SL_TYPE_FOLDERS sl_text

/* A member a setting, by its name. */
typedef struct sl_settings {
#define SETTING(name, kind, columns) SL_TYPE_##kind name;
#include "options/settings.def"
    uint64_t given; /* bit set: see settings.c */
} sl_settings;

typedef struct sl_setting {
    const char *name;
    sl_setting_kind kind;
    size_t offset;            /* in sl_settings */
    int64_t min, max;         /* COUNT, SIZE */
    bool callers;             /* no definition can give it to itself */
    const char *accepted;     /* for messages: "a size, such as 500M"; NULL: the kind tells */
    const char *const *words; /* CHOICE, NULL-terminated */
    const char *fallback;     /* default, as text; NULL: depends on the machine, or none */
    const char *zero;         /* what 0 means; NULL: nothing else */
    const char *help;         /* one line; NULL: for tests */
} sl_setting;

const sl_setting *sl_setting_at(unsigned i);      /* NULL past the last */
const sl_setting *sl_setting_named(sl_text name); /* NULL: none */

/* Names for suggestions, with or without those that only the caller can set; returns how many. */
enum { SL_MAX_SETTINGS = 32 };
unsigned sl_setting_names(const char *names[SL_MAX_SETTINGS], bool callers);

void sl_settings_init(sl_settings *s);
/* Sets NAME by a text that outlives S; BY_CALLER: for good. An unknown name is SL_E_USAGE, a bad value CODE. */
SL_MUST_CHECK sl_status sl_settings_set(sl_settings *s, sl_text name, sl_text value, bool by_caller, sl_status code, sl_error *err);
/* Whether anybody set it. NAME is a setting's. */
bool sl_settings_given(const sl_settings *s, sl_text name);
/* S is those of a subpipe: what the caller of FROM has set holds there too. */
void sl_settings_inherit(sl_settings *s, const sl_settings *from);

#endif
