#!/usr/bin/env python3
"""The programs of docs/api, compiled below $API, do what they say."""

import json
import os
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
API = Path(os.environ["API"])
CRIME = SOURCE / "data" / "crime.csv"


def run(name, *args, **more):
    return subprocess.run([API / name, *map(str, args)], capture_output=True, text=True, timeout=120, check=False, **more)


class Pull(unittest.TestCase):
    def test_one_definition_with_two_values(self):
        r = run("pull", SOURCE / "configs" / "crime-top.json", "GP", "WC")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        gp, wc = r.stdout.split("WC\n")
        for part in gp.removeprefix("GP\n"), wc:
            rows = [line.rsplit(None, 1) for line in part.splitlines()]
            numbers = [int(n) for _, n in rows]
            self.assertEqual(len(numbers), 6)
            self.assertEqual(sum(numbers[:-1]), numbers[-1])
        self.assertNotEqual(gp.removeprefix("GP\n"), wc)

    def test_a_failure(self):
        r = run("pull", "nosuch.json", "GP")
        self.assertEqual(r.returncode, 2)
        self.assertIn("SL_E_USAGE", r.stderr)
        self.assertIn("nosuch.json", r.stderr)


class Push(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.out = Path(self.dir.name) / "words.csv"

    def test_words_are_counted_into_both_sinks(self):
        r = run("push", self.out, input="to be, or not to be\nthat is\nto\n")
        self.assertEqual((r.returncode, r.stderr), (0, "3 lines, 6 words written\n"))
        items = [json.loads(line) for line in r.stdout.splitlines()]
        self.assertEqual([(i["content"], i["count"]) for i in items],
                         [("to", 3), ("be", 2), ("is", 1), ("not", 1), ("or", 1), ("that", 1)])
        self.assertEqual(self.out.read_text().splitlines(), ["content,count", "to,3", "be,2", "is,1", "not,1", "or,1", "that,1"])

    def test_a_line_that_is_no_text_is_left_out(self):
        p = subprocess.run([API / "push", self.out], input=b"a\n\xff\nb\n", capture_output=True, timeout=120, check=False)
        self.assertEqual(p.returncode, 0)
        self.assertIn(b"push: line 2: ", p.stderr)
        self.assertIn(b"2 lines, 2 words", p.stderr)

    def test_nothing_is_left_of_a_failure(self):
        r = run("push", Path(self.dir.name) / "no" / "words.csv", input="a\n")
        self.assertEqual(r.returncode, 1, r.stderr)
        self.assertEqual(list(Path(self.dir.name).iterdir()), [])


class Callback(unittest.TestCase):
    def test_three_runs_of_one_pipeline(self):
        r = run("callback", 20000)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        ten, every, endless = r.stdout.splitlines()
        self.assertEqual(ten, "the first ten: SL_OK, 385")
        self.assertRegex(every, r"^all: SL_E_DATA, numbers:13: step 2 \(udf\): .*13 brings bad luck")
        self.assertRegex(endless, r"^without end: (SL_E_STOPPED|SL_E_DATA), ")


class Server(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([API / "embed_in_a_server", CRIME, "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = int(self.server.stdout.readline().rsplit(":", 1)[1])
        self.addCleanup(self.end)

    def end(self):
        self.server.terminate()
        _, self.log = self.server.communicate(timeout=60)

    def connect(self, head):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        s.sendall(f"{head} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        return s

    def answer(self, s):
        with s, s.makefile("rb") as f:
            head, _, body = f.read().partition(b"\r\n\r\n")
        return head.decode().split("\r\n")[0], [json.loads(line) for line in body.decode().splitlines()]

    def test_many_requests_at_once(self):
        def count(i, found):
            found[i] = self.answer(self.connect(f"GET /count/{'province' if i % 2 else 'id'}"))

        found = {}
        threads = [threading.Thread(target=count, args=(i, found)) for i in range(40)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for i, (status, items) in found.items():
            self.assertEqual(status, "HTTP/1.0 200 OK")
            self.assertEqual(sum(item["count"] for item in items), 2000)
            self.assertEqual(len(items), 9 if i % 2 else 2000)
        self.assertEqual(len(found), 40)
        self.end()
        self.assertEqual((self.server.returncode, self.log), (0, ""))

    def test_items_of_a_body(self):
        s = self.connect("POST /sort/n")
        for n in (3, 1, 2):
            s.sendall(f'{{"n": {n}}}\n'.encode())
        s.shutdown(socket.SHUT_WR)
        self.assertEqual(self.answer(s), ("HTTP/1.0 200 OK", [{"n": 1}, {"n": 2}, {"n": 3}]))

    def test_what_is_wrong_stays_with_its_request(self):
        self.assertEqual(self.answer(self.connect("GET /"))[0], "HTTP/1.0 400 Bad Request")
        s = self.connect("POST /sort/n")
        s.sendall(b"no json\n")
        s.shutdown(socket.SHUT_WR)
        self.assertEqual(self.answer(s), ("HTTP/1.0 200 OK", [{"error": "SL_E_DATA"}]))
        self.assertEqual(len(self.answer(self.connect("GET /count/province"))[1]), 9)

    def test_the_end_stops_who_waits_for_a_body(self):
        s = self.connect("POST /sort/n")
        s.sendall(b'{"n": 1}\n')
        self.assertEqual(self.answer(self.connect("GET /"))[0], "HTTP/1.0 400 Bad Request")  # by now the first is under way
        self.end()
        self.assertEqual(self.server.returncode, 0)
        s.close()


if __name__ == "__main__":
    unittest.main()
