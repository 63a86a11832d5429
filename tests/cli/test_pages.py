#!/usr/bin/env python3
"""Sources that come in pages: every way to the next one, on every pool; circles, limits, ends, and whom a page may lead to."""

import json
import subprocess
import sys
import urllib.request

from program import SOURCE, Case, main, pools

EACH = 5


class Paged(Case):
    @classmethod
    def setUpClass(cls):
        cls.servers = [cls.start(), cls.start()]
        cls.process, cls.port = cls.servers[0]
        cls.elsewhere = cls.servers[1][1]

    @classmethod
    def start(cls):
        p = subprocess.Popen(
            [sys.executable, SOURCE / "tests" / "http" / "server.py", "--root", SOURCE / "data"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return p, int(p.stdout.readline())

    @classmethod
    def tearDownClass(cls):
        for process, _ in cls.servers:
            process.stdin.close()
            process.stdout.close()
            process.wait(30)

    def setUp(self):
        super().setUp()
        self.env.update(no_proxy="127.0.0.1", SLUICE_CACHE_DIR=str(self.dir / "cache"))

    def url(self, path, port=None):
        return f"http://127.0.0.1:{port or self.port}/pages/{path}"

    def get(self, path, port=None):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(f"http://127.0.0.1:{port or self.port}/{path}", timeout=30).read()

    def hits(self, kind, port=None):
        return int(self.get(f"count?path=/pages/{kind}", port))

    def pages(self, url, conf, *args, pipe="fetchdata", code=0, then="", **more):
        """The items behind URL, or the message of the failure."""
        self.file("d.json", json.dumps([{"type": pipe, "conf": {"url": url, **conf}}, *([then] if then else [])]))
        r = self.sluice("run", "d.json", "-f", "jsonl", "-q", *args, code=code, **more)
        return r.message if code else [json.loads(line) for line in r.out.splitlines()]

    def all_there(self, url, conf, last, *args):
        self.assertEqual(self.pages(url, conf, *args), [{"n": n + 1} for n in range(last * EACH)])

    # ---- six ways ----

    def test_every_way_gives_all_pages_on_every_pool(self):
        items = {"path": "items"}
        ways = {
            "next?last=4": {**items, "paginate": {"by": "next_url", "path": "links.next"}},
            "next?last=4&after=1": {**items, "paginate": "next_url=links.next"},
            "link?last=4": {"paginate": {"by": "link_header"}},
            "number?last=4": {**items, "paginate": {"by": "page", "param": "page", "start": 1}},
            "number?last=4&beyond=404": {**items, "paginate": {"by": "page=page", "end_status": 404}},
            "offset?last=4": {**items, "paginate": {"by": "offset", "param": "offset", "size": EACH}},
            "cursor?last=4": {**items, "paginate": {"by": "cursor", "path": "meta.cursor", "param": "cursor"}},
            "header?last=4": {"paginate": {"by": "header_cursor", "header": "X-Next", "param": "cursor"}},
        }
        for path, conf in ways.items():
            for pool in pools((3,)):
                with self.subTest(path=path, pool=pool):
                    self.all_there(self.url(path), {"type": "json", **conf}, 4, *pool)

    def test_fifty_pages_are_asked_for_once_each(self):
        before = self.hits("next")
        self.all_there(self.url("next?last=50"), {"path": "items", "paginate": "next_url=links.next"}, 50)
        self.assertEqual(self.hits("next") - before, 50)

    def test_pages_may_be_cut_into_small_units(self):
        conf = {"path": "items", "paginate": "next_url=links.next"}
        for unit in ("16", "40", "1000"):
            self.all_there(self.url("next?last=6&after=1"), conf, 6, "--unit", unit)

    def test_each_page_of_delimited_text_has_its_header(self):
        """Each page has its header; a page with nothing else is the end."""
        got = self.pages(self.url("csv?last=4"), {"paginate": "page=page"}, pipe="csv")
        self.assertEqual(got, [{"n": str(n + 1), "x": "x"} for n in range(4 * EACH)])

    def test_tables_may_come_in_pages(self):
        """fetchtable: JSON, GeoJSON, delimited text and HTML."""
        table = {"type": "json", "path": "items"}
        for kind, conf in (
            ("next?last=4", {**table, "paginate": "next_url=links.next"}),
            ("link?last=4", {"type": "json", "paginate": "link_header"}),
            ("number?last=4", {**table, "paginate": "page=page"}),
            ("offset?last=4", {**table, "paginate": f"offset=offset:{EACH}"}),
            ("cursor?last=4", {**table, "paginate": "cursor=cursor:meta.cursor"}),
            ("features?last=4", {"type": "geojson", "paginate": "next_url=links.next"}),
        ):
            for pool in pools((2,)):
                got = self.pages(self.url(kind), conf, *pool, pipe="fetchtable")
                self.assertEqual([item["n"] for item in got], list(range(1, 4 * EACH + 1)), kind)
        got = self.pages(self.url("csv?last=4"), {"type": "csv", "paginate": "page=page"}, pipe="fetchtable")
        self.assertEqual(got, [{"n": str(n + 1), "x": "x"} for n in range(4 * EACH)])
        conf = {"type": "html", "paginate": {"by": "page=page", "end_status": 404}}
        got = self.pages(self.url("table?last=4&beyond=404"), conf, pipe="fetchtable")
        self.assertEqual(got, [{"n": str(n + 1)} for n in range(4 * EACH)])

    def test_a_database_has_no_pages(self):
        for url, conf, text in (
            ("x.db", {"paginate": "page=page"}, "a database is a file"),
            (self.url("csv"), {"type": "csv", "paginate": "next_url=a"}, "a path leads through JSON, and the pages are csv"),
            (self.url("table"), {"type": "html", "paginate": "cursor=c:a"}, "a path leads through JSON, and the pages are html"),
        ):
            self.assertIn(text, self.pages(url, conf, pipe="fetchtable", code=2))
        self.assertIn("unknown key 'paginate'", self.pages(self.url("next"), {"paginate": "page=page"}, pipe="fetchsitefeed", code=2))

    def test_the_command_line_may_ask_for_pages(self):
        self.sluice("load", self.url("next?last=4"), "--from", "json", "--path", "items", "--paginate",
                    "next_url=links.next", "--to", "x.csv", "-q")
        self.assertEqual((self.dir / "x.csv").read_text().count("\n"), 4 * EACH + 1)
        text = f"fetchdata url={self.url('offset?last=3')} path=items paginate=offset=offset:{EACH} | count"
        self.assertEqual(self.sluice("pipe", text, "-f", "jsonl", "-q").out, b'{"count":15}\n')
        text = f"fetchdata url={self.url('offset?last=3')} path=items paginate.by=offset paginate.param=offset " \
               f"paginate.size={EACH} | count"
        self.assertEqual(self.sluice("pipe", text, "-f", "jsonl", "-q").out, b'{"count":15}\n')

    def test_pages_of_a_source_that_an_item_names_are_read(self):
        self.file("urls.csv", f"u\n{self.url('next?last=2')}\n{self.url('next?last=3')}\n")
        steps = "csv url=urls.csv | fetchdata url.subkey=u path=items paginate=next_url=links.next | count"
        for pool in pools((2,)):
            out = self.sluice("pipe", steps, "-f", "jsonl", "-q", "--allow-net", "127.0.0.0/8", *pool).out
            self.assertEqual(out, b'{"count":25}\n')

    def test_enough_is_enough(self):
        before = self.hits("next")
        got = self.pages(self.url("next?last=50"), {"path": "items", "paginate": "next_url=links.next"},
                         "--parallel=false", then={"type": "truncate", "conf": {"count": 7}})
        self.assertEqual(len(got), 7)
        self.assertLess(self.hits("next") - before, 10)

    # ---- ends that are none ----

    def test_a_page_that_comes_again_is_an_error(self):
        before = self.hits("circle")
        message = self.pages(self.url("circle"), {"path": "items", "paginate": "next_url=links.next"}, code=1)
        self.assertIn("page 4 is 'http://127.0.0.1", message)
        self.assertIn("pages/circle?at=2', which was fetched before: the pages lead in a circle", message)
        self.assertEqual(self.hits("circle") - before, 3)

    def test_more_pages_than_allowed_are_an_error(self):
        conf = {"path": "items", "paginate": {"by": "next_url=links.next", "max_pages": 5}}
        self.assertIn("more than 5 pages", self.pages(self.url("next?last=100000"), conf, code=1))
        conf["paginate"]["at_limit"] = "stop"
        self.all_there(self.url("next?last=100000"), conf, 5)
        self.all_there(self.url("next?last=5"), conf, 5)

    def test_a_page_that_fails_fails_the_source(self):
        conf = {"path": "items", "paginate": "page=page"}
        self.assertIn("404", self.pages(self.url("number?last=2&beyond=404"), conf, code=1))
        conf = {"path": "items", "paginate": {"by": "page=page", "end_status": 400}}
        self.assertIn("404", self.pages(self.url("number?last=2&beyond=404"), conf, code=1))
        self.assertIn("404", self.pages(self.url("nosuch"), {"paginate": "page=page"}, code=1))

    def test_a_source_is_left_out_as_a_whole_or_not_at_all(self):
        conf = {"path": "items", "paginate": "page=page"}
        for pool in pools((2,)):
            self.pages(self.url("number?last=2&beyond=404"), conf, "--keep-going", *pool, code=1)
            good = {"url": self.url("number?last=2"), **conf}
            self.file("d.json", json.dumps({"sources": [{"url": self.url("nosuch"), **conf}, good]}))
            r = self.sluice("run", "d.json", "-f", "jsonl", "-q", "--keep-going", *pool, code=3)
            self.assertEqual(r.out.count(b"\n"), 2 * EACH)

    def test_ways_that_cannot_be_are_refused(self):
        for conf, text in (
            ({"paginate": {"by": "nextt_url"}}, "did you mean 'next_url'?"),
            ({"paginate": "next_url"}, "pages by next_url need 'path'"),
            ({"paginate": {"by": "page=page", "maxpages": 3}}, "max_pages"),
            ({"type": "csv", "paginate": "next_url=a"}, "a path leads through JSON"),
            ({"paginate": ["link_header", "link_header"]}, "not a list"),
        ):
            self.assertIn(text, self.pages(self.url("next"), conf, code=2))
        self.file("x.json", "[]")
        self.assertIn("only http and https URLs do", self.pages("x.json", {"paginate": "link_header"}, code=1))

    # ---- whom a page may lead to ----

    def test_a_private_host_is_refused(self):
        """The host of the url is trusted, another one of the same network is not."""
        to = f"http://127.0.0.2:{self.elsewhere}/pages/next?last=1"
        conf = {"path": "items", "paginate": "next_url=links.next"}
        before = self.hits("next", self.elsewhere)
        message = self.pages(self.url(f"away?to={to}"), conf, code=1)
        self.assertIn("127.0.0.2", message)
        self.assertEqual(self.hits("next", self.elsewhere), before)
        for scheme in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
            self.assertIn("is not http or https", self.pages(self.url(f"away?to={scheme}"), conf, code=1))

    def test_credentials_stay_with_their_host(self):
        to = f"http://127.0.0.1:{self.elsewhere}/pages/next?last=1"
        conf = {"path": "items", "paginate": "next_url=links.next"}
        args = ("--user", "me:secret", "-H", "X-Key: secret", "--allow-net", "127.0.0.0/8")
        self.assertEqual(len(self.pages(self.url(f"away?to={to}"), conf, *args)), 10)
        self.assertIsNotNone(json.loads(self.get("seen?path=/pages/away"))["Authorization"])
        self.assertIsNone(json.loads(self.get("seen?path=/pages/next", self.elsewhere))["Authorization"])
        self.assertEqual(len(self.pages(self.url("next?last=2"), conf, *args)), 10)
        self.assertIsNotNone(json.loads(self.get("seen?path=/pages/next"))["Authorization"])

    # ---- pages and the cache ----

    def test_unchanged_pages_are_not_sent_again(self):
        for path, conf in (("next?last=3&etag=1", {"path": "items", "paginate": "next_url=links.next"}),):
            for unchanged in (0, 3):
                self.all_there(self.url(path), conf, 3, "--report", "run.json")
                report = json.loads((self.dir / "run.json").read_text())
                self.assertEqual(report["http_unchanged"], unchanged)
        self.assertEqual(len(list((self.dir / "cache").iterdir())), 3)


if __name__ == "__main__":
    main()
