#!/usr/bin/env python3
"""What docs/adding-a-sink.md builds: the same bytes on every pool, and all or nothing whatever fails.

    TEMPLATE_SLUICE=build/dev/template/sluice FAULT_SHIM=build/dev/fault_shim.so test_sink.py"""

import errno
import json
import os
import sys
import unittest
from pathlib import Path

os.environ["SLUICE"] = os.environ["TEMPLATE_SLUICE"]
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("cli", "fault")]

import program  # noqa: E402
from disturbed import NOTES_SIZE, ON, Fault  # noqa: E402

OLD = "| old |\n|---|\n| row |\n"
SHIM = os.environ.get("FAULT_SHIM")


def target(path, *columns):
    return json.dumps({"to": path, "columns": columns})


class Sink(program.Case):
    def setUp(self):
        super().setUp()
        self.rows = [(str(i), f"a|b{i}", f"two\nlines {i}" if i % 7 == 0 else "") for i in range(3000)]
        quoted = "".join(f'{n},{t},"{w}"\n' for n, t, w in self.rows)
        self.file("in.csv", "n,t,w\n" + quoted)
        self.file("out.md", OLD)

    def load(self, *args, **more):
        return self.sluice("load", "in.csv", *args, "--unit", "4K", "-q", **more)

    def test_every_pool_writes_the_same(self):
        cells = [(w.replace("\n", "<br>"), n, "", t.replace("|", "\\|")) for n, t, w in self.rows]
        table = "| w | n | none | t |\n|---|---|---|---|\n" + "".join("| " + " | ".join(c) + " |\n" for c in cells)
        for pool in program.pools():
            self.load("--to", target("out.md", "w", "n", "none", "t"), *pool)
            self.assertEqual((self.dir / "out.md").read_text(), table, pool)

    def refused(self, reason, *args, code=1, others=(), **more):
        """The run fails, and every place is as it was."""
        r = self.load("--to", target("out.md", "n"), *args, code=code, **more)
        self.assertIn(reason, r.message)
        self.assertEqual((self.dir / "out.md").read_text(), OLD)
        self.assertEqual(self.names(), sorted(["in.csv", "out.md", *others]))

    def test_a_commit_that_fails_leaves_the_old(self):
        if not SHIM:
            self.skipTest("the shim and sanitizers do not go together")
        notes = self.file("notes", bytes(NOTES_SIZE))
        fault = Fault("rename", 1, ON, errno.EIO)
        env = dict(self.env, LD_PRELOAD=SHIM, SLUICE_FAULT=fault.text(), SLUICE_FAULT_NOTES=str(notes))
        self.refused("Input/output error", env=env, others=["notes"])

    def test_a_full_disk_leaves_the_old(self):
        self.file("other.csv", OLD)
        self.refused("out.md", "--to", "other.csv", rlimits={"RLIMIT_FSIZE": 16384}, others=["other.csv"])
        self.assertEqual((self.dir / "other.csv").read_text(), OLD)

    def test_nothing_is_committed_where_another_sink_is_not_ready(self):
        self.file("key.csv", "n\n1\n")
        self.sluice("load", "key.csv", "--to", "x.db:t", "-q")
        table = json.dumps({"to": "x.db:t", "mode": "append", "schema": "freeze"})
        self.refused("is frozen", "--to", table, others=["key.csv", "x.db"])

    def test_an_empty_input_replaces_no_rows(self):
        self.file("in.csv", "n,t,w\n")
        self.refused("holds records")
        self.file("out.md", "| old |\n|---|\n")
        self.load("--to", target("out.md", "n"))
        self.assertEqual((self.dir / "out.md").read_text(), "| n |\n|---|\n")

    def test_columns_are_asked_for(self):
        self.load("--to", "out.md", code=2)
        self.assertEqual((self.dir / "out.md").read_text(), OLD)

    def test_bare_values_are_refused(self):
        r = self.sluice("pipe", "csv url=in.csv | count @emit=true", "--to", target("out.md", "n"), code=1)
        self.assertIn("bare values", r.message)


if __name__ == "__main__":
    unittest.main()
