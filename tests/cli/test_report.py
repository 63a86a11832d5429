#!/usr/bin/env python3
"""What the run report counts: in = out + filtered + quarantined at every step, and the same figures whatever the pool, the number of
workers and the size of units.

    SLUICE=build/dev/sluice test_report.py"""

import json

from program import INLINE, Case, main

ROWS = 3000
UNITS = ((), ("--unit", "700"), ("--unit", "9000"))
POOLS = (INLINE, ("-j", "3"), ("--threads=false", "-j", "2"))
RUNS = [(*pool, *unit) for unit in UNITS for pool in POOLS]
SMALL = [(*INLINE, "--unit", "700"), ("-j", "4", "--unit", "700"), ("--threads=false", "-j", "3", "--unit", "2500"), ("-j", "2")]
# What depends on how the work was cut up and who did it.
UNEVEN = {"seconds", "retries", "bytes", "ahead", "unchanged", "read"}


def evened(part):
    if isinstance(part, list):
        return [evened(p) for p in part]
    if isinstance(part, dict):
        return {k: evened(v) for k, v in part.items() if k not in UNEVEN}
    return part


class Counts(Case):
    def setUp(self):
        super().setUp()
        lines = ["id,t,u"] + [f"{i},k{i % 7},{'x' * (i % 40)}" for i in range(ROWS)]
        self.file("m.csv", "\n".join(lines) + "\n")
        self.file("n.csv", "\n".join(lines[:1001]) + "\n")

    def report(self, command, options):
        self.sluice(*command, "--report", "r.json", "-q", *options)
        return json.loads((self.dir / "r.json").read_text())

    def piped(self, steps, *options, rows="m.csv"):
        return self.report(("pipe", f"csv url={rows} | {steps}", "--to", "o.csv"), options)

    def defined(self, modules, wires, *options):
        self.file("d.json", json.dumps({"modules": modules, "wires": wires}))
        return self.report(("run", "d.json", "--to", "o.jsonl"), options)

    # ---- what holds of every report ----------------------------------------------------------------------------------------

    def check_end(self, stage):
        if "folded" in stage:
            self.assertEqual(stage["folded"], stage["in"], stage)
        elif "out" in stage and stage["end"] != "wrap":
            self.assertEqual(stage["in"], stage["out"] + stage["filtered"], stage)

    def check_branch(self, report, branch, alone):
        before = branch["out"]
        for step in branch["steps"]:
            self.assertEqual(step["in"], before, branch)
            if step["out"] <= step["in"]:
                self.assertEqual(step["in"], step["out"] + step["filtered"], step)
            before = step["out"]
        if alone and branch["from"] == "stage":
            feed = report["stages"][branch["stage"]]
            self.assertEqual(feed["out"], branch["out"], report)
        return before

    def check(self, report):
        for stage in report["stages"]:
            alone = len(stage["branches"]) == 1
            came = sum(self.check_branch(report, b, alone) for b in stage["branches"])
            self.assertEqual(stage["in"], came, stage)
            self.check_end(stage)
        self.assertTrue(report["balanced"])
        return report["items"]

    def check_sum(self, items):
        self.assertEqual(items["in"], items["out"] + items["filtered"] + items["quarantined"], items)

    def same(self, make, runs=SMALL):
        """The report of every run of RUNS holds, and all of them say the same; the last one."""
        first = None
        for options in runs:
            with self.subTest(options=options):
                report = make(*options)
                self.check(report)
                figures = (evened(report["items"]), evened(report["stages"]))
                first = first or figures
                self.assertEqual(figures, first)
        return report

    def counts(self, report):
        return tuple(report["items"][k] for k in ("in", "out", "filtered"))

    # ---- steps that filter ---------------------------------------------------------------------------------------------------

    CASES = {
        "tail 10": (ROWS, 10, ROWS - 10),
        "truncate 5": (5, 5, 0),
        "truncate 0": (0, 0, 0),
        "truncate count=1 start=999": (1000, 1, 999),
        f"truncate {ROWS}": (ROWS, ROWS, 0),
        f"truncate {ROWS + 1}": (ROWS, ROWS, 0),
        f"truncate count=10 start={ROWS - 5}": (ROWS, 5, ROWS - 5),
        f"truncate count=10 start={ROWS + 5}": (ROWS, 0, ROWS),
        "uniq t": (ROWS, 7, ROWS - 7),
        "uniq t | uniq u": (ROWS, 7, ROWS - 7),
        "uniq t limit=2": (ROWS, ROWS, 0),
        "sort id": (ROWS, ROWS, 0),
        "sort id | truncate 5": (ROWS, 5, ROWS - 5),
        "sort id | truncate count=5 start=7": (ROWS, 5, ROWS - 5),
        "sort id | tail 5": (ROWS, 5, ROWS - 5),
        "tail 100 | truncate 5": (ROWS, 5, ROWS - 5),
        "tail 100 | filter rule.field=t rule.op=eq rule.value=k3 | truncate 5": (ROWS, 5, ROWS - 5),
        "reverse": (ROWS, ROWS, 0),
        "reverse | truncate 3": (ROWS, 3, ROWS - 3),
        "filter rule.field=t rule.op=eq rule.value=k3": (ROWS, 429, ROWS - 429),
        "filter rule.field=t rule.op=eq rule.value=k3 | tail 3": (ROWS, 3, ROWS - 3),
        "filter rule.field=t rule.op=eq rule.value=k3 | uniq u | sort id | truncate 3": (ROWS, 3, ROWS - 3),
        "filter rule.field=t rule.op=eq rule.value=k9": (ROWS, 0, ROWS),
        "filter lua=\"tonumber(id) < 1500\" stop=true": (1501, 1500, 1),
        "rename rule.field=id rule.newval=key | tail 4": (ROWS, 4, ROWS - 4),
        # In front of a cut only what reached it counts.
        "filter rule.field=t rule.op=eq rule.value=k3 | truncate 5": (5, 5, 0),
        "filter rule.field=t rule.op=eq rule.value=k3 | truncate count=5 start=100": (105, 5, 100),
        "filter rule.field=t rule.op=eq rule.value=k9 | truncate 5": (ROWS, 0, ROWS),
        "uniq t | truncate 3": (3, 3, 0),
        "uniq t | truncate 8": (ROWS, 7, ROWS - 7),
        "truncate 1000 | tail 10": (1000, 10, 990),
        "truncate 1000 | uniq t | truncate 3": (3, 3, 0),
        "truncate 1000 | sort id | truncate 3": (1000, 3, 997),
    }

    def test_in_is_out_and_filtered(self):
        for steps, expected in self.CASES.items():
            with self.subTest(steps=steps):
                report = self.same(lambda *options, s=steps: self.piped(s, *options))
                self.assertEqual(self.counts(report), expected)
                self.check_sum(report["items"])

    def test_counts_are_the_same_on_every_pool_and_unit(self):
        for steps in ("filter rule.field=t rule.op=eq rule.value=k3 | uniq u | truncate 20 | sort id | truncate 3", "tail 7"):
            with self.subTest(steps=steps):
                self.same(lambda *options, s=steps: self.piped(s, *options), RUNS)

    def test_counts_do_not_depend_on_large_units(self):
        lines = ["id,t"] + [f"{i},{'x' * 60}" for i in range(50000)]
        self.file("large.csv", "\n".join(lines) + "\n")
        for steps, expected in {"tail 10": (50000, 10, 49990), "truncate count=1 start=999": (1000, 1, 999),
                                "uniq t": (50000, 1, 49999), "sort id | truncate 5": (50000, 5, 49995)}.items():
            with self.subTest(steps=steps):
                make = lambda *options, s=steps: self.piped(s, *options, rows="large.csv")
                report = self.same(make, [INLINE, ("-j", "2"), ("--unit", "50000")])
                self.assertEqual(self.counts(report), expected)

    def test_a_limit_ends_reading_where_it_can(self):
        for steps, expected in {"rename rule.field=id rule.newval=key": (5, 5, 0), "sort id": (ROWS, 5, ROWS - 5)}.items():
            with self.subTest(steps=steps):
                report = self.same(lambda *options, s=steps: self.piped(s, "--limit", "5", *options))
                self.assertEqual(self.counts(report), expected)

    def test_counts_hold_without_order(self):
        report = self.same(lambda *options: self.piped("filter rule.field=t rule.op=eq rule.value=k3", "--ordered=false", *options))
        self.assertEqual(self.counts(report), (ROWS, 429, ROWS - 429))

    def test_what_was_read_besides_is_told(self):
        report = self.piped("truncate 5", *INLINE)
        self.assertEqual(report["items"]["ahead"], ROWS - 5)
        self.assertEqual(self.piped("tail 5", *INLINE)["items"]["ahead"], 0)

    def test_quarantined_items_are_counted_as_read(self):
        self.file("bad.csv", "a,b\n" + "".join(f"{i}\n" if i % 10 == 0 else f"{i},{i}\n" for i in range(1000)))
        def make(*options):
            self.sluice("load", "bad.csv", "--ragged", "skip", "--to", "o.csv", "--report", "r.json", "-q", *options, code=3)
            return json.loads((self.dir / "r.json").read_text())
        items = self.same(make)["items"]
        self.assertEqual((items["in"], items["out"], items["quarantined"]), (1000, 900, 100))

    # ---- steps that make items -------------------------------------------------------------------------------------------------

    def test_folds_say_what_went_into_them(self):
        for steps, made in {"count": 1, "sum sum_key=id": 1, "aggregate by=t ops.0.op=count": 7}.items():
            with self.subTest(steps=steps):
                report = self.same(lambda *options, s=steps: self.piped(s, *options))
                stage = report["stages"][0]
                self.assertEqual((stage["in"], stage["folded"], stage["out"], stage["filtered"]), (ROWS, ROWS, made, 0))
                self.assertEqual(self.counts(report), (ROWS, made, 0))

    # ---- several branches -------------------------------------------------------------------------------------------------------

    SOURCES = [{"id": "a", "type": "csv", "conf": {"url": "n.csv"}}, {"id": "b", "type": "csv", "conf": {"url": "m.csv"}}]

    def union(self, *modules):
        ids = [m["id"] for m in modules]
        chain = ["u", *ids]
        wires = [["a", "u"], ["b", "u", "_OTHER1"]] + [[x, y] for x, y in zip(chain, chain[1:])]
        return lambda *options: self.defined([*self.SOURCES, {"id": "u", "type": "union"}, *modules], wires, *options)

    def test_a_cut_falls_into_one_of_several_branches(self):
        for count, whole in ((500, 0), (1000, 0), (1001, 1), (1500, 1), (3999, 1), (4000, 1)):
            with self.subTest(count=count):
                report = self.same(self.union({"id": "t", "type": "truncate", "conf": {"count": count}}))
                self.assertEqual(self.counts(report), (count, count, 0))
                outs = [b["out"] for b in report["stages"][0]["branches"]]
                self.assertEqual(outs, [1000, count - 1000] if whole else [count, 0])

    def test_items_of_all_branches_are_counted(self):
        report = self.same(self.union({"id": "t", "type": "tail", "conf": {"count": 5}}))
        self.assertEqual(self.counts(report), (4000, 5, 3995))

    def test_a_sort_that_stands_in_a_branch_behind_the_cut_does_not_count(self):
        modules = [*self.SOURCES, {"id": "s", "type": "sort", "conf": {"rule": {"field": "id"}}}, {"id": "u", "type": "union"},
                   {"id": "t", "type": "truncate", "conf": {"count": 10}}]
        wires = [["a", "u"], ["b", "s"], ["s", "u", "_OTHER1"], ["u", "t"]]
        report = self.same(lambda *options: self.defined(modules, wires, *options))
        self.assertEqual(self.counts(report), (10, 10, 0))

    def split(self, first, second):
        modules = [self.SOURCES[1], {"id": "s", "type": "split"}, {"id": "x", **first}, {"id": "y", **second},
                   {"id": "u", "type": "union"}]
        wires = [["b", "s"], ["s", "x"], ["s", "y"], ["x", "u"], ["y", "u", "_OTHER1"]]
        return self.same(lambda *options: self.defined(modules, wires, *options))

    def test_a_stream_with_two_readers_counts_once(self):
        cut, whole = {"type": "truncate", "conf": {"count": 5}}, {"type": "tail", "conf": {"count": 3}}
        report = self.split(cut, whole)
        self.assertEqual((report["items"]["in"], report["items"]["out"]), (ROWS, 8))
        report = self.split(cut, {"type": "truncate", "conf": {"count": 12}})
        self.assertEqual((report["items"]["in"], report["items"]["out"]), (12, 17))

    def test_the_table_of_a_join_is_counted_as_input(self):
        modules = [*self.SOURCES, {"id": "j", "type": "join", "conf": {"join_key": "id", "other_join_key": "id"}},
                   {"id": "t", "type": "truncate", "conf": {"count": 10}}]
        wires = [["b", "j"], ["a", "j", "other"]]
        report = self.same(lambda *options: self.defined(modules[:3], wires, *options))
        self.assertEqual(report["items"]["in"], 4000)
        table = next(s for s in report["stages"] if s["end"] == "lookup")
        self.assertEqual((table["in"], table["folded"]), (1000, 1000))
        report = self.same(lambda *options: self.defined(modules, [*wires, ["j", "t"]], *options))
        self.assertEqual((report["items"]["in"], report["items"]["out"]), (1010, 10))

    def test_items_of_a_loop_over_a_subpipe_are_counted(self):
        sub = {"modules": [{"id": "i", "type": "csv", "conf": {"url": str(self.dir / "n.csv")}},
                           {"id": "t", "type": "truncate", "conf": {"count": 2}}], "wires": [["i", "t"]]}
        self.file("pipe_sub.json", json.dumps(sub))
        modules = [self.SOURCES[0], {"id": "t", "type": "truncate", "conf": {"count": 30}},
                   {"id": "l", "type": "loop", "conf": {}, "embed": {"type": "pipe:sub"}, "emit": True},
                   {"id": "z", "type": "tail", "conf": {"count": 7}}]
        wires = [["a", "t"], ["t", "l"], ["l", "z"]]
        report = self.same(lambda *options: self.defined(modules, wires, *options))
        self.assertEqual((report["items"]["in"], report["items"]["out"]), (30, 7))

    def test_a_stream_that_gives_one_element_to_each_item(self):
        words = [{"id": "i", "type": "itembuilder", "conf": {"attrs": {"key": "content", "value": ",".join("abcdefghij")}}},
                 {"id": "w", "type": "tokenizer", "conf": {"delimiter": ","}, "emit": True}]
        modules = [self.SOURCES[0], *words, {"id": "s", "type": "strconcat", "conf": {"part": [{"terminal": "t", "type": "text"}]}},
                   {"id": "c", "type": "truncate", "conf": {"count": 4}}]
        wires = [["i", "w"], ["w", "s", "t"], ["a", "s"]]
        for cut, expected in ((False, 10), (True, 4)):
            with self.subTest(cut=cut):
                more = [["s", "c"]] if cut else []
                report = self.same(lambda *options: self.defined(modules if cut else modules[:-1], wires + more, *options))
                given = next(b["steps"][-1] for stage in report["stages"] for b in stage["branches"] if b["from"] == "one")
                self.assertEqual((given["pipe"], given["out"]), ("tokenizer", expected))
                self.assertEqual((report["items"]["in"], report["items"]["out"]), (4, 4) if cut else (1000, 1000))

    # ---- the summary -------------------------------------------------------------------------------------------------------------

    def test_the_summary_says_the_same(self):
        summary = self.sluice("pipe", "csv url=m.csv | sort id | truncate 5", "--to", "o.csv").message
        self.assertIn("3,000 items in, 5 out, 2,995 filtered; ", summary)
        summary = self.sluice("pipe", "csv url=m.csv | truncate 5", "--to", "o.csv", *INLINE).message
        self.assertIn("5 items in, 5 out, 2,995 read ahead; ", summary)


if __name__ == "__main__":
    main()
