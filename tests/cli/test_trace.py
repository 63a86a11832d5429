#!/usr/bin/env python3
"""What a run tells of itself: --trace on every pool, its parts; a tap; a run until a step; the sizes of a plan.

    SLUICE=build/dev/sluice test_trace.py"""

import gzip
import json
import os
import re
import signal
import time
from subprocess import PIPE, Popen

from program import INLINE, PROGRAM, Case, main, pools
from test_cache import Server

PARTS = "stage split unit retry spill request cache transaction recode".split()
LINE = re.compile(r" *(\d+\.\d{6}) (coordinator|worker \d+) +(%s) +(\S.*)" % "|".join(PARTS))
PROCESSES = ("--threads=false", "-j", "2")


def parsed(result):
    """The lines of a trace as (who, part, what); fails on a line that is none."""
    lines = []
    for line in result.err.decode().splitlines():
        m = LINE.fullmatch(line)
        assert m, f"not a line of a trace: {line!r}"
        lines.append(m.groups()[1:])
    return lines


class Traced(Case):
    def setUp(self):
        super().setUp()
        self.env.update(SLUICE_CACHE_DIR=str(self.dir / "cache"), no_proxy="127.0.0.1")
        self.rows = "id,city\n" + "".join(f"{i},city{i % 7}\n" for i in range(3000))
        self.file("rows.csv", self.rows)

    def trace(self, steps, *args, parts=None, code=0):
        flag = "--trace" if parts is None else f"--trace={parts}"
        return self.sluice("pipe", steps, *args, flag, "-q", code=code)

    def told(self, part, lines):
        return [what for _, of, what in lines if of == part]

    # ---- lines ----

    def test_every_pool_tells_the_same_decisions_and_gives_the_same_items(self):
        steps, seen = "csv url=rows.csv | sort rule.field=city | truncate 5", set()
        plain = self.sluice("pipe", steps, *INLINE, "-q").out
        for pool in pools():
            r = self.trace(steps, *pool, "--unit", "1000")
            lines = parsed(r)
            self.assertEqual(r.out, plain, pool)
            cuts = [what for what in self.told("stage", lines) if "cut" in what]
            self.assertEqual(cuts, ["1 cut at step 2 (sort): it has to see all items",
                                    "2 cut at step 3 (truncate): it sees the items in order",
                                    "3 cut: it is the result"], pool)
            done = [(who, what) for who, part, what in lines if part == "unit" and what.startswith("stage 1 ") and "items" in what]
            sent = [what for what in self.told("unit", lines) if re.fullmatch(r"stage 1 unit \d+ sent", what)]
            units = [what for what in self.told("split", lines) if what.startswith("unit ")]
            self.assertGreater(len(units), 20)
            self.assertEqual(len(units), len(done), pool)
            self.assertEqual(len(units), len(sent), pool)
            self.assertEqual(sum(int(re.search(r": (\d+) items", what)[1]) for _, what in done), 3000, pool)
            self.assertTrue(all(who.startswith("worker") for who, _ in done), pool)
            seen.add(tuple(units_of(units)))
        self.assertEqual(len(seen), 1)

    def test_lines_are_whole_and_in_order_of_time_for_each_who(self):
        r = self.trace("csv url=rows.csv | slugify", *PROCESSES, "--unit", "200")
        last = {}
        for line in r.err.decode().splitlines():
            time_, who, _, _ = LINE.fullmatch(line).groups()
            self.assertGreaterEqual(float(time_), last.get(who, 0.0))
            last[who] = float(time_)
        self.assertIn("worker 1", last)

    def test_most_lines_fit_a_terminal(self):
        lines = self.trace("csv url=rows.csv | sort rule.field=city", "-j", "2").err.decode().splitlines()
        self.assertLess(max(map(len, lines)), 100)

    def test_nothing_is_told_unless_asked(self):
        self.assertEqual(self.sluice("pipe", "csv url=rows.csv | sort rule.field=city", "-q").err, b"")

    # ---- parts ----

    def test_parts_can_be_chosen(self):
        lines = parsed(self.trace("csv url=rows.csv", parts="stage,split"))
        self.assertEqual({part for _, part, _ in lines}, {"stage", "split"})

    def test_an_unknown_part_is_told_before_anything_is_read(self):
        r = self.trace("csv url=there-is-none.csv", parts="stage,spil", code=2)
        self.assertEqual(r.message, "sluice: --trace: unknown part 'spil', did you mean 'spill'?")
        r = self.trace("csv url=there-is-none.csv", parts="", code=2)
        self.assertIn("unknown part ''", r.message)

    def test_help_tells_every_part(self):
        text = " ".join(self.sluice("run", "--help").out.decode().split())
        for part in PARTS:
            self.assertIn(f"; {part}: ", text)

    # ---- what is told ----

    def test_spills_are_told(self):
        self.file("long.csv", "id,text\n" + "".join(f"{i},{'x' * 500}\n" for i in range(8000)))
        for pool in (INLINE, ("-j", "2"), PROCESSES):
            lines = parsed(self.trace("csv url=long.csv | sort rule.field=id", *pool, "-S", "1M", parts="spill"))
            self.assertRegex(self.told("spill", lines)[0], r"sort: run 1, \d+ records, .*; 1\.0 MB allowed", pool)

    def test_transactions_are_told(self):
        lines = parsed(self.trace("csv url=rows.csv", "--to", "x.db:t", "--to", "x.csv", parts="transaction"))
        told = self.told("transaction", lines)
        self.assertEqual(told[:2], ["sqlite opened: x.db:t", "csv opened: x.csv"])
        self.assertIn("a new database, renamed at the end: x.db", told)
        self.assertEqual(told[-4:], ["ready, 3000 rows: x.db:t", "ready, 3000 rows: x.csv", "committed: x.db:t",
                                     "committed: x.csv"])
        again = parsed(self.trace("csv url=rows.csv", "--to", "x.db:t", parts="transaction"))
        self.assertIn("into the database that is there: x.db", self.told("transaction", again))

    def test_encodings_and_packings_are_told(self):
        self.file("a.csv.gz", gzip.compress("a\ncafé\n".encode("utf-16-le")))
        told = self.told("recode", parsed(self.trace("csv url=a.csv.gz encoding=utf-16le", parts="recode")))
        self.assertEqual(told, ["packed, is unpacked: a.csv.gz", "utf-16le becomes UTF-8: a.csv.gz"])

    def test_requests_copies_and_retries_are_told(self):
        server = Server()
        self.addCleanup(server.stop)
        steps = f"csv url={server.url('etag/stations.csv')} | count"
        first, again = [parsed(self.trace(steps, parts="request,cache,retry")) for _ in range(2)]
        self.assertRegex(self.told("request", first)[0], r"GET, attempt 1: http://127.0.0.1:\d+/etag/stations.csv")
        self.assertRegex(self.told("request", first)[1], r"200, \S+ \w+ after \d+ ms: http")
        self.assertRegex(self.told("cache", first)[-1], r"answer is kept: http")
        self.assertRegex(self.told("cache", again)[0], r"copy is asked about: http")
        self.assertRegex(self.told("request", again)[1], r"304, 0 B after \d+ ms: http")
        self.assertRegex(self.told("cache", again)[1], r"copy holds and is read: http")
        led = parsed(self.trace(f"csv url={server.url('redirect/1/stations.csv')} | count", parts="request"))
        self.assertIn(f"302 leads to {server.url('stations.csv')}", self.told("request", led))

    def test_retried_requests_are_told_also_by_workers(self):
        server = Server()
        self.addCleanup(server.stop)
        for n, pool in enumerate((INLINE, ("-j", "2"), PROCESSES), 1):
            url = server.url(f"flaky/{n}/stations.csv")
            steps = f"itembuilder attrs.key=u attrs.value={url} | csv url.subkey=u | count"
            lines = parsed(self.trace(steps, *pool, "--allow-net", "127.0.0.1/32", parts="request,retry"))
            self.assertEqual(self.told("retry", lines), [f"in 0.0 s (Service Unavailable): {url}"] * n, pool)
            self.assertEqual({who.split()[0] for who, part, _ in lines if part == "retry"}, {"worker"}, pool)

    def test_what_a_worker_process_was_told_comes_home_though_its_unit_fails(self):
        self.file("bad.csv", "a,b\n1,2\n3,4,5\n")
        for pool in (INLINE, ("-j", "2"), PROCESSES):
            r = self.sluice("pipe", "csv url=bad.csv", *pool, "--trace=unit", "-q", code=1)
            self.assertRegex(r.err.decode(), r"worker \d    unit        stage 1 unit 0 failed after", pool)

    def test_a_lost_worker_is_told(self):
        """A worker that is killed while it sleeps before its job."""
        p = Popen([PROGRAM, "pipe", "csv url=rows.csv", *PROCESSES, "--unit", "1000", "--stall", "300000", "--trace", "-q"],
                  cwd=self.dir, env=self.env, stdout=PIPE, stderr=PIPE)
        self.addCleanup(p.kill)
        while b"unit 1 sent" not in p.stderr.readline():
            pass
        time.sleep(0.1)
        with open(f"/proc/{p.pid}/task/{p.pid}/children") as f:
            children = f.read().split()
        os.kill(int(children[0]), signal.SIGKILL)
        out, err = p.communicate(timeout=120)
        self.assertEqual(p.returncode, 0)
        self.assertEqual(len(out.splitlines()), 3000)
        self.assertRegex(err.decode(), r"coordinator retry       worker \d was killed by signal 9 .*; unit \d+ is sent again")


