/* Every allocation of a run fails once, and every one from some point on: the run ends with a status, the old output stands, and
 * (with the address sanitizer) nothing leaks. */
#include "fault_run.h"

static const fault_case cases[] = {
    {.name = "csv to sqlite", .steps = "csv url=small.csv", .sink = "out.db:t", .unit = "2K"},
    {.name = "jsonl to csv", .steps = "fetchdata url=items.jsonl", .sink = "out.csv", .unit = "1K"},
    {.name = "filter and rename",
     .steps = "csv url=small.csv | filter rule.field=group rule.op=contains rule.value=g1 | rename "
              "rule.field=name rule.newval=n "
              "| regex rule.field=n rule.match='(\\d+)' rule.replace='<$1>'",
     .sink = "out.jsonl",
     .unit = "1K"},
    {.name = "sort",
     .steps = "csv url=big.csv | sort rule.field=name rule.dir=desc",
     .sink = "out.csv",
     .memory = "1M",
     .unit = "256K"},
    {.name = "aggregate",
     .steps = "csv url=small.csv | aggregate by=group ops.0.op=sum ops.0.field=amount ops.1.op=distinct "
              "ops.1.field=name",
     .sink = "out.csv",
     .unit = "1K"},
    {.name = "count and uniq",
     .steps = "csv url=small.csv | uniq uniq_key=name | count count_key=group",
     .sink = "out.jsonl",
     .unit = "1K"},
    {.name = "join",
     .definition = "{\"modules\":[{\"id\":\"a\",\"type\":\"csv\",\"conf\":{\"url\":\"small.csv\"}},{\"id\":"
                   "\"b\",\"type\":"
                   "\"csv\",\"conf\":{\"url\":\"small.csv\"}},{\"id\":\"j\",\"type\":\"join\",\"conf\":{"
                   "\"join_key\":\"id\","
                   "\"other_join_key\":\"id\"}}],\"wires\":[{\"id\":\"1\",\"src\":{\"id\":\"_OUTPUT\","
                   "\"moduleid\":\"a\"},"
                   "\"tgt\":{\"id\":\"_INPUT\",\"moduleid\":\"j\"}},{\"id\":\"2\",\"src\":{\"id\":\"_"
                   "OUTPUT\",\"moduleid\":"
                   "\"b\"},\"tgt\":{\"id\":\"_OTHER\",\"moduleid\":\"j\"}}]}",
     .sink = "out.csv",
     .unit = "1K"},
    {.name = "new database",
     .steps = "fetchdata url=items.jsonl",
     .sink = "out.db:t",
     .unit = "1K",
     .fresh = true},
    {.name = "appending",
     .steps = "csv url=small.csv",
     .sink = "{\"to\":\"out.db:t\",\"mode\":\"append\"}",
     .unit = "2K"},
    {.name = "texts",
     .steps = "csv url=small.csv | tokenizer ' ' @field=note @assign=word @emit=false | strconcat "
              "part.0=pre- part.1.subkey=name "
              "@assign=joined | strreplace rule.find=e rule.replace=E @field=joined | strtransform title "
              "@field=name | substr "
              "start=1 length=3 @field=group | hash @field=joined @assign=hash",
     .sink = "out.json",
     .unit = "1K"},
    {.name = "values",
     .steps = "csv url=small.csv | typecast int @field=id @assign=id | simplemath divide other=4 "
              "@field=amount @assign=quarter | "
              "itembuilder attrs.0.key=date attrs.0.value=2015-05-04 attrs.1.key=a.b attrs.1.value.subkey=id "
              "| dateformat '%d %b' "
              "@assign=day",
     .sink = "out.csv",
     .unit = "1K"},
    {.name = "places and addresses",
     .steps = "csv url=small.csv | geolocate table=small.csv key=id @field=id @emit=false @assign=place "
              "@skip_if.field=group @skip_if.text=^g[01] @skip_if.op=search | urlbuilder base=http://x.org/a "
              "path=b "
              "param.key=q param.value.subkey=note @emit=false @assign=url | urlparse @field=url @emit=false "
              "@assign=parts",
     .sink = "out.jsonl",
     .unit = "1K"},
    {.name = "found and made",
     .steps =
         "csv url=small.csv | refind rule.find='[0-9]+' rule.location=at rule.param=last @field=name | "
         "strfind "
         "rule.find=e @field=note | slugify @field=note | currencyformat EUR @field=amount | rssitembuilder "
         "title.subkey=slugify link.subkey=currencyformat mediaThumbURL=u pubDate=d guid.subkey=refind",
     .sink = "out.jsonl",
     .unit = "1K"},
    {.name = "tail and reverse",
     .steps = "csv url=small.csv | tail 20 | reverse",
     .sink = "out.csv",
     .unit = "1K"},
    {.name = "head of a sort",
     .steps = "csv url=small.csv | sort amount | truncate 5",
     .sink = "out.csv",
     .unit = "1K"},
    {.name = "sum",
     .steps = "csv url=small.csv | sum amount group_key=group",
     .sink = "out.jsonl",
     .unit = "1K"},
    {.name = "many groups",
     .steps = "csv url=big.csv | aggregate by=note ops.0.op=count ops.1.op=max ops.1.field=amount",
     .sink = "out.csv",
     .memory = "1M",
     .unit = "256K"},
    {.name = "many different",
     .steps = "csv url=big.csv | uniq note",
     .sink = "out.csv",
     .memory = "1M",
     .unit = "256K"},
    {.name = "definition",
     .definition = "{\"name\":\"n\",\"sources\":[{\"url\":\"small.csv\",\"type\":\"csv\"},{\"url\":\"${X:-"
                   "items}.jsonl\"}],"
                   "\"sinks\":[\"x.csv\",{\"to\":\"x.db:t\",\"mode\":\"append\"}],\"workers\":3,\"memory\":"
                   "\"64M\",\"modules\":["
                   "{\"type\":\"sort\",\"conf\":{\"rule\":[{\"field\":\"a.b\",\"dir\":\"desc\"}]}},{\"type\":"
                   "\"substr\",\"conf\":"
                   "{\"start\":{\"subkey\":\"a\"},\"length\":\"2\"},\"field\":\"a\",\"assign\":\"z\"},{"
                   "\"type\":\"regex\","
                   "\"conf\":{\"rule\":{\"field\":\"a\",\"match\":\"(x)\",\"replace\":\"$1\"}}}]}"},
};

