#!/usr/bin/env python3
"""Every example of configs/ prints what is checked in under expected/, whatever pool it runs on, and fills its own sinks.

    SLUICE=build/dev/sluice test_examples.py [--write]      --write: takes the output as expected"""

import contextlib
import csv
import hashlib
import json
import sqlite3
import sys
import unittest

from program import EXAMPLES, SOURCE, Case, pools

EXPECTED = SOURCE / "tests" / "cli" / "expected"
WRITE = "--write" in sys.argv
WORKERS = (1, 2, 3)
SHOWN = 100


def in_short(out):
    """Long output as its first lines, its length and its digest."""
    lines = out.splitlines(keepends=True)
    if len(lines) <= 2 * SHOWN:
        return out
    rest = f"... {len(lines)} lines, sha256 {hashlib.sha256(out).hexdigest()}\n"
    return b"".join(lines[:SHOWN]) + rest.encode()


def rows(path, query):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


class Examples(Case):
    def setUp(self):
        super().setUp()
        (self.dir / "out").mkdir()

    def output(self, example, *options):
        return in_short(self.sluice("run", example, "--to", "-", "--format", "jsonl", "-q", *options).out)

    def test_the_same_bytes_on_every_pool(self):
        for example in EXAMPLES:
            expected = EXPECTED / (example.stem + ".jsonl")
            with self.subTest(example=example.name):
                if WRITE:
                    expected.write_bytes(self.output(example, "--parallel=false"))
                for pool in pools(WORKERS):
                    self.assertEqual(self.output(example, *pool), expected.read_bytes(), f"{example.name} on {pool}")

    def test_small_units_change_nothing(self):
        for example in EXAMPLES:
            with self.subTest(example=example.name):
                expected = (EXPECTED / (example.stem + ".jsonl")).read_bytes()
                self.assertEqual(self.output(example, "--unit", "5000", "-j", "3"), expected)

    def test_every_expected_output_has_an_example(self):
        known = {p.stem for p in EXAMPLES}
        self.assertEqual([p.name for p in EXPECTED.glob("*.jsonl") if p.stem not in known], [])

    def test_every_example_has_a_name_and_passes_the_check(self):
        for example in EXAMPLES:
            with self.subTest(example=example.name):
                self.assertTrue(json.loads(example.read_text())["name"])
                self.sluice("check", example)
                stages = json.loads(self.sluice("plan", example, "--json").out)
                self.assertTrue(stages)

    def test_csv_to_sqlite_holds_what_the_file_holds(self):
        self.sluice("run", SOURCE / "configs" / "csv-to-sqlite.json", "-q")
        with open(SOURCE / "data" / "crime.csv", newline="", encoding="utf-8") as f:
            expected = list(csv.DictReader(f))
        db = self.dir / "out" / "crime.db"
        self.assertEqual(rows(db, "SELECT id, docket, description, incidents FROM crime ORDER BY rowid"),
                         [(int(r["id"]), r["docket"], r["description"], int(r["incidents"])) for r in expected])
        self.assertEqual(rows(db, "SELECT count(*) FROM crime WHERE typeof(docket) <> 'text'"), [(0,)])

    def test_json_to_sqlite_upserts(self):
        example, db = SOURCE / "configs" / "json-to-sqlite.json", self.dir / "out" / "reports.db"
        self.sluice("run", example, "-q")
        with contextlib.closing(sqlite3.connect(db)) as connection:
            connection.execute("UPDATE reports SET incidents = -1 WHERE id <= 3")
            connection.execute("INSERT INTO reports(id, crime) VALUES(99999, 'kept')")
            connection.commit()
        self.sluice("run", example, "-q")
        self.assertEqual(rows(db, "SELECT count(*), min(incidents) >= 0 FROM reports WHERE id < 99999"), [(2000, 1)])
        self.assertEqual(rows(db, "SELECT crime FROM reports WHERE id = 99999"), [("kept",)])

    def test_xml_to_sqlite_holds_what_the_table_holds(self):
        self.sluice("run", SOURCE / "configs" / "xml-to-sqlite.json", "-q")
        with open(SOURCE / "data" / "stations.csv", newline="", encoding="utf-8") as f:
            expected = sorted((r["code"], r["station"], int(r["officers"]), r["opened"]) for r in csv.DictReader(f))
        self.assertEqual(rows(self.dir / "out" / "stations.db", "SELECT code, name, officers, opened FROM stations ORDER BY code"),
                         expected)

    def test_html_to_csv_holds_what_the_table_holds(self):
        self.sluice("run", SOURCE / "configs" / "html-to-csv.json", "-q")
        with open(SOURCE / "data" / "stations.csv", newline="", encoding="utf-8") as f:
            expected = {(r["home_province"], r["station"], r["officers"]) for r in csv.DictReader(f)}
        with open(self.dir / "out" / "stations.csv", newline="", encoding="utf-8") as f:
            table = [(r["home_province"], r["station"], r["officers"]) for r in csv.DictReader(f)]
        self.assertEqual(set(table), expected)
        self.assertEqual(len(table), len(expected))

    def test_two_sinks_get_the_same(self):
        self.sluice("run", SOURCE / "configs" / "two-sinks.json", "-q")
        with open(self.dir / "out" / "totals.csv", newline="", encoding="utf-8") as f:
            table = list(csv.DictReader(f))
        self.assertEqual(len(table), 117)
        self.assertEqual([(r["province"], r["crime"], int(r["count"])) for r in table],
                         rows(self.dir / "out" / "totals.db", 'SELECT province, crime, "count" FROM totals ORDER BY rowid'))


if __name__ == "__main__":
    unittest.main(argv=[a for a in sys.argv if a != "--write"])
