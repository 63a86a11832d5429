#!/usr/bin/env python3
"""docs/adding-a-pipe.md says what is so: its C is that of the template, its examples are lines of the template's cases, its commands
print what they show. And the program that is shipped knows none of it.

    SLUICE=build/dev/sluice TEMPLATE_SLUICE=build/dev/template/sluice test_page.py"""

import os
import re
import shlex
import subprocess
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = (HERE.parents[1] / "docs" / "adding-a-pipe.md").read_text()


def blocks(language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)
    assert found, f"the page has no block of {language}"
    return found


def template(pattern):
    return "\n".join(p.read_text() for p in sorted(HERE.glob(pattern)))


def run(program, words):
    """The exit code, and the output or the message."""
    r = subprocess.run([program, *words], capture_output=True, text=True, timeout=60)
    return r.returncode, r.stderr if r.returncode else r.stdout


class Page(unittest.TestCase):
    def test_code_is_the_template(self):
        code = template("*.c") + "\n" + template("*.def")
        for block in blocks("c"):
            with self.subTest(block=block):
                self.assertIn("\n" + block, code)

    def test_examples_are_its_cases(self):
        cases = template("*.jsonl").splitlines()
        for line in "".join(blocks("jsonl")).splitlines():
            self.assertIn(line, cases)

    def test_commands_print_what_is_shown(self):
        for block in blocks("console"):
            for command, shown in re.findall(r"^\$ sluice (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
                with self.subTest(command=command):
                    self.assertEqual(run(os.environ["TEMPLATE_SLUICE"], shlex.split(command))[1], shown)

    def test_files_it_names_are_there(self):
        root = HERE.parents[1]
        for name in re.findall(r"`((?:src|tests|docs)/[\w/.-]+\.\w+)`", PAGE):
            if "NAME" not in name:
                self.assertTrue((root / name).exists(), name)
        rooms = [root / "src" / "operators", root / "src" / "sources", root / "src", HERE]
        for name in re.findall(r"`([\w/]+\.[ch])`", PAGE):
            found = any((room / name).exists() for room in (*rooms, root, root / "src" / "plan"))
            self.assertTrue(found or "NAME" in name, name)

    def test_none_is_shipped(self):
        for pipe in ("shout", "blank", "longest"):
            code, said = run(os.environ["SLUICE"], ["pipes", pipe])
            self.assertEqual(code, 2)
            self.assertIn(pipe, said)


if __name__ == "__main__":
    unittest.main()