class Tapped(Case):
    def setUp(self):
        super().setUp()
        self.file("rows.csv", "id\n" + "".join(f"{i}\n" for i in range(1000)))

    def tapped(self, steps, *args, code=0):
        r = self.sluice("pipe", steps, *args, "-q", code=code)
        return r, [json.loads(line) for line in r.err.decode().splitlines() if line.startswith("{")]

    def test_the_first_items_are_shown_in_order_on_every_pool_and_all_go_on(self):
        plain = self.sluice("pipe", "csv url=rows.csv", *INLINE, "-q").out
        for pool in pools():
            for unit in ("20", "300", "1M"):
                r, shown = self.tapped("csv url=rows.csv | tap", *pool, "--unit", unit)
                self.assertEqual(shown, [{"id": str(i)} for i in range(10)], (pool, unit))
                self.assertEqual(r.out, plain)

    def test_all_items_may_be_shown_with_a_label(self):
        for pool in pools((2,)):
            _, shown = self.tapped("csv url=rows.csv | tap limit=0 label=raw | count", *pool, "--unit", "50")
            self.assertEqual(shown, [{"raw": {"id": str(i)}} for i in range(1000)], pool)

    def test_bare_values_stay_bare(self):
        for pool in pools((2,)):
            r, _ = self.tapped("csv url=rows.csv | count | tap", *pool)
            plain = self.sluice("pipe", "csv url=rows.csv | count", *pool, "-q")
            self.assertEqual(r.out, plain.out, pool)

    def test_items_of_a_unit_that_fails_are_shown(self):
        self.file("mixed.csv", "id\n1\n2\n")
        steps = "csv url=mixed.csv | tap | fetchdata url.subkey=id type=json"
        for pool in pools((2,)):
            _, shown = self.tapped(steps, *pool, code=None)
            self.assertEqual(shown, [{"id": "1"}, {"id": "2"}], pool)

    def test_a_tap_behind_a_union_counts_all_branches(self):
        self.file("more.csv", "id\na\nb\n")
        self.file("p.json", json.dumps({"sources": [{"url": "more.csv"}, {"url": "rows.csv"}],
                                        "modules": [{"type": "tap", "conf": {"limit": 3}}]}))
        for pool in pools((2,)):
            r = self.sluice("run", "p.json", *pool, "-q")
            self.assertEqual([json.loads(line)["id"] for line in r.err.splitlines()], ["a", "b", "0"], pool)


    def test_a_subpipe_shows_its_own_for_each_item(self):
        self.file("pipe_inner.json", json.dumps({"modules": [
            {"type": "rename", "conf": {"rule": {"field": "id", "newval": "k"}}}, {"type": "tap", "conf": {"limit": 1}}]}))
        self.file("p.json", json.dumps({"modules": [{"id": "a", "type": "csv", "conf": {"url": "rows.csv"}},
                                                    {"id": "b", "type": "loop", "embed": {"type": "pipe:inner"}}], "wires": [["a", "b"]]}))
        for pool in pools((3,)):
            r = self.sluice("run", "p.json", *pool, "--unit", "50", "-q")
            self.assertEqual([json.loads(line)["k"] for line in r.err.splitlines()], [str(i) for i in range(1000)], pool)


