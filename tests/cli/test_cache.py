#!/usr/bin/env python3
"""The HTTP cache as people use it: unchanged answers on every pool, the flags, the report, `sluice cache`."""

import json
import os
import subprocess
import sys

from program import SOURCE, Case, main, pools

DATA = SOURCE / "data"


class Server:
    """The loopback server of tests/http over data/."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, SOURCE / "tests" / "http" / "server.py", "--root", DATA],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"


class Cached(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.url = staticmethod(cls.server.url)

    def setUp(self):
        super().setUp()
        self.cache = self.dir / "cache"
        self.env.update(SLUICE_CACHE_DIR=str(self.cache), no_proxy="127.0.0.1")

    def entries(self):
        return sorted(p.name for p in self.cache.iterdir()) if self.cache.exists() else []

    def load(self, *args, code=0, **more):
        """A load into x.db with its report."""
        self.sluice("load", *args, "--to", "x.db:t", "--report", "run.json", "-q", code=code, **more)
        return json.loads((self.dir / "run.json").read_text())

    def seen(self, path):
        """What came with the last request of PATH."""
        out = self.sluice("pipe", f"fetchdata url={self.url('seen')}?path={path} type=json", "-f", "jsonl", "-q").out
        return json.loads(out)

    # ---- asking ----

    def test_unchanged_on_every_pool(self):
        url = self.url("keep/crime.csv")
        first = self.load(url)
        self.assertEqual(first["http_unchanged"], 0)
        self.assertFalse(first["stages"][0]["branches"][0]["unchanged"])
        self.assertEqual(first["cache"]["stored_bytes"], (DATA / "crime.csv").stat().st_size)
        for pool in pools((2,)):
            again = self.load(url, *pool)
            self.assertEqual(again["http_unchanged"], 1)
            self.assertEqual(again["cache"]["unchanged_bytes"], first["cache"]["stored_bytes"])
            self.assertTrue(again["stages"][0]["branches"][0]["unchanged"])
            self.assertEqual(again["items"], first["items"])
        self.assertEqual(len(self.entries()), 1)

    def test_the_second_request_asks(self):
        path = "keep/stations.csv"
        self.load(self.url(path))
        self.assertIsNone(self.seen("/" + path)["If-None-Match"])
        self.load(self.url(path))
        self.assertRegex(self.seen("/" + path)["If-None-Match"], '^"[0-9a-f]{16}"$')

    def test_a_source_that_an_item_names_is_cached_too(self):
        """Fetched by the workers, each over a cache of its own."""
        self.env["SLUICE_CACHE_DIR"] = str(self.cache)
        self.file("urls.csv", "u\n" + "".join(f"{self.url('keep/stations.csv')}?v={n}\n" for n in range(6)))
        steps = 'csv url=urls.csv | fetchdata url.subkey=u type=csv'
        out = [
            self.sluice("pipe", steps, "-f", "jsonl", "--allow-net", "127.0.0.0/8", "--report", "run.json", "-q", *pool).out
            for pool in pools((3,))
        ]
        self.assertEqual(len(set(out)), 1)
        report = json.loads((self.dir / "run.json").read_text())
        self.assertEqual(report["http_unchanged"], 6)

    def test_packed_answers_are_confirmed_too(self):
        self.load(self.url("keep/crime.csv?gzip=1"))
        report = self.load(self.url("keep/crime.csv?gzip=1"))
        self.assertEqual(report["http_unchanged"], 1)
        self.assertEqual(report["items"]["in"], 2000)

    def test_no_cache_neither_reads_nor_keeps(self):
        self.load(self.url("keep/crime.csv"), "--no-cache")
        self.assertEqual(self.entries(), [])
        self.load(self.url("keep/crime.csv"))
        self.assertEqual(self.load(self.url("keep/crime.csv"), "--no-cache")["http_unchanged"], 0)

    def test_refresh_asks_anew_and_keeps_the_answer(self):
        self.load(self.url("keep/crime.csv"))
        report = self.load(self.url("keep/crime.csv"), "--refresh")
        self.assertEqual((report["http_unchanged"], report["cache"]["stored"]), (0, 1))
        self.assertIsNone(self.seen("/keep/crime.csv")["If-None-Match"])

    def test_answers_to_credentials_are_kept_only_when_asked(self):
        user = ("--user", "me:secret")
        self.load(self.url("keep/crime.csv"), *user)
        self.assertEqual(self.entries(), [])
        self.load(self.url("keep/crime.csv"), *user, "--cache-credentials")
        self.assertEqual(self.load(self.url("keep/crime.csv"), *user, "--cache-credentials")["http_unchanged"], 1)

    def test_a_definition_decides_about_the_cache(self):
        for cache, count in ((True, 1), (False, 1), ("refresh", 1), (True, 1)):
            definition = {"modules": [{"type": "csv", "conf": {"url": self.url("keep/stations.csv")}}], "cache": cache,
                          "cache_dir": str(self.dir / "other"), "sinks": "x.csv"}
            self.file("d.json", json.dumps(definition))
            self.sluice("run", "d.json", "-q")
            self.assertEqual(len(list((self.dir / "other").iterdir())), count)
        self.file("d.json", json.dumps({**definition, "cache": "maybe"}))
        self.assertIn("'cache' must be true, false or refresh, got 'maybe'", self.sluice("run", "d.json", code=2).message)
        self.file("d.json", json.dumps({**definition, "cache_dri": "x"}))
        self.assertIn("did you mean 'cache_dir'?", self.sluice("run", "d.json", code=2).message)

    # ---- trouble ----

    def test_a_cache_that_cannot_be_written(self):
        self.file("file", "")
        report = self.load(self.url("keep/crime.csv"), "--cache-dir", "file/cache")
        self.assertEqual(report["items"]["in"], 2000)
        self.assertIn("cache", report["cache"]["trouble"])
        self.assertEqual(report["status"], "done")

    def test_a_full_disk_costs_the_copy_and_not_the_load(self):
        """A limit on files: the table fits, the copy would not."""
        small, large = self.url("keep/stations.csv"), self.url("keep/crime.csv")
        args = ("pipe", f"csv url={large} | truncate 2000 | count", "-f", "jsonl", "--report", "run.json", "-q")
        self.sluice(*args, rlimits={"RLIMIT_FSIZE": 100_000})
        report = json.loads((self.dir / "run.json").read_text())
        self.assertIn("cannot write to the cache's folder", report["cache"]["trouble"])
        self.assertEqual((report["cache"]["failed"], self.entries()), (1, []))
        self.load(small)
        self.assertEqual(len(self.entries()), 1)

    def test_damage_is_mended(self):
        self.load(self.url("keep/crime.csv"))
        entry = self.cache / self.entries()[0]
        data = bytearray(entry.read_bytes())
        data[-1000] ^= 1
        entry.write_bytes(data)
        report = self.load(self.url("keep/crime.csv"))
        self.assertEqual((report["http_unchanged"], report["cache"]["stored"]), (0, 1))
        self.assertEqual(self.load(self.url("keep/crime.csv"))["http_unchanged"], 1)

    def test_nothing_is_kept_of_an_answer_cut_off(self):
        self.load(self.url("keep/crime.csv?cut=1"), "--retry", "0", code=75)
        self.assertEqual(self.entries(), [])

    def test_the_cache_stays_within_its_size(self):
        for n in range(8):
            self.load(self.url(f"keep/crime.csv?v={n}"), "--cache-size", "1M")
        self.assertLessEqual(sum(p.stat().st_size for p in self.cache.iterdir()), 1 << 20)
        self.assertGreater(len(self.entries()), 1)

    # ---- sluice cache ----

    def test_ls_shows_what_is_kept(self):
        self.assertEqual(self.sluice("cache", "ls").out.decode(), f"0 entries, 0 B, in {self.cache}\n")
        self.load(self.url("keep/crime.csv"))
        text = self.sluice("cache", "ls").out.decode()
        self.assertIn(self.url("keep/crime.csv"), text)
        self.assertIn("1 entry, 276 kB", text)
        listed = json.loads(self.sluice("cache", "ls", "--json").out)
        entry = listed["entries"][0]
        self.assertEqual((listed["folder"], entry["url"]), (str(self.cache), self.url("keep/crime.csv")))
        self.assertEqual(entry["bytes"], listed["bytes"])
        self.assertRegex(entry["used"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")

    def test_prune_and_clear(self):
        for n in range(4):
            self.load(self.url(f"keep/crime.csv?v={n}"))
            path = max(self.cache.iterdir(), key=lambda p: p.stat().st_mtime_ns)
            os.utime(path, (n * 86400, n * 86400))
        self.sluice("cache", "prune", "--dir", "elsewhere", "--max-size", "0")
        self.assertEqual(len(self.entries()), 4)
        told = json.loads(self.sluice("cache", "prune", "--max-size", "600k", "--json").out)
        self.assertEqual((told["removed"], told["left"]), (2, 2))
        self.sluice("cache", "prune", "--older", "30d")
        self.assertEqual(self.entries(), [])
        self.load(self.url("keep/crime.csv"))
        (self.cache / "mine.txt").write_text("x")
        self.assertIn("removed 1 ", self.sluice("cache", "clear").out.decode())
        self.assertEqual(self.entries(), ["mine.txt"])

    def test_mistakes_say_what_was_expected(self):
        for args, text in (
            ((), "sluice cache ls, prune or clear"),
            (("lst",), "did you mean 'ls'?"),
            (("prune", "--older", "x"), "an age is a number"),
            (("prune", "--max-size", "x"), "a size is a number"),
            (("clear", "--older", "1d"), "belong to sluice cache prune"),
        ):
            self.assertIn(text, self.sluice("cache", *args, code=2).message)


if __name__ == "__main__":
    main()
