#!/usr/bin/env python3
"""The pages of docs that build a template say what is so: their C is that of the template, their examples are lines of its cases,
their commands print what they show. And the program that is shipped knows none of it.

    SLUICE=build/dev/sluice TEMPLATE_SLUICE=build/dev/template/sluice test_page.py"""

import os
import re
import shlex
import subprocess
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMES = ("adding-a-format.md", "adding-a-pipe.md", "adding-a-sink.md", "adding-an-aggregate.md")
PAGES = {name: (ROOT / "docs" / name).read_text() for name in NAMES}


def blocks(language):
    """(page, block) of all pages."""
    for name, page in PAGES.items():
        found = re.findall(rf"^```{language}\n(.*?)^```$", page, re.M | re.S)
        assert found or language == "jsonl", f"{name} has no block of {language}"
        for block in found:
            yield name, block


def template(pattern):
    return "\n".join(p.read_text() for p in sorted(HERE.glob(pattern)))


def run(program, words):
    """The exit code, and the output or the message."""
    r = subprocess.run([program, *words], capture_output=True, text=True, timeout=60, cwd=HERE)
    return r.returncode, r.stderr if r.returncode else r.stdout


class Page(unittest.TestCase):
    def test_code_is_the_template(self):
        code = template("*.c") + "\n" + template("*.def")
        for page, block in blocks("c"):
            with self.subTest(page=page, block=block):
                self.assertIn("\n" + block, code)

    def test_examples_are_its_cases(self):
        cases = template("*.jsonl").splitlines()
        for page, block in blocks("jsonl"):
            for line in block.splitlines():
                with self.subTest(page=page):
                    self.assertIn(line, cases)

    def test_commands_print_what_is_shown(self):
        for page, block in blocks("console"):
            for command, shown in re.findall(r"^\$ sluice (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
                with self.subTest(page=page, command=command):
                    self.assertEqual(run(os.environ["TEMPLATE_SLUICE"], shlex.split(command))[1], shown)

    def test_files_they_name_are_there(self):
        for page, text in PAGES.items():
            for name in re.findall(r"`((?:src|sinks|tests|docs)/[\w/.-]+\.\w+)`", text):
                if "NAME" not in name:
                    self.assertTrue((ROOT / name).exists(), f"{page}: {name}")
            rooms = [ROOT / "src" / "operators", ROOT / "src" / "sources", ROOT / "src", HERE, ROOT, ROOT / "src" / "plan"]
            for name in re.findall(r"`([\w/]+\.[ch])`", text):
                self.assertTrue("NAME" in name or any((room / name).exists() for room in rooms), f"{page}: {name}")

    def test_none_is_shipped(self):
        for pipe in ("shout", "blank", "longest"):
            code, said = run(os.environ["SLUICE"], ["pipes", pipe])
            self.assertEqual(code, 2)
            self.assertIn(pipe, said)
        self.assertIn("unknown type 'stanza'", run(os.environ["SLUICE"], ["pipe", "fetchdata url=x type=stanza"])[1])
        self.assertNotIn("range", run(os.environ["SLUICE"], ["pipes", "aggregate"])[1])
        self.assertIn("no kind of output", run(os.environ["SLUICE"], ["pipe", "fetchdata url=x.json", "--to", "x.md"])[1])


if __name__ == "__main__":
    unittest.main()
