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


def units_of(lines):
    """Which unit begins at which line."""
    return [re.search(r"unit (\d+),.* from line (\d+)", line).groups() for line in lines]


if __name__ == "__main__":
    main()
