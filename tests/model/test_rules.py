#!/usr/bin/env python3
"""The model itself against the rules of README.md, by hand."""

import sqlite3
import unittest

import inputs
import model
import outputs
import pipes
import values
from values import Number, Untyped


def evidence(*cells):
    e = values.Evidence()
    for c in cells:
        e.add(c)
    return e.type


class Cells(unittest.TestCase):
    def test_plain_numbers_are_numbers(self):
        for text, n in (("0", 0), ("-7", -7), ("9223372036854775807", 2**63 - 1), ("1.50", 1.5), ("1.5e3", 1500.0)):
            self.assertEqual(values.plain_number(text), n)
            self.assertIs(type(values.plain_number(text)), type(n))
        for text in ("007", "+1", "1e5", " 1", "1_000", "0x10", ".5", "5.", "-0", "9223372036854775808", "12345678901234567.89", "1.0e999", ""):
            self.assertIsNone(values.plain_number(text))

    def test_odd_numbers_are_those_that_sqlite_converts(self):
        con = sqlite3.connect(":memory:")
        con.execute("CREATE TABLE t (n NUMERIC)")
        for text in ("007", "+1", "1e5", " 5 ", ".5", "5.", "-0", "1e400", "\t7\n", "12345678901234567890", "1_000", "0x10", "n/a", ".", "+", "e5", "1e", "5 5", "nan", "1.5.1"):
            con.execute("DELETE FROM t")
            con.execute("INSERT INTO t VALUES (?)", (text,))
            converted = con.execute("SELECT typeof(n) <> 'text' FROM t").fetchone()[0]
            self.assertEqual(values.is_odd(Untyped(text)), bool(converted), text)

    def test_types_follow_all_cells(self):
        self.assertEqual(evidence(Untyped("1"), Untyped(""), None, True), "INTEGER")
        self.assertEqual(evidence(Untyped("1"), Untyped("1.5")), "REAL")
        self.assertEqual(evidence(Untyped("9007199254740993"), Untyped("1.5")), "TEXT")
        self.assertEqual(evidence(True, Number("1.5")), "TEXT")
        self.assertEqual(evidence("5"), "TEXT")
        self.assertEqual(evidence(Number("1e5")), "REAL")
        self.assertEqual(evidence(Number("1E400")), "TEXT")
        self.assertEqual(evidence(Untyped(""), None), "TEXT")

    def test_a_cell_is_altered_where_its_column_would_change_it(self):
        for cell, declared, altered in (
            (Untyped("007"), "INTEGER", True), (Untyped("n/a"), "INTEGER", False), (Untyped("1.50"), "INT", False), (Untyped(""), "INT", False),
            (Untyped("9007199254740993"), "REAL", True), (True, "REAL", True), (True, "INT", False), (Untyped("007"), "", False), (Untyped("1e5"), "TEXT", False),
        ):  # fmt: skip
            self.assertEqual(values.is_altered(cell, declared, False), altered, (cell, declared))
        self.assertTrue(values.is_altered(Untyped("n/a"), "INTEGER", True))
        self.assertTrue(values.is_altered(Number("1.5"), "INT", True))
        self.assertFalse(values.is_altered(Number("1.0"), "INT", True))

    def test_texts_of_values_are_those_of_the_program(self):
        self.assertEqual(values.text_of({"a": [Number("2.50"), True, None, "é\n"]}), '{"a":[2.50,true,null,"é\\n"]}')
        self.assertEqual([values.stored_as_text(v) for v in (1.0, 1e20, 7, "x", None)], ["1.0", "1e+20", "7", "x", None])


