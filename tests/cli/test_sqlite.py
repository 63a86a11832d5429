"""Loads into SQLite: values that never change, tables that keep what belongs to them, fields that an item lacks, several tables and
several loads at once, new databases. The rules are in docs/operations.md."""

import json
import os
import sqlite3
import subprocess
import sys

import program
from program import Case, INLINE, PROGRAM

POOLS = (INLINE, ("-j", "2"), ("--threads=false", "-j", "2"))


class Tables(Case):
    """A database `x.db` and its table `t`."""

    def setUp(self):
        super().setUp()
        self.db = self.dir / "x.db"

    def sql(self, script, path=None):
        with sqlite3.connect(path or self.db) as c:
            c.executescript(script)

    def rows(self, query="SELECT * FROM t", path=None):
        c = sqlite3.connect(path or self.db)
        rows = c.execute(query).fetchall()
        self.assertEqual(c.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        c.close()
        return rows

    def types(self, table="t"):
        return {name: kind for _, name, kind, *_ in self.rows(f"PRAGMA table_info({table})")}

    def load(self, name, data, *args, code=0):
        return self.sluice("load", self.file(name, data), "--to", f"{self.db}:t", "-q", *args, code=code)

    def assert_alone(self):
        """Nothing stands beside the database."""
        self.assertEqual([n for n in os.listdir(self.dir) if "sluice" in n or "-journal" in n or "-wal" in n], [])


class NewTables(Tables):
    def test_a_column_that_becomes_text_in_the_last_row(self):
        lines = ["id,pad"] + [f"{i},{'y' * 70}" for i in range(60000)]
        for pool in POOLS:
            with self.subTest(pool=pool):
                self.load("a.csv", "\n".join([*lines, "x,y"]), *pool)
                self.assertEqual(self.types(), {"id": "TEXT", "pad": "TEXT"})
                self.assertEqual(self.rows("SELECT count(*), count(DISTINCT id), min(typeof(id)) FROM t"), [(60001, 60001, "text")])
                self.db.unlink()

    def test_texts_that_come_in_the_last_of_many_files(self):
        for i in range(300):
            header = ",".join(["a"] + [f"c{k}" for k in range(i // 50)])
            self.file(f"f{i:04}.csv", header + "\n" + ",".join(["1.50" if i < 299 else "n/a"] + ["7"] * (i // 50)) + "\n")
        for pool in POOLS:
            with self.subTest(pool=pool):
                self.sluice("load", "f*.csv", "--to", f"{self.db}:t", "-q", *pool)
                self.assertEqual(self.types()["a"], "TEXT")
                self.assertEqual(self.types()["c4"], "INTEGER")
                self.assertEqual(self.rows("SELECT a, count(*) FROM t GROUP BY a"), [("1.50", 299), ("n/a", 1)])
                self.db.unlink()

    def test_many_small_files_make_full_pages(self):
        folder = self.dir / "many"
        folder.mkdir()
        for i in range(2000):
            (folder / f"{i}.csv").write_text(f"id,name\n{i},name {i}\n")
        for pool in POOLS:
            with self.subTest(pool=pool):
                self.sluice("load", "many/*.csv", "--to", f"{self.db}:t", "-q", *pool)
                size = self.db.stat().st_size
                self.assertEqual(self.rows("SELECT count(*), sum(id) FROM t"), [(2000, 1999 * 1000)])
                self.sql("VACUUM")
                self.assertLessEqual(size, 1.1 * self.db.stat().st_size)
                self.db.unlink()

    def test_small_files_whose_keys_come_in_another_order(self):
        folder = self.dir / "many"
        folder.mkdir()
        items = [{"id": i, "ok": i % 3 == 0, "price": f"{i / 4:.2f}", "n": 1.5 * i} for i in range(1500)]
        for i, d in enumerate(items):
            d = {k: d[k] for k in d if k != "n" or i % 7}
            (folder / f"{i:05}.json").write_text(json.dumps([dict(reversed(list(d.items()))) if i % 5 == 0 else d]))
        for pool in POOLS:
            with self.subTest(pool=pool):
                self.sluice("load", "many/*.json", "--to", f"{self.db}:t", "-q", *pool)
                size = self.db.stat().st_size
                self.assertEqual(self.rows("SELECT id, ok, price, n FROM t"),
                                 [(d["id"], int(d["ok"]), d["price"], d["n"] if i % 7 else None) for i, d in enumerate(items)])
                self.sql("VACUUM")
                self.assertLessEqual(size, 1.1 * self.db.stat().st_size)
                self.db.unlink()

    def test_items_whose_keys_come_in_another_order(self):
        items = [{"id": i, "n": f"name {i}", "x": i / 4} for i in range(3000)]
        turned = [dict(reversed(list(d.items()))) if i % 700 > 350 else d for i, d in enumerate(items)]
        data = "\n".join(map(json.dumps, turned)) + '\n{"x": "late", "id": 3000}\n'
        for pool in POOLS:
            with self.subTest(pool=pool):
                self.load("a.jsonl", data, "--unit", "4096", *pool)
                self.assertEqual(self.types(), {"id": "INTEGER", "n": "TEXT", "x": "TEXT"})
                self.assertEqual(self.rows(), [(d["id"], d["n"], str(d["x"])) for d in items] + [(3000, None, "late")])
                self.db.unlink()

    def test_booleans_are_integers_unless_a_text_comes(self):
        self.load("a.jsonl", '{"a":true,"b":true,"c":true}\n{"a":false,"b":2,"c":"x"}\n{"a":null,"b":1,"c":1}\n')
        self.assertEqual(self.types(), {"a": "INTEGER", "b": "INTEGER", "c": "TEXT"})
        self.assertEqual(self.rows(), [(1, 1, "true"), (0, 2, "x"), (None, 1, "1")])

    def test_numbers_keep_their_spelling(self):
        self.load("a.jsonl", '{"a":12345678901234567.89,"b":1E400,"c":1.50,"d":1e5}\n{"a":1,"b":1,"c":2,"d":3}\n')
        self.assertEqual(self.types(), {"a": "TEXT", "b": "TEXT", "c": "REAL", "d": "REAL"})
        self.assertEqual(self.rows(), [("12345678901234567.89", "1E400", 1.5, 100000.0), ("1", "1", 2.0, 3.0)])

    def test_made_up_names_give_way_to_real_ones(self):
        self.load("a.jsonl", '{"a":1,"A":2,"a_2":3}\n')
        self.assertEqual(self.rows("SELECT a, A_3, a_2 FROM t"), [(1, 2, 3)])

    def test_items_without_a_field(self):
        r = self.load("a.jsonl", "{}\n{}\n", code=1)
        self.assertIn("no fields", r.message)
        self.assertFalse(self.db.exists())
        self.sql("CREATE TABLE t(a DEFAULT 5)")
        self.load("a.jsonl", "{}\n{}\n", "-m", "append")
        self.assertEqual(self.rows(), [(5,), (5,)])
        r = self.load("a.jsonl", "{}\n", code=1)
        self.assertEqual(self.rows(), [(5,), (5,)])
        r = self.sluice("load", "a.jsonl", "--to", f"{self.db}:u", code=1)
        self.assertIn("no fields", r.message)

    def test_what_an_item_without_a_field_lacks_is_missing(self):
        """Whether it is in a file with others or alone, and whatever came before it."""
        texts = ('{"a":1}\n', "{}\n{}\n", '{"b":2}\n', "{}\n", '{"b":null,"a":3}\n')
        for number, text in enumerate(texts):
            self.file(f"in-{number}.jsonl", text)
        self.file("all.jsonl", "".join(texts))
        for source in ("in-*.jsonl", "all.jsonl"):
            for pool in POOLS:
                with self.subTest(source=source, pool=pool):
                    self.sql("DROP TABLE IF EXISTS t; CREATE TABLE t(a NOT NULL DEFAULT 5, b DEFAULT 6)")
                    self.sluice("load", source, "--to", f"{self.db}:t", "-m", "append", *pool)
                    self.assertEqual(self.rows(), [(1, 6), (5, 6), (5, 6), (5, 2), (5, 6), (3, None)])

    def test_more_columns_than_a_table_can_have(self):
        wide = json.dumps({f"c{i}": i for i in range(40000)})
        r = self.load("a.jsonl", '{"a":1}\n' + wide + "\n", code=1)
        self.assertIn("different fields", r.message)
        self.assertIn("a.jsonl:", r.message)
        self.assertFalse(self.db.exists())
        self.load("a.jsonl", json.dumps({f"c{i}": i for i in range(1990)}) + "\n")
        self.assertEqual(self.rows("SELECT c0, c1989 FROM t"), [(0, 1989)])


class Values(Tables):
    """A table that exists: a value that a column would alter is not stored so."""

    def test_other_spellings_of_a_number_make_the_column_text(self):
        for text in ("007", "+1", "1e5", " 1", ".5", "5.", "-0", "1e400", "9" * 20):
            for mode in (("-m", "append"), ("-m", "ignore", "-k", "id"), ("-m", "upsert", "-k", "id")):
                with self.subTest(text=text, mode=mode):
                    self.sql("CREATE TABLE t(id INTEGER, n REAL); INSERT INTO t VALUES(7, 2)")
                    self.load("a.csv", f'id,n\n"{text}",1\n', *mode)
                    self.assertEqual(self.rows(), [("7", 2.0), (text, 1.0)])
                    self.assertEqual(self.types(), {"id": "TEXT", "n": "REAL"})
                    self.db.unlink()

    def test_what_loses_nothing_widens_nothing(self):
        self.sql("CREATE TABLE t(i INTEGER, r REAL, n NUMERIC, b, s TEXT)")
        self.load("a.csv", "i,r,n,b,s\n1.50,2,n/a,5,5\n,n/a,,x,1.50\n1.0,9007199254740992,1_0,,007\n", "-m", "append")
        self.assertEqual(self.types(), {"i": "INTEGER", "r": "REAL", "n": "NUMERIC", "b": "", "s": "TEXT"})
        self.assertEqual(self.rows(), [(1.5, 2.0, "n/a", 5, "5"), (None, "n/a", None, "x", "1.50"),
                                       (1, 9007199254740992.0, "1_0", "", "007")])

    def test_integers_that_a_double_does_not_hold(self):
        self.load("a.csv", "id\n1.5\n")
        self.load("b.csv", "id\n9007199254740993\n", "-m", "append")
        self.assertEqual(self.rows(), [("1.5",), ("9007199254740993",)])

    def test_the_same_whatever_stood_before_in_the_unit(self):
        self.sql("CREATE TABLE t(i INTEGER, n)")
        self.load("a.jsonl", '{"i":1,"n":true}\n{"i":"word","n":"word"}\n{"i":"","n":""}\n{"i":true,"n":1e5}\n', "-m", "append")
        self.assertEqual(self.rows(), [(1, 1), ("word", "word"), (None, ""), (1, 100000.0)])

    def test_strict_tables_are_widened_too(self):
        self.sql("CREATE TABLE t(i INT, r REAL, a ANY, s TEXT) STRICT; INSERT INTO t VALUES(1, 2.5, 3, 'x')")
        self.load("a.csv", "i,r,a,s\nn/a,1,5,5\n", "-m", "append")
        self.assertEqual(self.types(), {"i": "TEXT", "r": "REAL", "a": "ANY", "s": "TEXT"})
        self.assertEqual(self.rows(), [("1", 2.5, 3, "x"), ("n/a", 1.0, 5, "5")])
        self.assertIn("STRICT", self.rows("SELECT sql FROM sqlite_schema WHERE name = 't'")[0][0])

    def test_widening_keeps_what_belongs_to_the_table(self):
        self.sql("""
            CREATE TABLE log(what);
            CREATE TABLE "t" (  -- a comment, with a comma (and more
                [k] TEXT COLLATE NOCASE PRIMARY KEY, "v" DOUBLE PRECISION NOT NULL DEFAULT (1 + 1),
                w VARCHAR(3, 4) CHECK (w <> 'no'), g AS (v || '!') STORED, UNIQUE (v, w)) WITHOUT ROWID;
            CREATE INDEX iv ON t(v DESC) WHERE w IS NOT NULL;
            CREATE VIEW vv AS SELECT v FROM t;
            CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES(NEW.v); END;
            INSERT INTO t(k, v, w) VALUES('a', 1, 'x'), ('b', 1e20, 'y'), ('c', 0.1, NULL);
            DELETE FROM log""")
        self.load("a.csv", "k,v\nd,007\n", "-m", "append")
        self.assertEqual(self.rows(), [("a", "1.0", "x", "1.0!"), ("b", "1e+20", "y", "1e+20!"), ("c", "0.1", None, "0.1!"),
                                       ("d", "007", None, "007!")])
        self.assertEqual(self.rows("SELECT * FROM vv ORDER BY 1"), [("0.1",), ("007",), ("1.0",), ("1e+20",)])
        self.assertEqual(self.rows("SELECT what FROM log"), [("007",)])
        sql = self.rows("SELECT sql FROM sqlite_schema WHERE name = 't'")[0][0]
        for part in ("-- a comment", "[k] TEXT COLLATE NOCASE", '"v" TEXT NOT NULL DEFAULT (1 + 1)', "VARCHAR(3, 4) CHECK",
                     "UNIQUE (v, w)", "WITHOUT ROWID"):
            self.assertIn(part, sql)
        self.assertEqual(self.rows("SELECT name FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY 1"),
                         [("iv",), ("tr",)])

    def test_widening_keeps_rowids_and_sequences(self):
        self.sql("CREATE TABLE t(a INTEGER, n INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES(1, 5), (2, 90);"
                 "DELETE FROM t WHERE n = 90; CREATE TABLE u(x INTEGER); INSERT INTO u(rowid, x) VALUES(9, 1)")
        self.load("a.csv", "a\n01\n", "-m", "append")
        self.assertEqual(self.rows("SELECT n, a FROM t"), [(5, "1"), (91, "01")])
        self.sluice("load", self.file("b.csv", "x\n02\n"), "--to", f"{self.db}:u", "-m", "append", "-q")
        self.assertEqual(self.rows("SELECT rowid, x FROM u"), [(9, "1"), (10, "02")])

    def test_columns_that_keys_depend_on_are_never_widened(self):
        tables = {"it is the INTEGER PRIMARY KEY": "CREATE TABLE t(id INTEGER PRIMARY KEY)",
                  "it is part of a foreign key": "CREATE TABLE p(x PRIMARY KEY); CREATE TABLE t(id INTEGER REFERENCES p)",
                  "part of a foreign key": "CREATE TABLE t(id INT PRIMARY KEY); CREATE TABLE c(x REFERENCES t)"}
        for why, sql in tables.items():
            with self.subTest(sql=sql):
                self.sql(sql + "; INSERT INTO t VALUES(7)")
                r = self.load("a.csv", "id\n8\n007\n", "-m", "append", code=1)
                self.assertIn(why, r.message)
                self.assertEqual(self.rows(), [(7,)])
                self.db.unlink()

    def test_a_table_that_would_break_is_left_alone(self):
        for extra in ("CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT no_such_function(new.id); END",):
            self.sql("CREATE TABLE t(id INTEGER, CHECK (typeof(id) = 'integer')); INSERT INTO t VALUES(7);" + extra)
            before = self.db.read_bytes()
            self.load("a.csv", "id\n007\n", "-m", "append", code=1)
            self.assertEqual(self.rows(), [(7,)])
            self.assertEqual(self.db.read_bytes(), before)
            self.db.unlink()

    def test_a_frozen_schema(self):
        self.sql("CREATE TABLE t(id INTEGER, v TEXT); INSERT INTO t VALUES(7, 'x')")
        freeze = ("-m", "append", "--schema", "freeze")
        r = self.load("day2.csv", "id,v\n8,y\n\n007,z\n", *freeze, code=1)
        self.assertIn("day2.csv:4: item 2: the value '007' does not fit the column 'id' (INTEGER)", r.message)
        r = self.load("day2.csv", "id,late\n8,y\n", *freeze, code=1)
        self.assertIn("no column 'late'", r.message)
        self.load("day2.csv", "id,v\n8,y\n", *freeze)
        self.assertEqual(self.rows(), [(7, "x"), (8, "y")])
        self.load("day3.csv", "v\nnew\n", "--schema", "freeze")
        self.assertEqual(self.rows(), [(None, "new")])
        self.assertEqual(self.types(), {"id": "INTEGER", "v": "TEXT"})

    def test_types_asked_for(self):
        self.sql("CREATE TABLE t(id INTEGER, v TEXT); INSERT INTO t VALUES(7, 'x')")
        self.load("a.csv", "id\n8\n", "-m", "append", "--type", "id=TEXT")
        self.assertEqual(self.rows("SELECT id FROM t"), [("7",), ("8",)])
        r = self.load("a.csv", "id\n8\n", "-m", "append", "--type", "id=INTEGER", code=1)
        self.assertIn("is TEXT and cannot become INTEGER", r.message)
        r = self.load("a.csv", "v\n8\n", "-m", "append", "--type", "v=REAL", "--schema", "freeze", code=1)
        self.assertIn("'v'", r.message)

    def test_replace_keeps_a_declared_table(self):
        self.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT NOT NULL DEFAULT '-', n INTEGER); CREATE INDEX i ON t(n);"
                 "CREATE TABLE log(x); CREATE TRIGGER d AFTER DELETE ON t BEGIN INSERT INTO log VALUES(1); END;"
                 "INSERT INTO t VALUES(1, 'a', 2), (2, 'b', 3)")
        self.load("a.jsonl", '{"id":5,"n":"007"}\n{"id":6,"v":"x","n":8}\n')
        self.assertEqual(self.rows(), [(5, "-", "007"), (6, "x", "8")])
        self.assertIn("PRIMARY KEY", self.rows("SELECT sql FROM sqlite_schema WHERE name = 't'")[0][0])
        self.assertEqual(self.rows("SELECT name FROM sqlite_schema WHERE type IN ('index', 'trigger') ORDER BY 1"), [("d",), ("i",)])
        self.assertEqual(self.rows("SELECT * FROM log"), [])
        r = self.load("a.jsonl", '{"id":5,"v":null}\n', code=1)
        self.assertIn("a.jsonl:1: ", r.message)
        self.assertIn("NOT NULL", r.message)
        self.assertEqual(len(self.rows()), 2)

    def test_generated_columns_are_refused(self):
        self.sql("CREATE TABLE t(a, g AS (a + 1))")
        r = self.load("a.csv", "a,g\n1,2\n", "-m", "append", code=1)
        self.assertIn("'g' of the table 't' is generated", r.message)
        self.load("a.csv", "a\n1\n", "-m", "append")
        self.assertEqual(self.rows(), [(1, 2)])


class Upsert(Tables):
    KEY = ("-m", "upsert", "-k", "id")

    def test_a_field_that_is_not_there_is_left_alone(self):
        for split in (1, 2, 3):
            for pool in POOLS:
                with self.subTest(split=split, pool=pool):
                    self.load("a.jsonl", '{"id":1,"name":"first","age":5}\n', *self.KEY)
                    items = ['{"id":1,"age":7}', '{"id":2,"name":"b"}', '{"name":"again","id":2,"age":null}']
                    for i in range(0, 3, split):
                        self.file(f"u{i}.jsonl", "\n".join(items[i : i + split]) + "\n")
                    self.sluice("load", *[f"u{i}.jsonl" for i in range(0, 3, split)], "--to", f"{self.db}:t", "-q", *self.KEY, *pool)
                    self.assertEqual(self.rows(), [(1, "first", 7), (2, "again", None)])
                    self.db.unlink()
                    for f in self.dir.glob("u*.jsonl"):
                        f.unlink()

    def test_defaults_fill_fields_that_are_not_given(self):
        self.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT NOT NULL, n INTEGER NOT NULL DEFAULT 9, CHECK (name <> ''));"
                 "INSERT INTO t VALUES(1, 'a', 2)")
        self.load("a.jsonl", '{"id":1,"n":3}\n{"id":2,"name":"b"}\n{"id":2}\n{"id":1,"name":"c"}\n', *self.KEY)
        self.assertEqual(self.rows(), [(1, "c", 3), (2, "b", 9)])
        r = self.load("a.jsonl", '{"id":1,"n":4}\n{"id":3,"n":1}\n', *self.KEY, code=1)
        self.assertIn("a.jsonl:2: ", r.message)
        self.assertIn("t.name", r.message)
        self.assertEqual(self.rows(), [(1, "c", 3), (2, "b", 9)])
        self.load("a.jsonl", '{"id":1,"n":7}\n', "-m", "ignore", "-k", "id")
        self.assertEqual(self.rows("SELECT n FROM t WHERE id = 1"), [(3,)])

    def test_keys_may_have_several_columns_and_any_case(self):
        self.sql("CREATE TABLE t(id TEXT COLLATE NOCASE, k INTEGER, v); CREATE UNIQUE INDEX u ON t(id, k)")
        self.load("a.jsonl", '{"ID":"A","k":1,"v":1}\n{"ID":"a","k":1,"v":2}\n{"ID":"b","k":1,"v":3}\n', "-m", "upsert", "-k", "Id,K")
        self.assertEqual(self.rows(), [("A", 1, 2), ("b", 1, 3)])
        for bad in ('{"id":"c","k":null}', '{"id":"c"}', '{"id":"c","k":""}'):
            r = self.load("a.jsonl", '{"id":"x","k":5}\n' + bad + "\n", "-m", "upsert", "-k", "id,k", code=1)
            self.assertIn("a.jsonl:2: item 2 has no value in the key column 'k'", r.message)
        self.assertEqual(len(self.rows()), 2)

    def test_another_unique_index_is_no_key(self):
        self.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, mail TEXT UNIQUE, n); INSERT INTO t VALUES(1, 'a', 1)")
        self.load("a.jsonl", '{"id":2,"mail":"a","n":2}\n', *self.KEY, code=1)
        self.load("a.jsonl", '{"id":2,"mail":"a","n":2}\n', "-m", "ignore", "-k", "id", code=1)
        self.load("a.jsonl", '{"id":2,"mail":"a","n":2}\n', "-m", "ignore")
        self.assertEqual(self.rows(), [(1, "a", 1)])

    def test_more_kinds_of_items_than_statements_are_kept(self):
        fields = [f"f{i}" for i in range(8)]
        items, want = [], {}
        for i in range(3000):
            has = {f: i for k, f in enumerate(fields) if (i * 37 + 11) >> k & 1}
            items.append({"id": i % 50, **has})
            want.setdefault(i % 50, {}).update(has)
        self.load("a.jsonl", "\n".join(map(json.dumps, items)), *self.KEY, "--unit", "4096", "-j", "2")
        got = {r[0]: dict(zip(fields, r[1:])) for r in self.rows(f"SELECT id, {', '.join(fields)} FROM t")}
        self.assertEqual(got, {k: {f: v.get(f) for f in fields} for k, v in want.items()})


class Databases(Tables):
    def test_tables_of_one_database_share_a_transaction(self):
        self.file("t.csv", "a\n1\n")
        for existing in (False, True):
            with self.subTest(existing=existing):
                self.sql("CREATE TABLE u(a TEXT UNIQUE); INSERT INTO u VALUES('1')")
                sinks = [f"{self.db}:t", {"to": f"{self.dir}/../{self.dir.name}/x.db:u", "mode": "append"}, str(self.dir / "both.csv")]
                p = self.file("p.json", json.dumps({"modules": [{"type": "csv", "conf": {"url": "t.csv"}}], "sinks": sinks}))
                r = self.sluice("run", p, code=1)
                self.assertIn("t.csv:2: ", r.message)
                self.assertEqual(self.rows("SELECT name FROM sqlite_schema WHERE type = 'table'"), [("u",)])
                self.assertFalse((self.dir / "both.csv").exists())
                self.sql("DELETE FROM u")
                self.sluice("run", p)
                self.assertEqual(self.rows("SELECT * FROM t, u"), [(1, "1")])
                self.assert_alone()
                self.db.unlink()
                (self.dir / "both.csv").unlink()

    def test_a_database_that_refuses_keeps_the_other_as_it_was(self):
        two = self.dir / "two.db"
        self.file("t.csv", "a\n1\n")
        self.sql("CREATE TABLE u(a TEXT UNIQUE); INSERT INTO u VALUES('1')", two)
        p = {"modules": [{"type": "csv", "conf": {"url": "t.csv"}}], "sinks": [f"{self.db}:t", {"to": f"{two}:u", "mode": "append"}]}
        self.sluice("run", self.file("p.json", json.dumps(p)), code=1)
        self.assertFalse(self.db.exists())
        self.assertEqual(self.rows(path=two, query="SELECT * FROM u"), [("1",)])
        self.assert_alone()

    def test_many_new_tables_at_once(self):
        self.file("t.csv", "a,b\n1,x\n2,y\n")
        for existing in (False, True):
            if existing:
                self.sql("CREATE TABLE t3(old)")
            sinks = [f"{self.db}:t{i}" for i in range(14)]
            self.sluice("run", self.file("p.json", json.dumps({"modules": [{"type": "csv", "conf": {"url": "t.csv"}}], "sinks": sinks})))
            for i in range(14):
                self.assertEqual(self.rows(f"SELECT * FROM t{i}"), [(1, "x"), (2, "y")])
            self.assert_alone()
            self.db.unlink()

    def test_several_loads_at_once(self):
        for k in range(6):
            self.file(f"p{k}.csv", "id,v\n" + "".join(f"{k * 3000 + i},x{i}\n" for i in range(3000)))
        for mode in (("-m", "append"), ("-m", "upsert", "-k", "id"), ()):
            for existing in (False, True):
                with self.subTest(mode=mode, existing=existing):
                    if existing:
                        self.sql("CREATE TABLE other(a)")
                    loads = [subprocess.Popen([PROGRAM, "load", f"p{k}.csv", "--to", "x.db:t", "-q", "-j", "1", *mode], cwd=self.dir,
                                              env=self.env) for k in range(6)]
                    self.assertEqual([p.wait(100) for p in loads], [0] * 6)
                    self.assertEqual(self.rows("SELECT count(*), count(DISTINCT id) FROM t"), [(18000, 18000) if mode else (3000, 3000)])
                    self.assert_alone()
                    self.db.unlink()

    def test_a_lock_is_waited_for(self):
        self.sql("CREATE TABLE t(a); INSERT INTO t VALUES('old')")
        other = sqlite3.connect(self.db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        r = self.load("a.csv", "a\n1\n", "--busy-timeout", "0.1", code=75)
        self.assertIn("locked by another program", r.message)
        p = subprocess.Popen([PROGRAM, "load", "a.csv", "--to", "x.db:t", "-q"], cwd=self.dir, env=self.env)
        with self.assertRaises(subprocess.TimeoutExpired):
            p.wait(0.5)
        other.execute("ALTER TABLE t ADD COLUMN b")
        other.execute("COMMIT")
        self.assertEqual(p.wait(30), 0)
        self.assertEqual(self.rows(), [(1,)])
        other.close()

    def test_a_reader_keeps_its_old_state(self):
        for journal in ("delete", "wal"):
            with self.subTest(journal=journal):
                self.sql(f"PRAGMA journal_mode={journal}; CREATE TABLE t(a); INSERT INTO t VALUES('old')")
                reader = sqlite3.connect(self.db, isolation_level=None)
                reader.execute("BEGIN")
                self.assertEqual(reader.execute("SELECT * FROM t").fetchall(), [("old",)])
                self.load("a.csv", "a\n1\n", "--busy-timeout", "0.3", code=0 if journal == "wal" else 75)
                self.assertEqual(reader.execute("SELECT * FROM t").fetchall(), [("old",)])
                reader.close()
                self.load("a.csv", "a\n1\n")
                self.assertEqual(self.rows(), [(1,)])
                for f in self.dir.glob("x.db*"):
                    f.unlink()

    STALE = """if True:
        import sqlite3, os, sys
        c = sqlite3.connect("x.db", isolation_level=None)
        c.execute("PRAGMA journal_mode=" + sys.argv[1]); c.execute("PRAGMA cache_size=2")
        c.execute("CREATE TABLE t(a, b)")
        c.executemany("INSERT INTO t VALUES(?, ?)", [(i, "old" * 20) for i in range(2000)])
        c.execute("BEGIN"); c.execute("UPDATE t SET b = 'new' || hex(randomblob(30))")
        if sys.argv[1] == "wal": c.execute("COMMIT")
        os.kill(os.getpid(), 9)"""

    def test_a_journal_of_an_earlier_database_is_not_played(self):
        for mode in ("delete", "wal"):
            for args in ((), ("-m", "upsert", "-k", "a")):
                with self.subTest(mode=mode, args=args):
                    subprocess.run([sys.executable, "-c", self.STALE, mode], cwd=self.dir)
                    self.db.unlink()
                    self.assertTrue(list(self.dir.glob("x.db-*")))
                    self.load("a.csv", "a,b\n1,x\n2,y\n", *args)
                    self.assertEqual(self.rows(), [(1, "x"), (2, "y")])
                    self.assertEqual([p.name for p in self.dir.glob("x.db*")], ["x.db"])
                    self.db.unlink()

    def test_names_of_databases_may_be_long(self):
        self.file("a.csv", "a\n1\n")
        longest = "n" * (247 - 3) + ".db"
        self.sluice("load", "a.csv", "--to", f"{longest}:t", "-q")
        self.sluice("load", "a.csv", "--to", f"{longest}:t", "-q", "-m", "append")
        self.assertEqual(self.rows(path=self.dir / longest), [(1,), (1,)])
        r = self.sluice("load", "a.csv", "--to", f"n{longest}:t", code=1)
        self.assertIn("too long", r.message)
        for _ in range(2):
            self.sluice("load", "a.csv", "--to", "./file:y.db:t", "-q", "-m", "append")
        self.assertEqual(self.rows(path=self.dir / "file:y.db"), [(1,), (1,)])

    def test_a_link_to_a_database_is_followed(self):
        os.symlink("real.db", self.dir / "link.db")
        self.file("a.csv", "a\n1\n")
        for _ in range(2):
            self.sluice("load", "a.csv", "--to", "link.db:t", "-q", "-m", "append")
        self.assertTrue((self.dir / "link.db").is_symlink())
        self.assertEqual(self.rows(path=self.dir / "real.db"), [(1,), (1,)])
        self.sluice("run", self.file("p.json", json.dumps({"modules": [{"type": "csv", "conf": {"url": "a.csv"}}],
                                                           "sinks": ["link.db:u", "real.db:v"]})))
        self.assertEqual(self.rows(path=self.dir / "real.db", query="SELECT * FROM u, v"), [(1, 1)])

    def test_what_the_report_says(self):
        self.load("a.csv", "id,v\n1,x\n2,y\n")
        self.load("b.csv", "id,w\n007,z\n", "-m", "append", "--report", "r.json")
        sink = json.loads((self.dir / "r.json").read_text())["sinks"][0]
        self.assertEqual(sink["table"], "t")
        self.assertEqual(sink["columns"], [{"name": "id", "type": "TEXT"}, {"name": "v", "type": "TEXT"}, {"name": "w", "type": "TEXT"}])
        self.assertEqual((sink["rows_before"], sink["rows_after"], sink["widened"]), (2, 3, ["id"]))
        r = self.sluice("load", "b.csv", "--to", "x.db:t", "-m", "append")
        self.assertIn("x.db, table t: 4 rows, 3 before\n  id TEXT, v TEXT, w TEXT", r.message)


if __name__ == "__main__":
    program.main()
