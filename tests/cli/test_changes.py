#!/usr/bin/env python3
"""--if-changed: a run that would write what is there already does nothing, and every change is noticed. The program is $SLUICE."""

import json
import os
import sqlite3
import sys
import tempfile
import unittest
from pathlib import Path

import program
from program import pools

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))
from test_fetching import FetchCase  # noqa: E402

SAID = "nothing has changed since"


class Changes(FetchCase):
    def setUp(self):
        super().setUp()
        self.source = f"{self.base}/keep/x.csv"
        (self.root / "x.csv").write_text("a,b\n1,2\n3,4\n")

    def job(self, *sources, name="job.json", **more):
        sources = [{"type": "csv", **s} if isinstance(s, dict) else {"url": str(s), "type": "csv"} for s in sources]
        self.file(name, json.dumps({"sources": sources, "modules": [], **more}))
        return name

    def go(self, job, *args, code=0, to="out.csv"):
        """Runs JOB with --if-changed; whether it did anything."""
        r = self.sluice("run", job, "--if-changed", "--to", to, "--report", "r.json", *args, code=code)
        report = json.loads((self.dir / "r.json").read_text())
        skipped = SAID in r.message
        self.assertEqual(report["unchanged"], skipped, r.message)
        self.assertEqual(report["unchanged_since"] is not None, skipped)
        self.assertEqual([s["committed"] for s in report["sinks"]], [not skipped and code in (0, 3)])
        self.report = report
        return not skipped

    def out(self, name="out.csv"):
        return (self.dir / name).read_text()

    # ---- servers ----

    def test_an_unchanged_run_does_nothing_on_any_pool(self):
        for pool in pools((1, 3)):
            path = self.dir / "out.csv"
            path.unlink(missing_ok=True)
            job = self.job(self.source)
            self.assertTrue(self.go(job, *pool))
            before, text = path.stat(), self.out()
            self.assertFalse(self.go(job, *pool))
            self.assertEqual(self.report["http_unchanged"], 1)
            self.assertEqual(self.report["items"]["in"], 0)
            after = path.stat()
            self.assertEqual((before.st_mtime_ns, before.st_ino, text), (after.st_mtime_ns, after.st_ino, self.out()))

    def test_the_pool_does_not_matter(self):
        job = self.job(self.source)
        self.assertTrue(self.go(job, "-j", "3"))
        self.assertFalse(self.go(job, "--threads=false", "-j", "2"))
        self.assertFalse(self.go(job, "--parallel=false"))

    def test_another_body_is_a_change(self):
        job = self.job(self.source)
        self.assertTrue(self.go(job))
        (self.root / "x.csv").write_text("a,b\n5,6\n")
        self.assertTrue(self.go(job))
        self.assertEqual(self.out(), "a,b\n5,6\n")
        self.assertFalse(self.go(job))

    def test_a_body_is_fetched_once(self):
        """Each change is asked about twice, but the second time for the copy that the first has brought."""
        job = self.job(self.source)
        for n in range(3):
            (self.root / "x.csv").write_text(f"a,b\n{n},6\n")
            self.assertTrue(self.go(job))
            self.assertEqual(self.out(), f"a,b\n{n},6\n")
        tags = [e["headers"].get("If-None-Match") for e in self.log()]
        self.assertEqual(len(tags), 5)
        self.assertEqual(len(set(tags)), 4, tags)

    def test_one_changed_source_of_several_is_enough(self):
        (self.root / "y.csv").write_text("a,b\n7,8\n")
        job = self.job(self.source, f"{self.base}/keep/y.csv")
        self.assertTrue(self.go(job))
        self.assertFalse(self.go(job))
        self.assertEqual(self.report["http_unchanged"], 2)
        (self.root / "y.csv").write_text("a,b\n9,9\n")
        self.assertTrue(self.go(job))
        self.assertEqual(self.out(), "a,b\n1,2\n3,4\n9,9\n")

    def test_what_a_failed_run_has_fetched_counts_as_changed(self):
        job = self.job(self.source, "local.csv")
        self.file("local.csv", "a,b\n0,0\n")
        self.assertTrue(self.go(job))
        (self.root / "x.csv").write_text("a,b\n5,6\n")
        self.file("local.csv", 'a,b\n"0,0\n')
        self.assertTrue(self.go(job, code=1))
        self.assertEqual(self.out(), "a,b\n1,2\n3,4\n0,0\n")
        local = self.file("local.csv", "a,b\n0,0\n")
        self.assertTrue(self.go(job))  # the server says 304 to the copy of the run that failed
        self.assertEqual(self.report["http_unchanged"], 1)
        self.assertEqual(self.out(), "a,b\n5,6\n0,0\n")
        self.assertFalse(self.go(job))
        os.utime(local, (0, 0))
        self.assertTrue(self.go(job))

    def test_a_failure_leaves_what_is_known(self):
        job = self.job(self.source)
        self.assertTrue(self.go(job))
        self.file("bad.json", (self.dir / job).read_text())
        (self.root / "x.csv").write_text('a,b\n"5,6\n')
        self.assertTrue(self.go(job, code=1))
        (self.root / "x.csv").write_text("a,b\n1,2\n3,4\n")
        self.assertTrue(self.go(job))  # its copy is the bad one: the server sends the good one anew
        self.assertFalse(self.go(job))

    def test_a_server_without_validators_is_never_unchanged(self):
        job = self.job(f"{self.base}/keep/x.csv?with=none")
        self.assertTrue(self.go(job))
        self.assertTrue(self.go(job))

    def test_a_server_that_is_down_fails_the_run(self):
        job = self.job(f"{self.base}/keep/x.csv")
        self.assertTrue(self.go(job, "--retry", "0"))
        (self.dir / job).write_text((self.dir / job).read_text().replace(self.base, "http://127.0.0.1:1"))
        self.assertTrue(self.go(job, "--retry", "0", code=75))

    def test_answers_to_credentials_are_compared_only_when_kept(self):
        job = self.job({"url": self.source, "http": {"bearer": "x"}})
        self.assertTrue(self.go(job))
        self.assertTrue(self.go(job))
        self.assertTrue(self.go(job, "--cache-credentials"))
        self.assertFalse(self.go(job, "--cache-credentials"))

    def test_refresh_does_the_work_and_no_cache_is_refused(self):
        job = self.job(self.source)
        self.assertTrue(self.go(job))
        self.assertTrue(self.go(job, "--refresh"))
        self.assertFalse(self.go(job))
        r = self.sluice("run", job, "--if-changed", "--no-cache", "--to", "out.csv", code=2)
        self.assertIn("if_changed", r.message)
        self.sluice("cache", "clear")
        self.assertTrue(self.go(job))

    def test_all_pages_are_asked_about(self):
        job = self.job({"url": f"{self.base}/pages/next?etag=1", "type": "fetchdata", "path": "items", "paginate": "next_url=links.next"})
        self.assertTrue(self.go(job))
        self.assertFalse(self.go(job))
        self.assertEqual(self.report["http_unchanged"], 3)
        job = self.job({"url": f"{self.base}/pages/next", "type": "fetchdata", "path": "items", "paginate": "next_url=links.next"})
        self.assertTrue(self.go(job))
        self.assertTrue(self.go(job))

    def test_a_page_and_its_feed_are_both_asked_about(self):
        feed = '<rss version="2.0"><channel><item><title>%s</title></item></channel></rss>'
        link = '<link rel="alternate" type="application/rss+xml" href="feed.xml">'
        (self.root / "site.html").write_text(f"<html><head>{link}</head><body>{'x' * 100000}</body></html>")
        (self.root / "feed.xml").write_text(feed % "one")
        job = self.job({"url": f"{self.base}/keep/site.html", "type": "fetchsitefeed"})
        self.assertTrue(self.go(job))
        self.assertFalse(self.go(job))
        self.assertEqual(self.report["http_unchanged"], 2)
        (self.root / "feed.xml").write_text(feed % "two")
        self.assertTrue(self.go(job))
        self.assertIn("two", self.out())
        self.assertFalse(self.go(job))
        (self.dir / "out.csv").unlink()
        self.assertTrue(self.go(job))
        self.assertTrue(self.report["stages"][0]["branches"][0]["unchanged"])

    def test_what_items_fetch_is_never_unchanged(self):
        self.file("urls.csv", f"url\n{self.source}\n")
        pipe = ("pipe", "csv url=urls.csv | csv url.subkey=url", "--if-changed", "--to", "o.csv", "--allow-net", "127.0.0.1")
        self.assertNotIn("warning", self.sluice(*pipe).message)
        for _ in range(2):
            r = self.sluice(*pipe)
            self.assertNotIn(SAID, r.message)
            self.assertIn("if_changed: what is fetched for items cannot be asked about", r.message)

    def test_a_run_that_left_sources_out_leaves_no_note(self):
        job = self.job(self.source, f"{self.base}/keep/gone.csv")
        self.assertTrue(self.go(job, "--keep-going", code=3))
        self.assertTrue(self.go(job, "--keep-going", code=3))

    # ---- files ----

    def test_a_changed_file_is_noticed(self):
        path = self.file("in.csv", "a\n1\n")
        job = self.job("in.csv")
        self.assertTrue(self.go(job))
        self.assertFalse(self.go(job))
        path.write_text("a\n2\n")
        self.assertTrue(self.go(job))
        self.assertFalse(self.go(job))
        os.utime(path)
        self.assertTrue(self.go(job))
        kept = path.stat()
        self.file("other.csv", "a\n3\n")
        os.utime(self.dir / "other.csv", ns=(kept.st_mtime_ns, kept.st_mtime_ns))
        (self.dir / "other.csv").rename(path)  # of the same size and age
        self.assertTrue(self.go(job))
        self.assertEqual(self.out(), "a\n3\n")

    def test_files_are_noticed_on_every_pool(self):
        """Short files are opened by workers, long ones by the coordinator, and read in pieces."""
        self.file("long.csv", "a\n" + "1\n" * 50000)
        path = self.file("short.csv", "a\n1\n")
        job = self.job("long.csv", "short.csv")
        for pool in pools((1, 3)):
            os.utime(path)
            self.assertTrue(self.go(job, "--unit", "20000", *pool))
            self.assertFalse(self.go(job, "--unit", "20000", *pool))

    def test_another_file_of_a_pattern_is_a_change(self):
        for name in ("1.csv", "2.csv"):
            self.file(name, "a\n1\n")
        job = self.job("[0-9].csv")
        self.assertTrue(self.go(job))
        self.assertFalse(self.go(job))
        self.file("3.csv", "a\n3\n")
        self.assertTrue(self.go(job))
        self.assertFalse(self.go(job))
        (self.dir / "1.csv").unlink()
        self.assertTrue(self.go(job))

    def test_files_that_items_name_are_noticed(self):
        self.file("names.csv", "url\nin.csv\n")
        path = self.file("in.csv", "a\n1\n")
        words = ("pipe", "csv url=names.csv | csv url.subkey=url", "--if-changed", "--to", "out.csv")
        for pool in pools((2,)):
            os.utime(path)
            self.assertNotIn(SAID, self.sluice(*words, *pool).message)
            self.assertIn(SAID, self.sluice(*words, *pool).message)

    def test_a_changed_database_is_noticed(self):
        with sqlite3.connect(self.dir / "in.db") as db:
            db.executescript("create table t(a); insert into t values (1)")
        words = ("pipe", "fetchtable url=in.db", "--if-changed", "--to", "out.csv")
        self.assertNotIn(SAID, self.sluice(*words).message)
        self.assertIn(SAID, self.sluice(*words).message)
        db = sqlite3.connect(self.dir / "in.db")
        db.execute("pragma journal_mode=wal")
        db.execute("insert into t values (2)")
        db.commit()
        self.assertNotIn(SAID, self.sluice(*words).message)
        self.assertNotIn(SAID, self.sluice(*words).message)  # somebody has it open
        db.close()

    def test_standard_input_is_never_unchanged(self):
        words = ("load", "-", "--if-changed", "--to", "out.csv", "-q")
        for n in (1, 2):
            self.sluice(*words, stdin=b"a\n%d\n" % n)
            self.assertEqual(self.out(), f"a\n{n}\n")

    def test_a_changed_file_of_functions_is_noticed(self):
        self.file("in.csv", "a\n1\n")
        lua = self.file("f.lua", "return function(item) return 5 end")
        words = ("pipe", "csv url=in.csv | udf file=f.lua", "--if-changed", "--to", "out.csv")
        self.assertNotIn(SAID, self.sluice(*words).message)
        self.assertIn(SAID, self.sluice(*words).message)
        lua.write_text("return function(item) return 7 end")
        self.assertNotIn(SAID, self.sluice(*words).message)
        self.assertIn("7", self.out())

    # ---- the pipeline and its sinks ----

    def test_another_pipeline_is_a_change(self):
        self.file("in.csv", "a\n1\n2\n")
        job = self.job("in.csv")
        self.assertTrue(self.go(job))
        self.assertFalse(self.go(job))
        self.assertTrue(self.go(job, "--limit", "1"))
        self.assertTrue(self.go(job))
        self.assertTrue(self.go(job, to="other.csv"))
        self.assertFalse(self.go(job))
        job = self.job("in.csv", modules=[{"type": "truncate", "conf": {"count": 1}}])
        self.assertTrue(self.go(job))
        self.assertEqual(self.out(), "a\n1\n")

    def test_a_sink_that_is_gone_or_changed_is_written_again(self):
        self.file("in.csv", "a\n1\n")
        job = self.job("in.csv")
        self.assertTrue(self.go(job))
        (self.dir / "out.csv").unlink()
        self.assertTrue(self.go(job))
        self.file("out.csv", "edited\n")
        self.assertTrue(self.go(job))
        self.assertEqual(self.out(), "a\n1\n")
        self.assertFalse(self.go(job))

    def test_a_table_that_is_there_is_left_alone(self):
        self.file("in.csv", "a\n1\n")
        job = self.job("in.csv")
        self.assertTrue(self.go(job, to="x.db:t"))
        before = (self.dir / "x.db").read_bytes()
        self.assertFalse(self.go(job, to="x.db:t"))
        self.assertEqual((self.dir / "x.db").read_bytes(), before)
        self.sluice("run", job, "--to", "x.db:u", "-q")  # another table is nobody's business
        self.assertFalse(self.go(job, to="x.db:t"))
        (self.dir / "x.db").unlink()
        self.assertTrue(self.go(job, to="x.db:t"))

    def test_a_run_that_was_not_asked_to_look_forgets(self):
        path = self.file("in.csv", "a\n1\n")
        job = self.job("in.csv")
        self.assertTrue(self.go(job, to="x.db:t"))
        then = path.stat()
        path.write_text("a\n2\n")
        self.sluice("run", job, "--to", "x.db:t", "-q")
        path.write_text("a\n1\n")
        os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))
        self.assertTrue(self.go(job, to="x.db:t"))

    def test_standard_output_stays_empty_when_nothing_changed(self):
        self.file("in.csv", "a\n1\n")
        job = self.job("in.csv", if_changed=True)
        self.assertEqual(self.sluice("run", job, "-q").out, b'{"a":"1"}\n')
        r = self.sluice("run", job, "-q")
        self.assertEqual((r.out, r.err), (b"", b""))

    def test_a_damaged_note_is_ignored(self):
        self.file("in.csv", "a\n1\n")
        job = self.job("in.csv")
        self.assertTrue(self.go(job))
        (note,) = Path(self.env["SLUICE_CACHE_DIR"]).glob(".sluice-note-*")
        for damage in (b"", b"\0\n\n", note.read_bytes()[:-1], note.read_bytes().replace(b"file", b"fire"), b"x" * 100000):
            note.write_bytes(damage)
            self.assertTrue(self.go(job), damage[:40])
            self.assertFalse(self.go(job))
        self.assertEqual(note.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.sluice("cache", "ls", "--json").out.count(b"note"), 0)

    def test_without_a_folder_for_notes_the_run_does_its_work(self):
        self.file("in.csv", "a\n1\n")
        job = self.job("in.csv")
        blocked = self.file("blocked", "")
        for _ in range(2):
            self.assertTrue(self.go(job, "--cache-dir", f"{blocked}/x"))
        self.assertEqual(self.out(), "a\n1\n")


if __name__ == "__main__":
    program.main()
