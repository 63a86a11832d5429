#!/usr/bin/env python3
"""Failing runs: one clear line with the place, the right exit code, the old output untouched, nothing left behind."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

from program import PROGRAM, SOURCE, Case, pools

DATA = SOURCE / "data"
CRIME = DATA / "crime.csv"
OLD = "n\n1\n"


class Server:
    """The loopback server of tests/http over ROOT."""

    def __init__(self, root=DATA):
        self.root = root

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, SOURCE / "tests" / "http" / "server.py", "--root", self.root],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"


class Failure(Case):
    def setUp(self):
        super().setUp()
        self.env["no_proxy"] = "127.0.0.1"
        self.file("old.csv", OLD)
        self.sluice("load", "old.csv", "--to", "x.db:t", "--to", "x.csv", "-q")

    def table(self, query="SELECT * FROM t ORDER BY rowid"):
        with contextlib.closing(sqlite3.connect(self.dir / "x.db")) as db:
            return db.execute(query).fetchall()

    def check_untouched(self, more=()):
        self.assertEqual(self.table(), [(1,)])
        self.assertEqual((self.dir / "x.csv").read_text(), OLD)
        self.assertEqual(self.names(), sorted(["old.csv", "x.csv", "x.db", *more]))

    def fails(self, code, expected, *args, more=(), **options):
        """ARGS, into both old outputs, fail with CODE and one line that holds EXPECTED."""
        r = self.sluice(*args, "--to", "x.db:t", "--to", "x.csv", code=code, **options)
        self.assertEqual(r.out, b"")
        self.assertEqual(r.message.count("\n"), 0, r.message)
        self.assertIn(expected, r.message)
        self.check_untouched(more)


class Input(Failure):
    def test_a_missing_file_is_named(self):
        self.fails(1, "cannot open 'nosuch.csv'", "load", "nosuch.csv")

    def test_a_glob_that_matches_nothing_is_named(self):
        self.fails(1, "nosuch-*.csv", "load", "nosuch-*.csv")

    def test_a_missing_definition_is_a_mistake_of_the_call(self):
        self.fails(2, "cannot open 'nosuch.json'", "run", "nosuch.json")

    def test_truncated_json_has_its_file(self):
        self.file("t.json", '{"value": {"items": [{"n": 1},\n{"n": 2}')
        for pool in pools((2,)):
            self.fails(1, "t.json:", "load", "t.json", "--path", "value.items", *pool, more=["t.json"])

    def test_a_path_that_leads_nowhere_is_named(self):
        self.file("t.json", '{"value": {}}')
        self.fails(1, "value.items", "load", "t.json", "--path", "value.items", more=["t.json"])

    def test_a_bad_row_has_its_line(self):
        self.file("r.csv", "a,b\n" + "1,2\n" * 70000 + "3\n" + "5,6\n" * 1000)
        for pool in pools((2,)):
            self.fails(1, "r.csv:70002", "load", "r.csv", *pool, more=["r.csv"])

    def test_a_quote_that_is_never_closed(self):
        self.file("q.csv", 'a,b\n1,"2\n3,4\n')
        self.fails(1, "q.csv:2", "load", "q.csv", more=["q.csv"])

    def test_text_that_is_not_gzip_after_all(self):
        self.file("g.csv.gz", b"\x1f\x8b\x08\x00not really")
        self.fails(1, "g.csv.gz", "load", "g.csv.gz", more=["g.csv.gz"])


class Network(Failure):
    def test_bad_answers_name_their_url(self):
        with Server() as server:
            for code, expected, path in ((1, "404", "nosuch.csv"), (75, "crime.csv", "truncate/crime.csv"), (1, "badgzip", "badgzip/crime.csv")):
                with self.subTest(path=path):
                    self.fails(code, expected, "load", server.url(path), "--from", "csv")

    def test_a_server_that_stays_busy_is_asked_again(self):
        with Server() as server:
            self.fails(75, "503", "load", server.url("status/503"), "--from", "csv")
            self.sluice("load", server.url("flaky/2/crime.csv"), "--to", "x.db:t")
            self.assertEqual(self.table("SELECT count(*) FROM t"), [(2000,)])

    def test_a_server_that_is_not_there_is_a_temporary_failure(self):
        with Server() as server:
            url = server.url("crime.csv")
        self.fails(75, url, "load", url)

    def test_what_comes_over_the_network_is_what_the_file_holds(self):
        expected = self.sluice("load", CRIME, "--to", "-", "-f", "csv").out
        with Server() as server:
            for path in ("crime.csv", "gzip/crime.csv", "chunked/crime.csv", "redirect/3/crime.csv", "slow/crime.csv"):
                self.assertEqual(self.sluice("load", server.url(path), "--from", "csv", "--to", "-", "-f", "csv").out, expected, path)


class Output(Failure):
    def test_a_full_standard_output_is_an_error(self):
        for args in (("load", CRIME, "--to", "-"), ("pipe", f"csv url={CRIME} | sort id"), ("--help",), ("pipes", "--json")):
            with open("/dev/full", "wb") as full:
                r = self.sluice(*args, code=1, stdout=full)
            self.assertIn("standard output", r.message)

    def test_a_full_disk_is_named_and_leaves_nothing(self):
        """No file may grow beyond 64 KiB: as close to a full disk as a test gets without one."""
        for to in ("big.csv", "big.db:t", "x.csv"):
            r = self.sluice("load", CRIME, "--to", to, code=1, rlimits={"RLIMIT_FSIZE": 65536})
            self.assertEqual(r.message.count("\n"), 0, r.message)
            self.check_untouched()

    def test_a_folder_that_is_not_there(self):
        r = self.sluice("load", CRIME, "--to", "nowhere/x.csv", code=1)
        self.assertIn("nowhere/x.csv", r.message)
        self.check_untouched()

    def test_what_is_no_database_is_left_as_it_is(self):
        self.file("not.db", "this is text and no database at all " * 100)
        before = (self.dir / "not.db").read_bytes()
        r = self.sluice("load", CRIME, "--to", "not.db:t", code=1)
        self.assertIn("not.db", r.message)
        self.assertEqual((self.dir / "not.db").read_bytes(), before)

    def test_a_locked_database_is_a_temporary_failure(self):
        self.file("p.json", '{"sources": [{"url": "old.csv"}], "sinks": [{"to": "x.db:t", "busy_timeout": "200ms"}]}')
        with contextlib.closing(sqlite3.connect(self.dir / "x.db", isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")
            r = self.sluice("run", "p.json", code=75)
            db.execute("ROLLBACK")
        self.assertIn("x.db", r.message)
        self.assertIn("locked", r.message)
        self.check_untouched(["p.json"])

    def test_one_sink_that_fails_stops_all(self):
        self.sluice("load", CRIME, "--to", "x.db:t", "--to", "x.csv", "--to", "nowhere/y.csv", code=1)
        self.check_untouched()


class Interruption(Failure):
    def start(self, *args):
        """A run into both old outputs that has read much and does not end by itself."""
        p = subprocess.Popen([PROGRAM, *args, "--to", "x.db:t", "--to", "x.csv"], stdin=subprocess.PIPE,
                             stderr=subprocess.PIPE, cwd=self.dir, env=self.env)
        with contextlib.suppress(BrokenPipeError):
            p.stdin.write(b"n,m\n" + b"2,some text that takes room\n" * 300000)
            p.stdin.flush()
        return p

    def end(self, p, number):
        time.sleep(0.3)
        p.send_signal(number)
        code = p.wait(60)
        with contextlib.suppress(BrokenPipeError):
            p.stdin.close()
        message = p.stderr.read().decode()
        p.stderr.close()
        return code, message

    def test_an_interrupted_run_leaves_the_old_output(self):
        for pool in (("-j", "2"), ("--threads=false", "-j", "2"), ("--parallel=false",)):
            for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
                with self.subTest(pool=pool, signal=number.name):
                    p = self.start("load", "-", *pool)
                    self.assertEqual(self.end(p, number)[0], code)
                    self.check_untouched()

    def test_a_killed_run_leaves_the_old_output(self):
        for pool in (("-j", "2"), ("--threads=false", "-j", "2")):
            p = self.start("load", "-", *pool)
            self.assertEqual(self.end(p, signal.SIGKILL)[0], -signal.SIGKILL)
            self.assertEqual(self.table(), [(1,)])
            self.assertEqual((self.dir / "x.csv").read_text(), OLD)

    def test_killed_at_any_moment_the_table_is_old_or_new(self):
        """The whole run takes some 100 ms; it is killed ever later until it gets through."""
        self.file("big.csv", "n\n" + "2\n" * 400000)
        delay, seen = 0.005, set()
        while "new" not in seen and delay < 60:
            p = subprocess.Popen([PROGRAM, "load", "big.csv", "--to", "x.db:t", "-q"], cwd=self.dir, env=self.env)
            time.sleep(delay)
            p.kill()
            p.wait(60)
            state = self.table("SELECT count(*), sum(n) FROM t")[0]
            self.assertIn(state, ((1, 1), (400000, 800000)), f"killed after {delay} s")
            self.assertEqual(self.table("PRAGMA integrity_check"), [("ok",)])
            seen.add("old" if state == (1, 1) else "new")
            delay *= 1.3
        self.assertEqual(seen, {"old", "new"})

    def test_what_a_killed_run_leaves_is_swept_by_the_next(self):
        p = self.start("load", "-")
        self.end(p, signal.SIGKILL)
        self.sluice("load", "old.csv", "--to", "x.db:t", "--to", "x.csv")
        self.check_untouched()

    def test_a_killed_worker_costs_nothing_but_time(self):
        self.file("big.csv", "n\n" + "2\n" * 200000)
        p = subprocess.Popen([PROGRAM, "load", "big.csv", "--to", "x.db:t", "-q", "--threads=false", "-j", "2", "--unit", "20000",
                              "--stall", "20000"], cwd=self.dir, env=self.env, stderr=subprocess.PIPE)
        self.assertTrue(self.kill_a_child(p.pid))
        message = p.stderr.read()
        p.stderr.close()
        self.assertEqual((p.wait(120), message), (0, b""))
        self.assertEqual(self.table("SELECT count(*), sum(n) FROM t"), [(200000, 400000)])

    @staticmethod
    def kill_a_child(pid):
        for _ in range(400):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/task/{pid}/children") as f:
                    children = f.read().split()
                if len(children) == 2:
                    os.kill(int(children[0]), signal.SIGKILL)
                    return True
            time.sleep(0.005)
        return False


if __name__ == "__main__":
    unittest.main()
