#!/usr/bin/env python3
"""`sluice load` against Python's csv and sqlite3: the same rows in the same order, the same values and types, the same sums, in
every form of the input, on every pool, however the input is cut into units.

SLUICE_ROWS sets the size of the large table (default 60000, about 8 MB)."""

import contextlib
import os
import select
import sqlite3
import subprocess
import sys

import crime
import evidence
import program

ROWS = int(os.environ.get("SLUICE_ROWS", "60000"))
SMALL = 3000


def read(path, table="t"):
    """(columns, declared types, rows with their storage classes) in the table's order."""
    with sqlite3.connect(path) as db:
        info = db.execute(f'PRAGMA table_info("{table}")').fetchall()
        names = [c[1] for c in info]
        quoted = ['"' + n.replace('"', '""') + '"' for n in names]
        cells = ", ".join(f"{n}, typeof({n})" for n in quoted)
        rows = db.execute(f'SELECT {cells} FROM "{table}" ORDER BY rowid').fetchall()
    return names, [c[2] for c in info], rows


STORED = {int: "integer", float: "real", str: "text", type(None): "null"}


def stored(rows):
    """Rows of values as `read` gives them."""
    return [tuple(x for v in r for x in (v, STORED[type(v)])) for r in rows]


class Oracle:
    """What must be in the database, and the sums that SQLite makes of a table filled by Python."""

    def __init__(self, rows, fields=crime.FIELDS):
        self.fields = list(fields)
        self.types, self.values = evidence.table(rows, len(fields))
        self.rows = stored(self.values)

    def sums(self, path, table="t"):
        with sqlite3.connect(path) as db:
            return db.execute(f"SELECT count(*), sum(id), sum(incidents), total(amount), total(lat) FROM {table}").fetchone()

    def own_sums(self):
        db = sqlite3.connect(":memory:")
        columns = ", ".join(f'"{n}" {t}' for n, t in zip(self.fields, self.types))
        db.execute(f"CREATE TABLE t ({columns})")
        db.executemany(f"INSERT INTO t VALUES ({','.join('?' * len(self.fields))})", self.values)
        return db.execute("SELECT count(*), sum(id), sum(incidents), total(amount), total(lat) FROM t").fetchone()


class Load(program.Case):
    def same(self, oracle, path, table="t", why=""):
        names, types, rows = read(path, table)
        self.assertEqual(names, oracle.fields, why)
        self.assertEqual(types, oracle.types, why)
        self.assertEqual(len(rows), len(oracle.rows), why)
        for i, (got, want) in enumerate(zip(rows, oracle.rows)):
            if got != want:
                self.fail(f"{why} row {i + 1}:\n got {got}\nwant {want}")

    def load(self, *args, **more):
        db = self.dir / "out.db"
        db.unlink(missing_ok=True)
        self.sluice("load", *args, "--to", f"{db}:t", "-q", **more)
        return db


class Forms(Load):
    """The large table in every form."""

    @classmethod
    def setUpClass(cls):
        rows = list(crime.rows(ROWS))
        cls.oracle = Oracle(rows)
        cls.sums = cls.oracle.own_sums()
        cls.csv, cls.jsonl = crime.as_csv(rows), crime.as_jsonl(rows)
        cls.json, cls.nested = crime.as_json(rows), crime.as_nested(rows)

    def check(self, *args, **more):
        db = self.load(*args, **more)
        self.same(self.oracle, db, why=" ".join(map(str, args)))
        self.assertEqual(self.oracle.sums(db), self.sums)

    def test_csv_is_the_same_on_every_pool(self):
        path = self.file("crime.csv", self.csv)
        for pool in program.pools():
            self.check(path, *pool)

    def test_csv_is_the_same_in_small_units(self):
        path = self.file("crime.csv", self.csv)
        for pool in program.pools((2, 8)):
            self.check(path, *pool, "--unit", "4096")

    def test_a_json_array_equals_the_csv(self):
        path = self.file("crime.json", self.json)
        for pool in program.pools((2,)):
            self.check(path, *pool)

    def test_the_items_at_a_path_equal_the_csv(self):
        path = self.file("crime.json", self.nested)
        for pool in program.pools((2,)):
            self.check(path, "--path", "value.items", *pool)

    def test_json_lines_equal_the_csv(self):
        path = self.file("crime.jsonl", self.jsonl)
        for pool in program.pools((1, 3)):
            self.check(path, *pool)
        self.check(path, "-j", "2", "--unit", "4096")

    def test_packed_files_equal_the_csv(self):
        self.check(self.file("crime.csv.gz", crime.as_gzip(self.csv)))
        self.check(self.file("crime.jsonl.gz", crime.as_gzip(self.jsonl)), "--threads=false")
        packed = crime.as_zstd(self.csv)
        if packed:
            self.check(self.file("crime.csv.zst", packed), *program.INLINE)
            self.check(self.file("crime.json.zst", crime.as_zstd(self.json)), "-j", "3")

    def test_standard_input_equals_the_file(self):
        self.check("-", stdin=self.csv)
        self.check("-", "--from", "jsonl", "--threads=false", stdin=self.jsonl)
        self.check("-", "--from", "json", *program.INLINE, stdin=self.json)
        self.check("-", stdin=crime.as_gzip(self.csv))


