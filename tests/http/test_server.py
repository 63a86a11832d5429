#!/usr/bin/env python3
"""The test server must misbehave exactly as its docstring says, or the tests that lean on it prove nothing."""

import gzip
import http.client
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from pathlib import Path

SERVER = Path(__file__).with_name("server.py")
BODY = b"".join(b"%d,line\n" % n for n in range(5000))


def start(root):
    process = subprocess.Popen(
        [sys.executable, SERVER, "--root", root, "--delay", "0.002"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    return process, int(process.stdout.readline())


def end(process):
    process.stdin.close()
    code = process.wait(timeout=10)
    process.stdout.close()
    return code


class ServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.TemporaryDirectory()
        Path(cls.root.name, "a.csv").write_bytes(BODY)
        cls.process, cls.port = start(cls.root.name)

    @classmethod
    def tearDownClass(cls):
        end(cls.process)
        cls.root.cleanup()

    def setUp(self):
        self.client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.addCleanup(self.client.close)

    def get(self, path, **headers):
        self.client.request("GET", path, headers=headers)
        return self.client.getresponse()

    def test_a_file_is_served(self):
        answer = self.get("/a.csv?x=1")
        self.assertEqual((answer.status, answer.read()), (200, BODY))
        self.assertEqual(answer.headers["Content-Type"], "text/csv")

    def test_nothing_outside_the_root_is_served(self):
        for path in ("/missing.csv", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/"):
            answer = self.get(path)
            answer.read()
            self.assertEqual(answer.status, 404, path)

    def test_slow_takes_its_time(self):
        began = time.monotonic()
        self.assertEqual(self.get("/slow/a.csv").read(), BODY)
        self.assertGreater(time.monotonic() - began, 0.1)

    def test_truncate_breaks_off(self):
        answer = self.get("/truncate/a.csv")
        self.assertEqual(int(answer.headers["Content-Length"]), len(BODY))
        with self.assertRaises(http.client.IncompleteRead) as caught:
            answer.read()
        self.assertEqual(caught.exception.partial, BODY[: len(BODY) // 2])

    def test_status_answers_with_that_status(self):
        for code in (204, 301, 304, 404, 500, 503):
            answer = self.get(f"/status/{code}")
            answer.read()
            self.assertEqual(answer.status, code)

    def test_flaky_fails_at_first(self):
        for expected in (503, 503, 200):
            answer = self.get("/flaky/2/a.csv")
            body = answer.read()
            self.assertEqual(answer.status, expected)
            self.assertEqual(answer.headers["Retry-After"], "0" if expected == 503 else None)
        self.assertEqual(body, BODY)
        self.assertEqual(self.get("/count?path=/flaky/2/a.csv").read(), b"3\n")

    def test_redirects_lead_on(self):
        path, hops = "/redirect/3/a.csv", 0
        while (answer := self.get(path)).status == 302:
            answer.read()
            path, hops = answer.headers["Location"], hops + 1
        self.assertEqual((hops, answer.read()), (3, BODY))
        answer = self.get("/loop")
        self.assertEqual((answer.status, answer.headers["Location"]), (302, "/loop"))

    def test_gzip_packs_the_body(self):
        answer = self.get("/gzip/a.csv")
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(answer.read()), BODY)
        answer = self.get("/badgzip/a.csv")
        packed = answer.read()
        self.assertEqual(int(answer.headers["Content-Length"]), len(packed))
        self.assertFalse(zlib.decompressobj(31).decompress(packed) == BODY)
        self.assertRaises(EOFError, gzip.decompress, packed)

    def test_chunked_sends_chunks(self):
        answer = self.get("/chunked/a.csv")
        self.assertEqual((answer.headers["Transfer-Encoding"], answer.read()), ("chunked", BODY))
        self.assertRaises(http.client.IncompleteRead, self.get("/badchunked/a.csv").read)

    def test_endless_does_not_end(self):
        self.assertEqual(len(self.get("/endless").read(5_000_000)), 5_000_000)

    def test_etag_answers_304(self):
        answer = self.get("/etag/a.csv")
        tag = answer.headers["ETag"]
        self.assertEqual(answer.read(), BODY)
        answer = self.get("/etag/a.csv", **{"If-None-Match": tag})
        self.assertEqual((answer.status, answer.read()), (304, b""))
        self.assertEqual(self.get("/etag/a.csv", **{"If-None-Match": '"other"'}).read(), BODY)

    def test_head_has_no_body(self):
        self.client.request("HEAD", "/a.csv")
        answer = self.client.getresponse()
        self.assertEqual((answer.read(), int(answer.headers["Content-Length"])), (b"", len(BODY)))

    def test_it_leaves_when_asked(self):
        process, _ = start(self.root.name)
        self.assertEqual(end(process), 0)
        process, _ = start(self.root.name)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=10), 0)
        end(process)


if __name__ == "__main__":
    unittest.main()