/* Few fail of the thousands that are the same one again and again; large inputs take their time. */
static uint64_t next(uint64_t at, const fault_case *c) {
    uint64_t all = c->parallel ? 60 : 300;
    return at + (c->memory ? 7 + at / 8 : at < all ? 1 : at / 16);
}

static void every_allocation(const fault_case *c, bool on) {
    sl_buf expected = {0};
    sl_status status = SL_OK;
    sl_error err;
    int failed = 0;
    bool fired = true;
    reference_output(c, &expected);
    for (uint64_t at = 1; fired; at = on ? at + at / 3 + 1 : next(at, c)) {
        fired = run_with(c, &(faults){.call = FAULT_MEMORY, .at = at, .on = on}, &expected, &status, &err);
        failed += status != SL_OK;
    }
    assert_int_equal(status, SL_OK);
    assert_true(failed > 5);
    sl_buf_free(&expected);
}

static void each_case(bool parallel) {
    for (size_t i = 0; i < SL_COUNT(cases); i++) {
        fault_case c = cases[i];
        c.parallel = parallel;
        every_allocation(&c, false);
        every_allocation(&c, true);
    }
}

static void an_inline_run_survives_every_failed_allocation(void **state) {
    (void)state;
    each_case(false);
}

static void a_threaded_run_survives_every_failed_allocation(void **state) {
    (void)state;
    each_case(true);
}

/* Forking takes its time: a few of the cases, and few of the allocations, in the coordinator and in its workers. */
static void a_forked_run_survives_every_failed_allocation(void **state) {
    (void)state;
    for (size_t i = 0; i < SL_COUNT(cases); i += 2) {
        fault_case c = cases[i];
        c.parallel = c.processes = true;
        if (c.sink && !c.memory) every_allocation(&c, true);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inline_run_survives_every_failed_allocation),
        cmocka_unit_test(a_threaded_run_survives_every_failed_allocation),
        cmocka_unit_test(a_forked_run_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, enter_scratch, leave_scratch);
}
