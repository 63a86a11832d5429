#!/usr/bin/env python3
"""Every command that README.md, docs/, the manual page and --help show is run, and what it prints is what is shown.

    SLUICE=build/dev/sluice test_docs.py

The pages that build a template, docs/adding-*.md, have a test of their own, tests/template."""

import gzip
import http.server
import os
import re
import shutil
import subprocess
import threading

from program import PROGRAM, SOURCE, Case, main

COMMANDS = ("run", "load", "pipe", "pipes", "check", "plan", "convert", "cache", "schema")
PAGES = [SOURCE / "README.md", *sorted(p for p in (SOURCE / "docs").glob("*.md") if not p.name.startswith("adding-"))]
MANUAL = SOURCE / "docs" / "man" / "sluice.1"
WIDTH = 80
SITE = "https://example.org"
BAD = """[
  {"type": "csv", "conf": {"url": "data/crime.csv"}},

  {"type": "fliter", "conf": {"rule": {"field": "province", "op": "eq", "value": "GP"}}}
]
"""


class Site(http.server.BaseHTTPRequestHandler):
    """example.org: files of data/ with a validator, and items in pages."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/items":
            return self.answer(b'{"items": [{"id": 1}, {"id": 2}], "links": {"next": null}}', "application/json")
        file = SOURCE / "data" / path[1:]
        if not file.is_file():
            return self.send_error(404)
        if self.headers.get("If-None-Match") == '"5d8c72a5"':
            self.send_response(304)
            self.end_headers()
            return None
        return self.answer(file.read_bytes(), "text/csv")

    def answer(self, body, media):
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"5d8c72a5"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def blocks(page):
    """The commands that PAGE shows: (command, what follows it, or None where no output is shown)."""
    for kind, text in re.findall(r"^```(console|sh)\n(.*?)^```", page.read_text(), re.M | re.S):
        if kind == "console":
            for shown in re.split(r"^\$ ", text, flags=re.M)[1:]:
                yield split_output(shown)
        elif "<<'END'" in text:
            yield text, None
        else:
            yield from ((line, None) for line in re.split(r"\n(?=\S)", text.strip()) if line.startswith("sluice "))


def is_open(command):
    """Whether a shell would want another line."""
    return subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False).returncode != 0 or command.endswith("\\")


def split_output(shown):
    lines = shown.rstrip("\n").split("\n")
    n = 1
    while n < len(lines) and is_open("\n".join(lines[:n])):
        n += 1
    return "\n".join(lines[:n]), "\n".join(lines[n:]) or None


def examples(help_text):
    """The commands of a help text: two blanks in front, more where one goes on."""
    found = []
    for line in help_text.splitlines():
        if re.match(r"  (sluice|curl) ", line) and "  " not in line.strip():
            found.append(line.strip())
        elif found and line.startswith("      ") and is_open(found[-1]):
            found[-1] += "\n" + line
    return found


def evened(text):
    """TEXT without what differs from run to run."""
    text = re.sub(r" in [0-9.]+ s \([0-9.]+ .?B/s\)", " in S", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "DATE", text)
    text = re.sub(r"\d+ workers", "N workers", text)
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


class Docs(Case):
    @classmethod
    def setUpClass(cls):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        cls.site = f"http://127.0.0.1:{server.server_port}"

    def setUp(self):
        super().setUp()
        for folder in ("data", "configs"):
            shutil.copytree(SOURCE / folder, self.dir / folder)
        for file in (SOURCE / "data").iterdir():
            if file.is_file():
                shutil.copy(file, self.dir)
        for folder in ("out", "feeds", "bin", "home"):
            (self.dir / folder).mkdir()
        (self.dir / "bin" / "sluice").symlink_to(shutil.which(PROGRAM))
        (self.dir / "feeds" / "a.jsonl.gz").write_bytes(gzip.compress((SOURCE / "data" / "crime.jsonl").read_bytes()))
        self.file("bad.json", BAD)
        self.file("feed.csv", "a,b\n1,2\n")
        self.env.update(PATH=f"{self.dir / 'bin'}:{os.environ['PATH']}", HOME=str(self.dir / "home"), no_proxy="127.0.0.1", LC_ALL="C.UTF-8")
        self.env.pop("SLUICE_CACHE_DIR", None)
        self.env.pop("XDG_CACHE_HOME", None)

    def shell(self, command):
        text = command.replace(SITE, self.site)
        p = subprocess.run(["bash", "-c", text], cwd=self.dir, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=60, check=False)
        out = p.stdout.decode().replace(self.site, SITE).replace(str(self.dir / "home"), "/home/me")
        return p.returncode, out

    def check(self, command, shown):
        code, out = self.shell(command)
        if shown is None:
            self.assertEqual(code, 0, f"{command}\n{out}")
        else:
            self.assertEqual(evened(out), evened(shown), command)
            self.assertIn(code, (0, 2), command)

    def test_commands_of_the_pages_print_what_is_shown(self):
        count = 0
        for page in PAGES:
            for command, shown in blocks(page):
                if shown and shown.startswith("^C"):
                    continue  # tests/cli/test_process.py
                with self.subTest(page=page.name, command=command):
                    if command.startswith("sluice cache ls"):
                        self.shell(f"sluice load {SITE}/crime.csv --to x.db:x -q")
                    self.check(command, shown)
                    count += 1
        self.assertGreater(count, 60)

    def test_what_contributors_are_shown_is_there(self):
        text = (SOURCE / "CONTRIBUTING.md").read_text()
        paths = set(re.findall(r"(?<![\w/])(?:\.ci|cmake|docs|src|tests)/[\w./-]*\w", text))
        self.assertGreater(len(paths), 20)
        self.assertEqual([path for path in sorted(paths) if not (SOURCE / path).exists()], [])
        ((script, name),) = re.findall(r"python3 (\S+) \w+\.(test_\w+)", text)
        self.assertIn(f"def {name}(", (SOURCE / script).read_text())

    def manual(self):
        return MANUAL.read_text().replace(r"\-", "-").replace(r"\(aq", "'").replace(r"\~", " ")

    def test_commands_of_the_manual_page_run(self):
        shown = self.manual().partition(".SH EXAMPLES")[2].partition(".nf\n")[2].partition("\n.fi")[0].replace("\\e\n", "\\\n")
        commands = re.split(r"\n(?=sluice )", shown.strip())
        self.assertEqual(len(commands), 5)
        for command in commands:
            with self.subTest(command=command):
                self.check(command, None)

    def test_the_manual_page_has_every_option(self):
        helps = "\n".join(self.sluice(c, "--help").out.decode() for c in COMMANDS)
        known = dict(re.findall(r"^  -(\w), --([\w-]+)", helps, re.M))
        names = set(re.findall(r"^ +(?:-\w, )?--([\w-]+)", helps, re.M))
        text = self.manual()
        shown = set(re.findall(r"(?<![\w-])--([a-z][\w-]*)", text))
        self.assertEqual(shown - names, set())
        self.assertEqual(names - shown, set())
        for letter, name in re.findall(r"^\.BR -(\w) .*?--([\w-]+)", text, re.M):
            self.assertEqual(known.get(letter), name)

    def test_commands_of_the_help_run_and_fit_the_width(self):
        for command in ("", *COMMANDS):
            text = self.sluice(*command.split(), "--help").out.decode()
            with self.subTest(command=command):
                self.assertEqual([line for line in text.splitlines() if len(line) > WIDTH], [])
                self.assertTrue(examples(text), text)
            for example in examples(text):
                with self.subTest(example=example):
                    code, out = self.shell(example)
                    self.assertEqual(code, 0, out)

    def test_commands_of_the_help_of_pipes_run(self):
        for name in re.findall(r"^  (\w+) ", self.sluice("pipes").out.decode(), re.M):
            text = self.sluice("pipes", name).out.decode()
            with self.subTest(pipe=name):
                prose = re.sub(r"^  sluice run .*", "", text, flags=re.M | re.S)
                self.assertEqual([line for line in prose.splitlines() if len(line) > WIDTH], [])
                self.assertIn("\nexample:\n", text)
                code, out = self.shell(text.partition("\nexample:\n")[2])
                self.assertEqual(code, 0, out)


if __name__ == "__main__":
    main()