class Loads(unittest.TestCase):
    def database(self, *columns, rows=(), more=(), **options):
        d = model.Database()
        d.create(model.Table("t", [model.Column(*c) for c in columns], **options), rows, more)
        return d

    def load(self, d, records, **options):
        r = inputs.Records(records)
        d.begin()
        try:
            d.load("t", r, model.Options(**options))
        except inputs.Refused:
            d.rollback()
            raise
        d.commit()
        return d.con.execute("SELECT * FROM t").fetchall()

    def test_a_column_is_widened_with_what_it_holds(self):
        d = self.database(("a", "INTEGER"), ("b", "REAL"), rows=[(7, 1e20)], more=["CREATE INDEX i ON t (a)"])
        rows = self.load(d, [{"A": Untyped("007")}], mode="append")
        self.assertEqual(rows, [("7", 1e20), ("007", None)])
        self.assertEqual([c[2] for c in d.con.execute("PRAGMA table_info(t)")], ["TEXT", "REAL"])
        self.assertEqual(len(d.con.execute("PRAGMA index_list(t)").fetchall()), 1)

    def test_refusals_change_nothing(self):
        d = self.database(("id", "INTEGER", "PRIMARY KEY"), ("b", "REAL"), rows=[(1, 2.0)])
        for records, options in (
            ([{"id": Untyped("007")}], {"mode": "append"}),
            ([{"b": Untyped("007")}], {"mode": "append", "schema": "freeze"}),
            ([{"c": Untyped("1")}], {"mode": "append", "schema": "freeze"}),
            ([{"id": Untyped("5"), "b": Untyped("")}, {"id": Untyped("1")}], {"mode": "append"}),
            ([{"b": Number("1")}], {"mode": "upsert", "key": ("id",)}),
            ([], {"mode": "replace"}),
        ):
            with self.assertRaises(inputs.Refused):
                self.load(d, records, **options)
            self.assertEqual(d.con.execute("SELECT * FROM t").fetchall(), [(1, 2.0)])

    def test_upsert_changes_the_fields_given(self):
        d = self.database(("id", "INTEGER"), ("a", "TEXT", "NOT NULL DEFAULT 'd'"), ("b", "TEXT"), rows=[(1, "x", "y")])
        one, two = Number("1"), Number("2")
        rows = self.load(d, [{"id": one, "b": None}, {"id": two}, {"id": one, "a": "z"}], mode="upsert", key=("ID",))
        self.assertEqual(rows, [(1, "z", None), (2, "d", None)])

    def test_replace_keeps_a_declaration(self):
        d = self.database(("id", "INTEGER", "PRIMARY KEY"), ("a", "TEXT", "DEFAULT 'd'"), rows=[(9, "x")])
        self.assertEqual(self.load(d, [{"id": Number("3")}]), [(3, "d")])
        plain = self.database(("id", "TEXT"), rows=[("9",)])
        self.assertEqual(self.load(plain, [{"id": Number("3"), "b": "x"}]), [(3, "x")])

    def test_names_of_columns_are_unique_in_any_case(self):
        r = [{"a": 1, "A": 2}, {"a_2": 3}]
        self.assertEqual(model.name_columns(r), {"a": "a", "A": "A_3", "a_2": "a_2"})


class Files(unittest.TestCase):
    def test_csv_is_read_by_its_rules(self):
        records, names = inputs.read_csv('a,,a\r\n1,"x\r\n""y""",\r\n\r\n')
        self.assertEqual(names, ["a", "column_2", "a_2"])
        self.assertEqual(records, [{"a": "1", "column_2": 'x\r\n"y"', "a_2": ""}])
        with self.assertRaises(inputs.Refused):
            inputs.read_csv("a,b\n1\n")

    def test_outputs_are_spelled_like_the_program_spells_them(self):
        records = inputs.Records([{"a": Number("1.50"), "b": True}, {"b": None}])
        self.assertEqual(outputs.csv_text(records), "a,b\n1.50,true\n,\n")
        self.assertEqual(outputs.jsonl_text(records), '{"a":1.50,"b":true}\n{"b":null}\n')
        with self.assertRaises(inputs.Refused):
            outputs.csv_text([{"a": "1"}, {"b": "1"}])

    def test_pipes_do_what_the_program_does(self):
        r = [{"n": Number(n)} for n in ("2", "1", "2", "3")]
        self.assertEqual([x["n"] for x in pipes.run(r, [{"type": "uniq", "conf": {"uniq_key": "n", "limit": 1}}])], ["2", "1", "2", "3"])
        self.assertEqual(pipes.run(r, [{"type": "count", "conf": {"count_key": "n"}}]), [{"2": "2"}, {"1": "1"}, {"3": "1"}])
        self.assertEqual([x["n"] for x in pipes.run(r, [{"type": "sort", "conf": {"rule": [{"field": "n", "dir": "desc"}]}}])], ["3", "2", "2", "1"])


if __name__ == "__main__":
    unittest.main()