class Defined(Case):
    def setUp(self):
        super().setUp()
        self.file("rows.csv", "id\n3\n1\n2\n")
        self.file("p.json", json.dumps({"modules": [
            {"id": "read", "type": "csv", "conf": {"url": "rows.csv"}}, {"id": "by-number", "type": "sort", "conf": {"rule": {"field": "id"}}},
            {"id": "few", "type": "truncate", "conf": {"count": 1}}],
            "wires": [["read", "by-number"], ["by-number", "few"]], "sinks": ["x.csv"]}))


class Until(Defined):
    def ids(self, *args):
        return [json.loads(line)["id"] for line in self.sluice("run", "p.json", *args, "-q").out.splitlines()]

    def test_a_run_ends_at_a_step_and_touches_no_sink(self):
        for step, ids in (("1", "312"), ("read", "312"), ("2", "123"), ("by-number", "123"), ("sort", "123"), ("few", "1")):
            self.assertEqual(self.ids("--until", step), list(ids), step)
        self.assertEqual(self.names(), ["p.json", "rows.csv"])

    def test_its_items_may_go_elsewhere(self):
        self.sluice("run", "p.json", "--until", "sort", "--to", "y.csv", "-q")
        self.assertEqual((self.dir / "y.csv").read_text(), "id\n1\n2\n3\n")

    def test_an_unknown_step_is_refused(self):
        r = self.sluice("run", "p.json", "--until", "by-numbr", code=2)
        self.assertEqual(r.message, "sluice: no step 'by-numbr' leads to the output, did you mean 'by-number'?")
        self.assertIn("no step '9'", self.sluice("run", "p.json", "--until", "9", code=2).message)


class Planned(Defined):
    def test_the_sizes_that_decide_are_told(self):
        out = self.sluice("plan", "p.json", "--verbose").out.decode()
        self.assertRegex(out, r"units of 1\.0 MB; \d+ MB for each stage that gathers, \d+ MB of it for a worker")
        self.assertIn("about 1 unit\n", out)
        self.assertIn("cut here as it has to see all items; gathers", out)
        self.assertIn("cut here as it sees the items in order\n", out)
        self.assertNotIn("cut here", self.sluice("plan", "p.json").out.decode())


def units_of(lines):
    """Which unit begins at which line."""
    return [re.search(r"unit (\d+),.* from line (\d+)", line).groups() for line in lines]


if __name__ == "__main__":
    main()
