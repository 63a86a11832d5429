#!/usr/bin/env python3
"""The walks of docs/architecture.md, held against the ways that runs really take.

    BUILD_DIR=build/dev test_walks.py

Builds the program with -finstrument-functions below $BUILD_DIR, and a library that writes down which function is entered first, which next."""

import http.server
import json
import os
import re
import shlex
import struct
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["BUILD_DIR"]) / "walks"
MOST = 25
FEED = b"""<?xml version="1.0"?>
<rss version="2.0"><channel><title>A feed</title>
<item><title>One</title><link>http://example.org/1</link></item></channel></rss>"""


def build():
    flags = "-O0 -g -finstrument-functions"
    subprocess.run(["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", f"-DCMAKE_C_FLAGS_DEBUG={flags}",
                    "-DCMAKE_EXE_LINKER_FLAGS=-no-pie", "-DSLUICE_TESTS=OFF"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", BUILD], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([os.environ.get("CC", "cc"), "-std=c17", "-D_POSIX_C_SOURCE=200809L", "-O2", "-fPIC", "-shared",
                    "-o", BUILD / "walk.so", ROOT / "tests/house/walk.c"], check=True)


def described():
    """title -> (the words of its command, [(function, file)])"""
    walks = {}
    section = re.search(r"\n## Three records on their way\n(.*?)(?=\n## |$)", (ROOT / "docs/architecture.md").read_text(), re.S).group(1)
    for part in section.split("\n### ")[1:]:
        command = re.search(r"```\nsluice (.*)\n```", part).group(1)
        walks[part.split("\n", 1)[0]] = command, re.findall(r"^\| `(\w+)` \| `([\w/.]+)` \|", part, re.M)
    return walks


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("ETag", "\"one\"")
        self.send_header("Content-Length", str(len(FEED)))
        self.end_headers()
        self.wfile.write(FEED)

    def log_message(self, *args):
        pass


class Walks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build()
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def taken(self, command):
        """The functions that a run of COMMAND enters, each where it is entered first: [(function, file)]."""
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder)
            (here / "in.csv").write_text("a,b,c\n1,one,x\n")
            with open(here / "in.jsonl", "w") as f:
                for i in range(12000):
                    f.write(json.dumps({"v": i * 7919 % 12007, "text": "what takes some room " * 8}) + "\n")
            words = [BUILD / "sluice", *shlex.split(command.replace("PORT", str(self.server.server_port))), "-q"]
            env = dict(os.environ, LD_PRELOAD=str(BUILD / "walk.so"), SLUICE_WALK=str(here / "walk"), SLUICE_CACHE_DIR=str(here / "cache"))
            subprocess.run(words, cwd=here, env=env, check=True)
            data = (here / "walk").read_bytes()
        addresses = [a for (a,) in struct.iter_unpack("Q", data)]
        lines = subprocess.run(["addr2line", "-f", "-e", BUILD / "sluice"], input="\n".join(map(hex, addresses)), check=True,
                               stdout=subprocess.PIPE, text=True).stdout.splitlines()
        # From the room on: what ccache has kept of another checkout names that one's folder.
        place = re.compile(r"(?:.*/)?((?:src|sinks|workers)/[^:]*):.*")
        return [(name, place.sub(r"\1", where)) for name, where in zip(lines[::2], lines[1::2])]

    def test_the_walks_are_those_that_runs_take(self):
        walks = described()
        self.assertEqual(len(walks), 3)
        for title, (command, functions) in walks.items():
            taken = self.taken(command)
            with self.subTest(walk=title):
                self.assertLessEqual(len(functions), MOST)
                self.assertEqual(len(set(functions)), len(functions), "a function stands there twice")
                self.assertEqual([f for f in functions if f not in taken], [], "not on the way")
                self.assertEqual(functions, sorted(functions, key=taken.index), "in another order")


if __name__ == "__main__":
    unittest.main(verbosity=2)
