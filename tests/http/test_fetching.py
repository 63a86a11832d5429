"""What fetching promises, from the command line against a server that does everything wrong. The program is $SLUICE."""

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
import program  # noqa: E402
from program import INLINE, pools  # noqa: E402

SERVER = Path(__file__).with_name("server.py")
ROWS = 5000
FEW = (INLINE, ("-j", "3"), ("--threads=false", "-j", "3"))
FAST = ("--retry", "1")


class FetchCase(program.Case):
    def setUp(self):
        super().setUp()
        self.root = self.dir / "root"
        self.root.mkdir()
        self.text = "a,b\n" + "".join(f"{n},{n * 7919 % 10007:05d}\n" for n in range(ROWS))
        (self.root / "x.csv").write_text(self.text)
        (self.root / "small.csv").write_text("a,b\n1,2\n")
        self.base = self.serve()
        self.env["no_proxy"] = "127.0.0.1"
        cache = tempfile.TemporaryDirectory()
        self.addCleanup(cache.cleanup)
        self.env["SLUICE_CACHE_DIR"] = cache.name

    def serve(self, *args):
        server = subprocess.Popen(
            [sys.executable, SERVER, "--root", self.root, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        base = f"http{'s' if '--tls' in args else ''}://127.0.0.1:{int(server.stdout.readline())}"
        self.addCleanup(server.wait, 10)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.stdin.close)
        return base

    def ask(self, path, base=None):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open((base or self.base) + path, timeout=10).read()

    def log(self, base=None):
        return json.loads(self.ask("/log", base))

    def hits(self, path):
        return sum(entry["path"] == path for entry in self.log())

    def csv(self, path, *args, code=0, **more):
        return self.sluice("pipe", f"csv url='{self.base}{path}'", "-q", *args, code=code, **more)

    def rows(self, path, *args):
        return self.csv(path, *args).out.decode().splitlines()

    def fails(self, path, text, *args, code=1, pipe="csv", within=None):
        began = time.monotonic()
        r = self.sluice("pipe", f"{pipe} url='{self.base}{path}'", "-q", *args, code=code)
        self.assertRegex(r.message, text)
        self.assertEqual(r.message.count("\n"), 0, r.message)
        if within:
            self.assertLess(time.monotonic() - began, within)
        return r

    def headers(self, path):
        """Of the last request for PATH, by small names."""
        entry = [e for e in self.log() if e["path"] == path][-1]
        return {name.lower(): value for name, value in entry["headers"].items()}


class Answers(FetchCase):
    def test_an_error_page_is_not_data(self):
        self.fails("/status/404", r"/status/404: 404 Not Found")
        self.fails("/status/500", r"500 Internal Server Error \(attempt 2 of 2\)", *FAST, code=75)

    def test_a_web_page_is_not_data(self):
        for pipe in ("csv", "fetchdata type=json"):
            self.fails("/html", r"web page \(text/html", pipe=pipe)
        self.assertEqual(self.rows("/mislabelled/small.csv"), ['{"a":"1","b":"2"}'])
        text = self.sluice("pipe", f"fetchtext url={self.base}/html", "-q").out
        self.assertIn(b"Please log in", text)

    def test_malformed_answers_are_refused(self):
        for name, text in {
            "two-lengths": "two different lengths",
            "cl-bad": "/raw/cl-bad",
            "cl-negative": "/raw/cl-negative",
            "status-bad": "/raw/status-bad",
            "garbage": "/raw/garbage",
            "head-nul": "/raw/head-nul",
            "part": "a part, asked for the whole",
        }.items():
            self.fails(f"/raw/{name}", text)
        for name in ("chunk-bad", "empty"):
            self.fails(f"/raw/{name}", f"/raw/{name}", *FAST, code=None)

    def test_a_record_cut_short_is_an_error(self):
        self.assertEqual(self.rows("/raw/cl-low"), ['{"a":"1","b":"2"}'])
        self.fails("/raw/no-length-cut", r"/raw/no-length-cut:3: .*1 field", "--to", "out.csv")
        self.assertFalse((self.dir / "out.csv").exists())

    def test_charsets_are_decoded(self):
        (self.root / "bom.csv").write_bytes(b"\xef\xbb\xbfname\ncaf\xc3\xa9\n")
        for path in ("/latin1", "/utf16", "/bom.csv"):
            self.assertEqual(self.rows(path), ['{"name":"café"}'])

    def test_the_name_a_server_gives_is_no_path(self):
        before = self.names()
        self.assertEqual(len(self.rows("/disposition/small.csv")), 1)
        self.assertEqual(self.names(), before)

    def test_packed_bodies_are_unpacked_and_must_be_whole(self):
        for path in ("/gzip/x.csv", "/deflate/x.csv", "/deflate/x.csv?raw=1"):
            self.assertEqual(len(self.rows(path)), ROWS)
        self.fails("/badgzip/x.csv", "gzip stream ends early")
        self.fails("/coded/gzip/x.csv", "damaged gzip stream")
        self.fails("/coded/gzip,%20gzip/x.csv", "several content encodings at once .'gzip, gzip'")
        self.fails("/coded/br/x.csv", "'br' was not asked for")


class Limits(FetchCase):
    def test_a_bomb_is_refused_in_time(self):
        self.ask("/bomb")  # made once, outside of the time that is measured
        r = self.fails("/bomb", "more than 200 times", within=10)
        self.assertLess(r.peak, 200 << 20)

    def test_bodies_have_a_limit(self):
        for path in ("/endless", "/endless-field"):
            r = self.fails(path, "longer than the limit of 10485760|exceed", "--max-filesize", "10M", within=20)
            self.assertLess(r.peak, 200 << 20)

    def test_heads_have_a_limit(self):
        self.fails("/head-flood", "300 KiB or 5000 lines|Too large response headers", within=10)

    def test_silence_has_a_limit(self):
        for path in ("/hang", "/stall/x.csv", "/slow-head", "/slow/x.csv?delay=1"):
            slow = "slow" in path
            limit = ("--max-time", "1") if slow else ("--idle-timeout", "1")
            why = r"it was not done within 1 s \(--max-time\)" if slow else r"nothing came for 1 s \(--idle-timeout\)"
            self.fails(path, re.escape(path.split("?")[0]) + ".*: " + why, *limit, "--retry", "0", code=75, within=5)

    def test_connecting_has_a_limit(self):
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            door.listen(0)
            waiting = [socket.socket() for _ in range(4)]  # the queue is full: no further connection comes about
            for s in waiting:
                s.setblocking(False)
                s.connect_ex(door.getsockname())
            url = f"http://127.0.0.1:{door.getsockname()[1]}/x.csv"
            r = self.sluice("load", url, "--to", "o.csv", "--connect-timeout", "1", "--retry", "0", code=75)
            self.assertIn("there was no connection within 1 s (--connect-timeout)", r.message)
            r = self.sluice("load", url, "--to", "o.csv", "--max-time", "1", "--retry", "0", code=75)
            self.assertIn("it was not done within 1 s (--max-time)", r.message)
            for s in waiting:
                s.close()


class Retries(FetchCase):
    def test_what_may_pass_is_tried_again(self):
        self.assertEqual(len(self.rows("/flaky/2/x.csv")), ROWS)
        self.assertEqual(self.hits("/flaky/2/x.csv"), 3)

    def test_retries_are_in_the_report(self):
        self.csv("/flaky/2/x.csv", "--report", "r.json")
        self.assertEqual(json.loads((self.dir / "r.json").read_text())["http_retries"], 2)

    def test_the_last_try_says_how_many_there_were(self):
        self.fails("/flaky/9/x.csv", r"503 Service Unavailable \(attempt 4 of 4\)", code=75)
        self.assertEqual(self.hits("/flaky/9/x.csv"), 4)

    def test_pauses_grow_and_hold_up_no_other_source(self):
        """The first is up to 1 s, the second up to 2 s, drawn anew each time; the tries of one source wait for nobody else."""
        urls = [f"{self.base}/status/503?{n}" for n in range(4)]
        job = {"sources": [{"url": u, "type": "csv"} for u in urls], "modules": [], "http": {"retries": 2}, "keep_going": True}
        self.sluice("run", self.file("j.json", json.dumps(job)), "-q", code=75)
        pauses = []
        for n in range(4):
            at = [e["at"] for e in self.log() if e["path"] == f"/status/503?{n}"]
            self.assertEqual(len(at), 3)
            pauses.append((at[1] - at[0], at[2] - at[1]))
        for first, second in pauses:
            self.assertLess(first, 1.5)
            self.assertLess(second, 2.5)
        self.assertEqual(len({round(first, 4) for first, _ in pauses}), 4, pauses)

    def test_retry_after_is_obeyed(self):
        began = time.monotonic()
        self.assertEqual(len(self.rows("/429/1/small.csv?after=1")), 1)
        self.assertGreaterEqual(time.monotonic() - began, 1)
        later = "Sat,%2001%20Jan%202135%2000:00:00%20GMT"
        for after in ("100000", later):
            path = f"/429/5/small.csv?after={after}"
            self.fails(path, r"429 Too Many Requests, and it asks to wait \d{4,} s", code=75, within=2)
            self.assertEqual(self.hits(path), 1)

    def test_nonsense_in_retry_after_is_ignored(self):
        for after in ("-1", "soon", "1e3"):
            (self.root / f"n{after}.csv").write_text("a\n1\n")
            self.assertEqual(len(self.rows(f"/429/1/n{after}.csv?after={after}")), 1)

    def test_what_will_not_pass_is_tried_once(self):
        for code in (400, 401, 403, 410, 501):
            self.fails(f"/status/{code}", f"{code}")
            self.assertEqual(self.hits(f"/status/{code}"), 1)

    def test_all_tries_together_have_a_limit(self):
        self.fails("/status/503", "503", "--retry", "50", "--retry-max-time", "2s", code=75, within=8)

    def test_a_server_that_is_not_there_is_a_temporary_failure(self):
        r = self.sluice("pipe", "csv url=http://127.0.0.1:1/x", "-q", *FAST, code=75)
        self.assertIn("http://127.0.0.1:1/x", r.message)
        r = self.sluice("pipe", "csv url=http://nosuch.invalid/x", "-q", *FAST, code=75)
        self.assertIn("nosuch.invalid", r.message)

    def test_broken_bodies_leave_no_output(self):
        for path in ("/truncate/x.csv", "/badchunked/x.csv", "/reset/x.csv", "/chunk-noend/x.csv"):
            out = self.dir / "out.csv"
            r = self.csv(path, "--to", out, *FAST, code=75)
            self.assertIn(path, r.message)
            self.assertFalse(out.exists())


class Resuming(FetchCase):
    @classmethod
    def setUpClass(cls):
        rows = [(n, n * 7919 % 10007) for n in range(400000)]
        cls.large = "a,b\n" + "".join(f"{a},{b:05d}\n" for a, b in rows)
        cls.items = "".join(f'{{"a":"{a}","b":"{b:05d}"}}\n' for a, b in rows).encode()

    def setUp(self):
        super().setUp()
        (self.root / "large.csv").write_text(self.large)

    def resumed(self, query, times):
        path = f"/resume/large.csv?{query}"
        self.assertTrue(self.csv(path).out == self.items)
        asked = [{k.lower(): v for k, v in e["headers"].items()} for e in self.log() if e["path"] == path]
        self.assertEqual(len(asked), times + 1)
        for headers in asked[1:]:
            self.assertRegex(headers["range"], r"^bytes=[1-9]\d*-$")
            self.assertIn("if-range", headers)

    def test_a_body_is_resumed_by_its_etag(self):
        self.resumed("cut=3000000", 1)

    def test_a_body_is_resumed_by_its_date_and_more_than_once(self):
        self.resumed("dated=1&cut=1500000&times=2", 2)

    # Beyond the window of what may wait unread: part of it must have been handed on.
    def test_another_version_is_not_resumed(self):
        self.fails("/resume/large.csv?change=1&cut=5000000", "another version by now", code=75)

    def test_without_a_validator_nothing_is_resumed(self):
        self.fails("/resume/large.csv?plain=1&cut=5000000&times=9", "broke off after 5000000 bytes", code=75)


class Credentials(FetchCase):
    def setUp(self):
        super().setUp()
        self.other = self.serve()
        self.canary = "s3cret&"

    def pipe(self, conf, code=0, *args):
        conf = {"sources": [{"type": "csv", **conf}], "modules": []}
        path = self.file("job.json", json.dumps(conf))
        return self.sluice("run", path, "-q", *args, code=code)

    def test_credentials_may_be_given_in_every_way(self):
        for path, http in {
            "/auth/basic/me/pw/small.csv": {"user": "me:pw"},
            "/auth/bearer/tok/small.csv": {"bearer": "tok"},
        }.items():
            self.fails(path, "401 Unauthorized")
            self.assertEqual(self.pipe({"url": self.base + path, "http": http}).out, b'{"a":"1","b":"2"}\n')
        self.assertEqual(len(self.rows("/auth/basic/me/pw/small.csv", "-u", "me:pw")), 1)
        self.assertEqual(len(self.rows("/auth/bearer/tok/small.csv", "-H", "Authorization: Bearer tok")), 1)
        (self.dir / ".netrc").write_text("machine 127.0.0.1 login me password pw\n")
        self.env["HOME"] = str(self.dir)
        self.assertEqual(len(self.rows("/auth/basic/me/pw/small.csv", "--netrc")), 1)

    def test_headers_of_all_places_are_put_together(self):
        conf = {
            "http": {"headers": {"X-Top": "1", "X-Both": "top"}, "user_agent": "me/1"},
            "sources": [{"url": self.base + "/echo", "type": "csv", "http": {"headers": {"x-both": "own"}}}],
            "modules": [],
        }
        r = self.sluice("run", self.file("j.json", json.dumps(conf)), "-q", "-H", "X-Call: yes")
        got = {i["name"]: i["value"] for i in map(json.loads, r.out.splitlines())}
        self.assertEqual((got["x-top"], got["x-both"], got["x-call"], got["user-agent"]), ("1", "own", "yes", "me/1"))

    def test_credentials_are_not_given_to_other_hosts(self):
        target = f"{self.other}/echo"
        args = ("-u", f"me:{self.canary}", "-H", "X-Key: k3y", "-H", "Accept: text/csv", "--allow-net", "127.0.0.1")
        out = b"".join(self.csv(f"/redir?to={target}&code={code}", *args).out for code in (301, 302, 303, 307, 308))
        self.assertNotIn(b"authorization", out)
        self.assertNotIn(b"x-key", out)
        self.assertIn(b"text/csv", out)
        at_home = self.csv(f"/redir?to={self.base}/echo", *args).out
        self.assertIn(b"authorization", at_home)
        self.assertIn(b"k3y", at_home)

    def test_credentials_are_not_given_to_links_in_data(self):
        self.file("urls.csv", f"url\n{self.base}/echo\n")
        pipe = "csv url=urls.csv | csv url.subkey=url"
        args = ("-q", "--allow-net", "127.0.0.0/8")
        r = self.sluice("pipe", pipe, *args, "-u", "me:pw", "-H", "X-Key: k3y")
        self.assertNotIn(b"authorization", r.out)
        self.assertNotIn(b"x-key", r.out)
        r = self.sluice("pipe", pipe + " http.user=me:pw", *args)
        self.assertIn(b"authorization", r.out)

    def test_credentials_are_never_shown(self):
        url = self.base.replace("//", f"//me:{self.canary}@") + "/status/404"
        http = {"bearer": self.canary, "headers": {"X-Key": self.canary}}
        path = self.file("job.json", json.dumps({"sources": [{"type": "csv", "url": url, "http": http}], "modules": []}))
        r = self.sluice("run", path, "--report", "r.json", "-v", code=1)
        plan = self.sluice("plan", path, "--json")
        for text in (r.err, (self.dir / "r.json").read_bytes(), plan.out):
            self.assertNotIn(self.canary.encode(), text)

    def test_secrets_in_urls_are_never_shown(self):
        """In a query, in whatever comes of it: errors, lists, plans, reports, the cache."""
        secret = "?api_key=s3cret&x=1&Access-Token=s3cret#token=s3cret"
        for path, code in (
            *(("/status/404", 1), ("/keep/small.csv", 0), ("/html", 1), ("/truncate/x.csv", 75), ("/redir?to=/status/404&sig=s3cret", 1)),
            *(("/loop", 1), ("/a b", 1), ("/redir?to=http://10.0.0.1/", 1)),
        ):
            url = self.base.replace("//", "//me:s3cret@") + path + (secret if "?" not in path else secret.replace("?", "&", 1))
            job = {"sources": [{"type": "csv", "url": url}], "modules": [], "http": {"retries": 0}}
            name = self.file("job.json", json.dumps(job))
            for args in (("run", name, "--report", "r.json", "-v"), ("run", name, "-q", "--keep-going", "--cache-credentials")):
                r = self.sluice(*args, code=code)
                self.assertNotIn(b"s3cret", r.err, path)
            self.assertNotIn("s3cret", (self.dir / "r.json").read_text())
            self.assertNotIn(b"s3cret", self.sluice("plan", name, "--json").out + self.sluice("plan", name).out)
            self.assertIn(b"api_key=***&x=1", self.sluice("plan", name).out)
        listed = self.sluice("cache", "ls", "--json").out + self.sluice("cache", "ls").out
        self.assertIn(b"/keep/small.csv?api_key=***&x=1&Access-Token=***", listed)
        self.assertNotIn(b"s3cret", listed)
        for entry in Path(self.env["SLUICE_CACHE_DIR"]).iterdir():
            self.assertNotIn(b"s3cret", entry.read_bytes())
        items = self.file("urls.csv", f"url\n{self.base}/status/404?token=s3cret\nftp://me:s3cret@h/?key=s3cret\n")
        r = self.sluice("pipe", f"csv url={items} | csv url.subkey=url", "--keep-going", "--allow-net", "127.0.0.1", code=None)
        self.assertIn("token=***", r.message)
        self.assertNotIn("s3cret", r.message)

    def oauth(self, path, code=0, query="", *args):
        client = {"token_url": f"{self.base}/token{query}", "client_id": "me", "client_secret": self.canary}
        urls = [f"{self.base}{path}?{n}" for n in range(8)]
        return self.pipe({"url": urls, "http": {"oauth2": client}}, code, *args)

    def test_a_token_is_asked_for_once(self):
        self.assertEqual(len(self.oauth("/guarded/small.csv").out.splitlines()), 8)
        self.assertEqual(self.hits("/token"), 1)

    def by_items(self, *args, path="/guarded/small.csv", count=24, code=0, query=""):
        """A fetch for each item, the items spread over all workers; how many tokens were asked for."""
        self.file("urls.csv", "url\n" + "".join(f"{self.base}{path}?{n}\n" for n in range(count)))
        client = {"token_url": f"{self.base}/token{query}", "client_id": "me", "client_secret": self.canary}
        job = [
            {"type": "csv", "conf": {"url": "urls.csv"}},
            {"type": "csv", "conf": {"url": {"subkey": "url"}, "http": {"oauth2": client}}},
        ]
        before = self.hits(f"/token{query}")
        name = self.file("items.json", json.dumps(job))
        r = self.sluice("run", name, "-q", "--allow-net", "127.0.0.1", "--unit", "150", *args, code=code)
        return r, self.hits(f"/token{query}") - before

    def test_one_token_for_all_workers(self):
        for pool in pools((1, 2, 8)):
            r, asked = self.by_items(*pool)
            self.assertEqual(r.out, b'{"a":"1","b":"2"}\n' * 24)
            self.assertEqual(asked, 1, pool)

    def test_a_token_that_is_refused_is_renewed_once(self):
        self.assertEqual(len(self.oauth("/guarded/small.csv?refuse=1&x=").out.splitlines()), 8)
        self.assertLessEqual(self.hits("/token"), 2)
        self.assertIn("401", self.oauth("/guarded/small.csv?refuse=999&x=", 1).message)

    def test_a_token_that_is_refused_is_renewed_once_for_all(self):
        (self.root / "other.csv").write_text("a,b\n1,2\n")
        for n, pool in enumerate(FEW):
            (self.root / f"o{n}.csv").write_text("a,b\n1,2\n")
            r, asked = self.by_items(*pool, path=f"/revoked/o{n}.csv")
            self.assertEqual(len(r.out.splitlines()), 24)
            self.assertEqual(asked, 2, pool)

    def test_servers_that_refuse_every_token_are_not_asked_for_more(self):
        for pool in FEW:
            r, asked = self.by_items(*pool, "--keep-going", path="/status/401", code=3)
            self.assertEqual(r.message.count("401 Unauthorized"), 24)
            self.assertLessEqual(asked, 2, pool)

    def test_a_token_that_is_not_given_is_asked_for_once(self):
        for pool in FEW:
            r, asked = self.by_items(*pool, "--keep-going", query="?fail=1", code=3)
            self.assertEqual(r.message.count("/token?fail=1: 401"), 24)
            self.assertEqual(asked, 1, pool)

    def test_two_clients_have_tokens_of_their_own(self):
        urls = [f"{self.base}/auth/bearer/token-{n}/small.csv" for n in (1, 2)]
        clients = [{"token_url": f"{self.base}/token", "client_id": str(n), "client_secret": self.canary} for n in (1, 2)]
        sources = [{"url": u, "type": "csv", "http": {"oauth2": c}} for u, c in zip(urls, clients)]
        job = self.file("two.json", json.dumps({"sources": sources, "modules": [], "connections": 1}))
        self.assertEqual(len(self.sluice("run", job, "-q").out.splitlines()), 2)
        self.assertEqual(self.hits("/token"), 2)

    def test_without_a_token_the_failure_is_said(self):
        r = self.oauth("/guarded/small.csv", 1, "?fail=1")
        self.assertRegex(r.message, r"/token\?fail=1: 401")
        self.assertNotIn(self.canary, r.message)


class Odd(FetchCase):
    """URLs that nobody should write."""

    def run_url(self, url):
        job = {"sources": [{"url": url, "type": "csv"}], "modules": [], "http": {"retries": 0}}
        return self.sluice("run", self.file("j.json", json.dumps(job)), "-q", "--report", "r.json", code=None)

    def test_odd_urls_are_refused_before_anything_is_asked(self):
        for url in (
            f"{self.base}/small.csv\r\nX-Injected: yes",
            f"{self.base}/small.csv HTTP/1.1\r\nX-Injected: yes\r\n\r\nGET /x.csv",
            f"{self.base}/a b.csv",
            f"{self.base}/\0.csv",
            f"{self.base}/\x1b[31m.csv",
            f"http://127.0.0.1:99999/x.csv",
            "http:///x.csv",
            "http://",
            f"{self.base}/small.csv?" + "x" * (1 << 20),
        ):
            r = self.run_url(url)
            self.assertNotEqual(r.code, 0, url[:80])
            self.assertLess(r.code, 128)
            self.assertLess(len(r.err), 2000)
            self.assertNotRegex(r.message, r"[\x00-\x1f\x7f]", url[:80])
            self.assertEqual(r.out, b"")
        self.assertEqual([e for e in self.log() if "x-injected" in map(str.lower, e["headers"])], [])
        self.assertEqual([e["path"] for e in self.log() if len(e["path"]) < 100], [])


@unittest.skipUnless(shutil.which("openssl"), "makes its certificates with openssl")
class Tls(FetchCase):
    def certificate(self, name):
        pem = self.dir / f"{name}.pem"
        words = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj"
        words = [*words.split(), f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(["openssl", *words, "-keyout", pem, "-out", f"{pem}.crt"], check=True, capture_output=True)
        pem.write_bytes(pem.read_bytes() + Path(f"{pem}.crt").read_bytes())
        return pem

    def test_certificates_are_checked_both_ways(self):
        server, client = self.certificate("server"), self.certificate("client")
        self.base = self.serve("--tls", server)
        self.fails("/small.csv", "(?i)certificate", "--retry", "0")
        self.assertEqual(len(self.rows("/small.csv", "--cacert", server)), 1)
        self.assertEqual(len(self.rows("/small.csv", "--insecure")), 1)
        self.base = self.serve("--tls", server, "--clients", client)
        known = ("--cacert", server, "--retry", "0")
        self.fails("/small.csv", "/small.csv", *known, code=None)
        self.assertEqual(len(self.rows("/small.csv", *known, "--cert", client, "--cert-key", client)), 1)


class Redirects(FetchCase):
    def test_ten_redirects_are_followed_and_no_more(self):
        self.assertEqual(len(self.rows("/redirect/10/small.csv")), 1)
        for path in ("/redirect/11/small.csv", "/loop", "/pingpong"):
            self.fails(path, "more than 10 redirects")
        self.assertEqual(self.hits("/loop"), 11)

    def test_redirects_lead_to_the_web_alone(self):
        for to, text in {
            "file:///etc/passwd": "not http or https",
            "ftp://127.0.0.1/x": "not http or https",
            "gopher://127.0.0.1/x": "not http or https",
            "javascript:alert(1)": "not http or https|Port number",
            "http://169.254.169.254/latest/": "not public",
            "http://127.0.0.1:22/": "not public",
            "http://localhost:22/": "not public",
            "http://[::1]:22/": "not public",
            "http://10.1.2.3/": "not public",
        }.items():
            self.fails(f"/redir?to={to}", text, "--retry", "0", within=5)

    def test_redirects_to_permitted_networks_are_followed(self):
        other = self.serve()
        path = f"/redir?to={other}/small.csv"
        self.fails(path, "allow-net 127.0.0.1 permits it")
        self.assertEqual(len(self.rows(path, "--allow-net", "127.0.0.0/8")), 1)
        self.assertEqual(len(self.rows(f"/redir?to={self.base}/small.csv")), 1)


class Data(FetchCase):
    """Addresses that items name."""

    def follow(self, url, *args, code=1):
        self.file("urls.csv", f"url\n{url}\n")
        return self.sluice("pipe", "csv url=urls.csv | csv url.subkey=url", "-q", "--retry", "0", *args, code=code)

    def test_links_in_data_to_this_machine_are_refused_in_every_spelling(self):
        port = self.base.rsplit(":", 1)[1]
        spellings = """127.0.0.1 127.1 2130706433 0x7f000001 0177.0.0.1 0x7f.1 localhost LOCALHOST 127.0.0.1. 0 0.0.0.0
            [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::] [0:0:0:0:0:0:0:1] 127.8.9.10 [::127.0.0.1] \uff11\uff12\uff17.0.0.1
            [64:ff9b::7f00:1] [2002:7f00:1::]"""
        for host in spellings.split():
            r = self.follow(f"http://{host}:{port}/small.csv", code=None)
            self.assertIn(r.code, (1, 75), host)
            self.assertEqual(r.out, b"", host)
        self.assertEqual(self.log(), [])
        r = self.follow(f"{self.base}/small.csv", "--allow-net", "127.0.0.0/8", code=0)
        self.assertEqual(r.out, b'{"a":"1","b":"2"}\n')

    def test_links_in_data_to_files_are_refused(self):
        secret = self.file("secret.csv", "a\n1\n")
        (self.root / "evil.csv").write_text(f"url\n{secret}\n")
        pipe = f"csv url={self.base}/evil.csv | csv url.subkey=url"
        r = self.sluice("pipe", pipe, "-q", code=1)
        self.assertIn("allow-files permits it", r.message)
        self.assertEqual(self.sluice("pipe", pipe, "-q", "--allow-files").out, b'{"a":"1"}\n')
        self.assertEqual(self.follow(secret, code=0).out, b'{"a":"1"}\n')


class Concurrency(FetchCase):
    def setUp(self):
        super().setUp()
        self.expected = b'{"a":"1","b":"2"}\n' * 40
        urls = [f"{self.base}/sleep/0.1/small.csv?{n}" for n in range(40)]
        self.urls = self.file("urls.csv", "url\n" + "\n".join(urls) + "\n")
        self.job = self.file("job.json", json.dumps({"sources": [{"url": urls, "type": "csv"}], "modules": []}))
        self.items = ("pipe", "csv url=urls.csv | csv url.subkey=url", "--allow-net", "127.0.0.1")

    def test_fetches_go_together_within_the_limits(self):
        for pool in FEW:
            for what in (("run", self.job), self.items, (*self.items, "--unit", "300")):
                self.ask("/peak")
                began = time.monotonic()
                r = self.sluice(*what, "-q", *pool)
                took = time.monotonic() - began
                self.assertEqual(r.out, self.expected)
                self.assertLess(took, 3, (what, pool))  # 4 s one after another, 0.7 s at best
                peak = int(self.ask("/peak"))
                self.assertLessEqual(peak, 7)  # one that was sent may not have been counted off yet
                self.assertGreater(peak, 2)

    def test_feeds_that_pages_name_are_fetched_together(self):
        """A page and then its feed for each item: those of all items are under way together."""
        link = '<link rel="alternate" type="application/rss+xml" href="/sleep/0.2/feed.xml?%d">'
        feed = '<rss version="2.0"><channel><item><title>one</title></item></channel></rss>'
        (self.root / "feed.xml").write_text(feed)
        for n in range(12):
            (self.root / f"site{n}.html").write_text(f"<html><head>{link % n}</head></html>")
        self.file("sites.csv", "url\n" + "".join(f"{self.base}/sleep/0.2/site{n}.html\n" for n in range(12)))
        words = ("pipe", "csv url=sites.csv | fetchsitefeed url.subkey=url", "-q", "--allow-net", "127.0.0.1")
        for args in (*FEW, (*INLINE, "--ordered=false"), (*INLINE, "--keep-going")):
            began = time.monotonic()
            r = self.sluice(*words, "--no-cache", *args)
            took = time.monotonic() - began
            self.assertEqual(r.out.count(b'"title":"one"'), 12)
            self.assertLess(took, 3, args)  # 4.8 s one after another, 0.8 s at best
        (self.root / "site7.html").write_text("<html>nothing</html>")
        for pool in FEW:
            r = self.sluice(*words, *pool, code=1)
            self.assertRegex(r.message, r"/site7.html:\d+: step 2 .fetchsitefeed.: this page names no feed")

    def test_connections_are_limited(self):
        self.sluice("run", self.job, "-q", "--connections", "3", "--per-host", "9")
        self.assertLessEqual(int(self.ask("/peak")), 3)

    def test_a_rate_is_kept(self):
        urls = [f"{self.base}/small.csv?{n}" for n in range(8)]
        job = self.file("r.json", json.dumps({"sources": [{"url": urls, "type": "csv"}], "modules": []}))
        for pool in FEW:
            began = time.monotonic()
            self.sluice("run", job, "-q", "--rate", "10/s", *pool)
            self.assertGreaterEqual(time.monotonic() - began, 0.69)

    def test_a_slow_host_delays_its_own_items_only(self):
        urls = [f"{self.base}/sleep/1.5/small.csv"] + [f"{self.base}/x.csv?{n}" for n in range(8)]
        self.file("urls.csv", "url\n" + "\n".join(urls) + "\n")
        began = time.monotonic()
        r = self.sluice(*self.items, "-q", "--ordered=false")
        self.assertLess(time.monotonic() - began, 3)
        self.assertEqual(r.out.splitlines()[-1], b'{"a":"1","b":"2"}')
        self.assertEqual(self.sluice(*self.items, "-q").out.splitlines()[0], b'{"a":"1","b":"2"}')


class KeepGoing(FetchCase):
    """One bad source among many."""

    def setUp(self):
        super().setUp()
        paths = ["small.csv"] * 10
        paths[3] = "truncate/x.csv"
        paths[7] = "status/404"
        self.urls = [f"{self.base}/{p}?{n}" for n, p in enumerate(paths)]
        job = {"sources": [{"url": self.urls, "type": "csv"}], "modules": [], "http": {"retries": 0}}
        self.job = self.file("job.json", json.dumps(job))
        self.file("urls.csv", "url\n" + "\n".join(self.urls) + "\n")
        self.ways = (
            ("run", self.job),
            ("pipe", "csv url=urls.csv | csv url.subkey=url", "--retry", "0", "--allow-net", "127.0.0.1"),
        )

    def test_one_bad_source_fails_the_run(self):
        for way in self.ways:
            for pool in FEW:
                r = self.sluice(*way, "--to", "out.csv", "-q", *pool, code=75)
                self.assertIn("truncate/x.csv?3", r.message)
                self.assertFalse((self.dir / "out.csv").exists())

    def test_keep_going_loads_the_rest(self):
        for way in self.ways:
            for pool in FEW:
                r = self.sluice(*way, "--keep-going", "--to", "out.csv", "--report", "r.json", "-q", *pool, code=3)
                self.assertEqual((self.dir / "out.csv").read_bytes(), b"a,b\n" + b"1,2\n" * 8)
                report = json.loads((self.dir / "r.json").read_text())
                self.assertEqual((report["failed"], report["balanced"]), (2, True))
                for n, text in enumerate(("truncate/x.csv", "404 Not Found")):
                    self.assertIn(text, report["failures"][n])
                    self.assertIn(text, r.message)

    def test_keep_going_leaves_out_a_missing_file(self):
        job = {"keep_going": True, "sources": [{"url": ["urls.csv", "gone.csv"]}], "modules": []}
        r = self.sluice("run", self.file("j.json", json.dumps(job)), "-q", code=3)
        self.assertEqual(len(r.out.splitlines()), 10)
        self.assertIn("gone.csv", r.message)

    def test_nothing_at_all_is_a_failure(self):
        r = self.sluice("pipe", f"csv url={self.base}/status/404", "--keep-going", "--to", "o.csv", "-q", code=1)
        self.assertIn("404 Not Found", r.message)
        self.assertFalse((self.dir / "o.csv").exists())

    def test_bad_data_is_a_failure(self):
        self.file("bad.csv", 'a\n"1\n')
        r = self.sluice("pipe", "csv url=bad.csv", "--keep-going", "-q", code=1)
        self.assertIn("bad.csv", r.message)


if __name__ == "__main__":
    program.main()