class Http(Load):
    """From a server on this machine, parsed while it arrives."""

    def setUp(self):
        super().setUp()
        root = self.dir / "www"
        root.mkdir()
        rows = list(crime.rows(SMALL))
        self.oracle = Oracle(rows)
        (root / "crime.csv").write_bytes(crime.as_csv(rows))
        (root / "crime.json").write_bytes(crime.as_json(rows))
        (root / "crime.jsonl.gz").write_bytes(crime.as_gzip(crime.as_jsonl(rows)))
        server = program.SOURCE / "tests" / "http" / "server.py"
        self.server = subprocess.Popen(
            [sys.executable, server, "--root", root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.addCleanup(self.stop)
        if not select.select([self.server.stdout], [], [], 20)[0]:
            self.fail("the server did not start")
        self.url = f"http://127.0.0.1:{int(self.server.stdout.readline())}"

    def stop(self):
        self.server.stdin.close()
        self.server.wait(20)
        self.server.stdout.close()

    def test_every_way_of_sending_gives_the_same(self):
        for way in ("crime.csv", "slow/crime.csv", "chunked/crime.csv", "gzip/crime.csv", "redirect/3/crime.csv", "flaky/1/crime.csv"):
            self.same(self.oracle, self.load(f"{self.url}/{way}", "--from", "csv"), why=way)

    def test_what_is_fetched_is_the_same_on_every_pool(self):
        for pool in program.pools((1, 2, 8)):
            self.same(self.oracle, self.load(f"{self.url}/crime.csv", *pool), why=str(pool))
            self.same(self.oracle, self.load(f"{self.url}/crime.json", *pool, "--unit", "4096"), why=str(pool))
            self.same(self.oracle, self.load(f"{self.url}/crime.jsonl.gz", *pool), why=str(pool))

    def test_failures_leave_nothing(self):
        kept = self.file("kept.txt", "x")
        before = set(self.names())
        for way, code, words in (
            ("none.csv", 1, "404"),
            ("status/500", 75, "500"),
            ("truncate/crime.csv", 75, "crime.csv"),
            ("badchunked/crime.csv", 75, "crime.csv"),
        ):
            r = self.sluice("load", f"{self.url}/{way}", "--from", "csv", "--to", "new.db:t", code=None)
            self.assertEqual((r.code, r.message.count("\n")), (code, 0), f"{way}: {r.message}")
            self.assertIn(words, r.message)
            self.assertEqual(set(self.names()), before, way)
        self.assertEqual(kept.read_bytes(), b"x")


COLUMNS = {
    "ints": lambda i: str(i),
    "negative": lambda i: str(-i * 7919),
    "reals": lambda i: f"{i}.5",
    "ints_then_real": lambda i: str(i) if i < SMALL - 2 else "0.25",
    "ints_then_text": lambda i: str(i) if i < SMALL - 2 else "n/a",
    "reals_then_text": lambda i: f"{i % 10}.{i % 10}0" if i < SMALL - 2 else "none",
    "text_then_ints": lambda i: "x" if i < 3 else str(i),
    "empty_then_text": lambda i: "" if i < SMALL - 2 else "late",
    "empty_then_int": lambda i: "" if i < SMALL - 2 else "12",
    "empty": lambda i: "",
    "gaps": lambda i: "" if i % 3 else str(i),
    "gaps_then_text": lambda i: ("" if i % 3 else f"{i}.0") if i < SMALL - 2 else "1,5",
    "padded": lambda i: f"{i:06}",
    "one_padded": lambda i: str(i + 1) if i != SMALL // 2 else "007",
    "long": lambda i: str(10**19 + i),
    "one_long": lambda i: str(i) if i != SMALL // 2 else "12345678901234567890",
    "edge": lambda i: str(2**63 - 1 - i),
    "edge_low": lambda i: str(-(2**63) + i),
    "beyond": lambda i: str(2**63 - 1 + i),
    "big_and_real": lambda i: str(2**53 + 1) if i == 5 else "0.5",
    "big_real": lambda i: str(2**53) if i == 5 else "0.5",
    "digits_17": lambda i: "0.1234567890123456789" if i == 9 else "0.5",
    "same_17": lambda i: "0.30000000000000004",
    "money": lambda i: f"{i % 100}.10",
    "nan": lambda i: "NaN" if i % 9 == 0 else str(i),
    "infinity": lambda i: "inf" if i == 0 else "1.5",
    "exponent": lambda i: "1e5",
    "exponent_real": lambda i: "1.5e5" if i % 2 else "2.0",
    "plus": lambda i: "+1",
    "minus_zero": lambda i: "-0" if i == 7 else "1",
    "minus_zero_real": lambda i: "-0.0" if i == 7 else "1.0",
    "spaced": lambda i: " 1" if i == SMALL - 1 else "1",
    "hex": lambda i: "0x10",
    "bool": lambda i: "true" if i % 2 else "false",
    "dots": lambda i: "1." if i else ".5",
    "underscore": lambda i: "1_000",
}


class Mixed(Load):
    """Columns that are not what they begin as."""

    def setUp(self):
        super().setUp()
        self.fields = list(COLUMNS)
        self.table = [tuple(f(i) for f in COLUMNS.values()) for i in range(SMALL)]
        text = "\n".join(",".join(f'"{v}"' if "," in v else v for v in r) for r in [self.fields, *self.table]) + "\n"
        self.path = self.file("mixed.csv", text)

    def test_types_follow_all_values_of_a_column(self):
        oracle = Oracle(self.table, self.fields)
        self.assertEqual({"INTEGER", "REAL", "TEXT"}, set(oracle.types))
        for pool in program.pools((1, 2, 3, 8)):
            for unit in ((), ("--unit", "4096")):
                self.same(oracle, self.load(self.path, *pool, *unit), why=f"{pool} {unit}")

    def test_types_asked_for_are_given(self):
        types = ("--type", "ints=TEXT", "--type", "padded=TEXT", "--type", "reals=TEXT", "--type", "gaps=REAL")
        for pool in program.pools((3,)):
            names, kinds, rows = read(self.load(self.path, *types, *pool, "--unit", "4096"))
            kind = dict(zip(names, kinds))
            self.assertEqual([kind[n] for n in ("ints", "padded", "reals", "gaps")], ["TEXT", "TEXT", "TEXT", "REAL"])
            self.assertEqual([r[0] for r in rows], [str(i) for i in range(SMALL)])
            gaps = names.index("gaps")
            self.assertEqual([r[2 * gaps] for r in rows], [None if i % 3 else float(i) for i in range(SMALL)])

    def test_unknown_type_is_refused(self):
        r = self.sluice("load", self.path, "--to", "out.db:t", "--type", "ints=NUMBERISH", code=2)
        self.assertIn("type of column 'ints'", r.message)
        self.assertNotIn("out.db", self.names())

    def test_json_numbers_keep_their_spelling_in_text(self):
        lines = [f'{{"a": {v}}}' for v in ("1", "0.10", "1e5", "-0", "12345678901234567890", '"x"', "null", "true")]
        path = self.file("spelled.jsonl", "\n".join(lines) + "\n")
        for pool in program.pools((1, 3)):
            _, types, rows = read(self.load(path, *pool, "--unit", "16"))
            self.assertEqual(types, ["TEXT"])
            self.assertEqual([r[0] for r in rows[:7]], ["1", "0.10", "1e5", "-0", "12345678901234567890", "x", None])


class Late(Load):
    """JSON Lines whose items do not all have the same keys."""

    def setUp(self):
        super().setUp()
        lines = []
        for i in range(SMALL):
            cells = [f'"id": {i}', f'"v": "{i}x"']
            if i % 7 == 0:
                cells.reverse()
            if i > SMALL - 10:
                cells.insert(1, f'"late": {i}.5')
            if i == 1500:
                cells.append('"od\\"d": [1, {"k": null}]')
            lines.append("{" + ", ".join(cells) + "}")
        self.path = self.file("late.jsonl", "\n".join(lines) + "\n")

    def test_columns_come_as_they_are_seen(self):
        first = None
        for pool in program.pools((1, 2, 3, 8)):
            for unit in ((), ("--unit", "1000")):
                got = read(self.load(self.path, *pool, *unit))
                first = first or got
                self.assertEqual(got, first, f"{pool} {unit}")
        names, types, rows = first
        self.assertEqual(names, ["v", "id", 'od"d', "late"])
        self.assertEqual(types, ["TEXT", "INTEGER", "TEXT", "REAL"])
        self.assertEqual([r[2] for r in rows], list(range(SMALL)))
        self.assertEqual([r[0] for r in rows], [f"{i}x" for i in range(SMALL)])
        self.assertEqual([r[6] for r in rows], [i + 0.5 if i > SMALL - 10 else None for i in range(SMALL)])
        self.assertEqual(rows[1500][4], '[1,{"k":null}]')


class Modes(Load):
    def setUp(self):
        super().setUp()
        self.db = self.dir / "out.db"
        self.one = self.file("one.csv", "id,name,n\n1,a,10\n2,b,20\n3,c,30\n")
        self.two = self.file("two.csv", "id,n,extra\n2,21,x\n4,41,y\n2,22,z\n")

    def into(self, path, *args, code=0):
        return self.sluice("load", path, "--to", f"{self.db}:t", "-q", *args, code=code)

    def rows(self):
        names, _, rows = read(self.db)
        return names, [tuple(r[::2]) for r in rows]

    def test_replace_leaves_the_new_rows_alone(self):
        for pool in program.pools((2,)):
            self.into(self.one, *pool)
            self.into(self.two, *pool)
            self.assertEqual(self.rows(), (["id", "n", "extra"], [(2, 21, "x"), (4, 41, "y"), (2, 22, "z")]))

    def test_append_adds_columns(self):
        for pool in program.pools((2,)):
            self.db.unlink(missing_ok=True)
            self.into(self.one, *pool)
            self.into(self.two, "--mode", "append", *pool)
            names, rows = self.rows()
            self.assertEqual(names, ["id", "name", "n", "extra"])
            self.assertEqual(rows[3:], [(2, None, 21, "x"), (4, None, 41, "y"), (2, None, 22, "z")])

    def test_upsert_changes_the_fields_given(self):
        for pool in program.pools((2,)):
            self.db.unlink(missing_ok=True)
            self.into(self.one, "--mode", "upsert", "--key", "id", *pool)
            self.into(self.two, "--mode", "upsert", "--key", "id", *pool)
            self.assertEqual(
                self.rows()[1], [(1, "a", 10, None), (2, "b", 22, "z"), (3, "c", 30, None), (4, None, 41, "y")]
            )

    def test_ignore_keeps_the_rows_there(self):
        for pool in program.pools((2,)):
            self.db.unlink(missing_ok=True)
            self.into(self.one, "--mode", "ignore", "--key", "id", *pool)
            self.into(self.two, "--mode", "ignore", "--key", "id", *pool)
            self.assertEqual(
                self.rows()[1], [(1, "a", 10, None), (2, "b", 20, None), (3, "c", 30, None), (4, None, 41, "y")]
            )

    def test_a_large_upsert_equals_python(self):
        n = 20000
        first = "id,v\n" + "".join(f"{i},{i * 3}\n" for i in range(n))
        second = "id,v\n" + "".join(f"{(i * 7) % (2 * n)},{i}\n" for i in range(n))
        a, b = self.file("a.csv", first), self.file("b.csv", second)
        want = {i: i * 3 for i in range(n)}
        want.update({(i * 7) % (2 * n): i for i in range(n)})
        for pool in program.pools((2, 8)):
            self.db.unlink(missing_ok=True)
            self.into(a, "--mode", "upsert", "--key", "id", *pool, "--unit", "4096")
            self.into(b, "--mode", "upsert", "--key", "id", *pool, "--unit", "4096")
            self.assertEqual(dict(self.rows()[1]), want)

    def test_a_key_must_be_a_column(self):
        self.into(self.one)
        before = self.rows()
        r = self.into(self.two, "--mode", "upsert", "--key", "nope", code=1)
        self.assertIn("nope", r.message)
        self.assertEqual(self.rows(), before)


class Collections(Load):
    """Several sources are one stream, in the order given."""

    def test_several_files_come_in_order(self):
        rows = list(crime.rows(2 * SMALL))
        parts = [rows[:SMALL], rows[SMALL : SMALL + 10], rows[SMALL + 10 :]]
        for i, part in enumerate(parts):
            self.file(f"part{i}.csv", crime.as_csv(part))
        self.file("part1.jsonl", crime.as_jsonl(parts[1]))
        oracle = Oracle(rows)
        for pool in program.pools((1, 3)):
            self.same(oracle, self.load("part0.csv", "part1.csv", "part2.csv", *pool))
            self.same(oracle, self.load("part0.csv", "part1.jsonl", "part2.csv", *pool, "--unit", "4096"))
            self.same(oracle, self.load("part*.csv", *pool))

    def test_limit_takes_the_first_items(self):
        rows = list(crime.rows(SMALL))
        path = self.file("crime.csv", crime.as_csv(rows))
        for pool in program.pools((1, 2, 8)):
            for unit in ((), ("--unit", "4096")):
                for n in (1, 700):
                    self.same(Oracle(rows[:n]), self.load(path, "--limit", n, *pool, *unit), why=f"{n} {pool} {unit}")


class Dialects(Load):
    """CSV as it is found: the values are the same ones."""

    def setUp(self):
        super().setUp()
        self.table = [(str(i), f"name {i}", f"{i}.5") for i in range(200)]
        self.oracle = Oracle(self.table, ("id", "name", "x"))

    def text(self, delimiter=",", end="\n", head=True):
        lines = [("id", "name", "x")] if head else []
        return end.join(delimiter.join(r) for r in [*lines, *self.table]) + end

    def test_all_line_ends_and_marks_are_read_alike(self):
        forms = (
            ("\ufeff" + self.text(), ()),
            (self.text(end="\r\n"), ()),
            (self.text(end="\r"), ()),
            (self.text().rstrip("\n"), ()),
            (self.text(";"), ("-d", ";")),
            ("junk\nmore\n" + self.text(), ("--skip", "2")),
            ("# by nobody\n" + self.text(), ("--comment", "#")),
        )
        for text, args in forms:
            path = self.file("x.csv", text)
            for pool in program.pools((2,)):
                for unit in ((), ("--unit", "64")):
                    self.same(self.oracle, self.load(path, *args, *pool, *unit), why=f"{text[:12]!r} {args} {pool} {unit}")

    def test_tabs_and_missing_headers_are_read(self):
        self.same(self.oracle, self.load(self.file("x.tsv", self.text("\t"))))
        path = self.file("x.csv", self.text(head=False))
        self.same(Oracle(self.table, ("column_1", "column_2", "column_3")), self.load(path, "--no-headers"))

    def test_ragged_rows_are_treated_as_asked(self):
        path = self.file("x.csv", "a,b,c\n1,2,3\n4,5\n6,7,8\n")
        for pool in program.pools((2,)):
            r = self.sluice("load", path, "--to", "bad.db:t", *pool, code=1)
            self.assertIn("x.csv:3", r.message)
            self.assertNotIn("bad.db", self.names())
            _, _, rows = read(self.load(path, "--ragged", "pad", *pool))
            self.assertEqual([tuple(r[::2]) for r in rows], [(1, 2, 3), (4, 5, None), (6, 7, 8)])
            db = self.dir / "skip.db"
            db.unlink(missing_ok=True)
            self.sluice("load", path, "--to", f"{db}:t", "--ragged", "skip", *pool, "-q", code=3)
            self.assertEqual([tuple(r[::2]) for r in read(db)[2]], [(1, 2, 3), (6, 7, 8)])

    def columns(self, db):
        with contextlib.closing(sqlite3.connect(db)) as c:
            return [row[1] for row in c.execute("PRAGMA table_info(t)")], c.execute("SELECT count(*) FROM t").fetchone()[0]

    def test_a_header_alone_makes_an_empty_table(self):
        """Also where no record is left."""
        header, some = self.file("h.csv", "a,b\n"), self.file("r.csv", "a,b,c\n1,2,3\n")
        none_left = f"csv url={some} | filter rule.field=a rule.op=eq rule.value=7 | rename rule.field=b rule.newval=z"
        for pool in program.pools((2,)):
            for args, names in ((("load", header), "ab"), (("pipe", none_left), "acz")):
                db = self.dir / "h.db"
                db.unlink(missing_ok=True)
                self.sluice(*args, "--to", f"{db}:t", "--to", "out.csv", "-q", *pool)
                self.assertEqual(self.columns(db), (list(names), 0))
                self.assertEqual((self.dir / "out.csv").read_text(), ",".join(names) + "\n")

    def test_a_header_alone_leaves_a_table_its_columns(self):
        header, some = self.file("h.csv", "d,e\n"), self.file("r.csv", "a,b\n1,2\n")
        for mode, rows in ((("--mode", "replace", "--allow-empty"), 0), (("--mode", "append"), 1), (("--mode", "upsert", "--key", "a"), 1)):
            db = self.load(some)
            self.sluice("load", header, "--to", f"{db}:t", "-q", *mode)
            self.assertEqual(self.columns(db), (["a", "b"], rows))


if __name__ == "__main__":
    program.main()
