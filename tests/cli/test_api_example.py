#!/usr/bin/env python3
"""docs/api-example.c, compiled as $API_EXAMPLE, does what it says."""

import json
import os
import subprocess
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("API_EXAMPLE", "api_example")


def run(*args):
    return subprocess.run([PROGRAM, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)


def parts(output):
    """The lines under each title."""
    found, lines = {}, []
    for line in output.splitlines():
        if line.startswith("-- "):
            lines = found[line[3:]] = []
        else:
            lines.append(line)
    return found


class ApiExample(unittest.TestCase):
    def test_every_part_prints_what_it_should(self):
        r = run(SOURCE / "configs" / "crime-top.json", SOURCE / "data" / "crime.csv")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        part = parts(r.stdout)
        top = [json.loads(line) for line in part["from a file"]]
        self.assertEqual([item["province"] for item in top], ["WC"] * 5)
        self.assertEqual(part["from a text"], ['{"content":"a"}', '{"content":"b"}', '{"content":"c"}'])
        table = part["step by step, to a sink"]
        self.assertEqual(table[0], "province,count")
        self.assertEqual(sum(int(line.split(",")[1]) for line in table[1:-1]), 2000)
        self.assertEqual(table[-1], "2000 items read, 9 written")
        self.assertEqual(part["pulled over threads"], ['{"count":3}'])
        self.assertEqual(part["closed early"], ['{"forever":true}'] * 3)

    def test_a_failure_ends_with_its_code(self):
        r = run("nosuch.json", "nosuch.csv")
        self.assertEqual(r.returncode, 2)
        self.assertIn("nosuch.json", r.stderr)


if __name__ == "__main__":
    unittest.main()
