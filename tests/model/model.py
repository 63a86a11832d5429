"""What a load makes of a database: the rules of README.md, spelled out row by row over Python's sqlite3.

A Database is the model of one file. Its tables are in memory, each beside the Table that declares it, so that a column can be declared
anew when it is widened. `load` raises Refused, and then nothing has changed."""

import copy
import sqlite3
from dataclasses import dataclass, field

from inputs import Refused
from values import Evidence, affinity, asked_value, is_altered, stored_as_text, text_of, value_for

class Unspecified(Exception):
    """No rule says what is right."""


def lower(name):
    """As SQLite compares names: ASCII only."""
    return name.lower() if name.isascii() else "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)


def as_text(data):
    """Of whatever bytes a text is made."""
    return data.decode("utf-8", "surrogateescape")


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@dataclass
class Column:
    name: str
    type: str = ""
    rest: str = ""  # constraints, as in the declaration
    generated: bool = False

    @property
    def sql(self):
        return " ".join(filter(None, (quoted(self.name), self.type, self.rest)))


@dataclass
class Table:
    name: str
    columns: list
    constraints: list = field(default_factory=list)
    strict: bool = False
    without_rowid: bool = False
    pinned: frozenset = frozenset()  # columns of foreign keys, on either side, in lower case

    @property
    def sql(self):
        options = ", ".join(["STRICT"] * self.strict + ["WITHOUT ROWID"] * self.without_rowid)
        inside = ", ".join([c.sql for c in self.columns] + self.constraints)
        return f"CREATE TABLE {quoted(self.name)} ({inside}) {options}".strip()

    @property
    def plain(self):
        """Nothing but columns and their types."""
        return not (self.constraints or self.strict or self.without_rowid or any(c.rest for c in self.columns))

    def column(self, name):
        return next((c for c in self.columns if lower(c.name) == lower(name)), None)

    def is_rowid(self, column):
        if self.without_rowid or column.type.upper() != "INTEGER":
            return False
        return "PRIMARY KEY" in column.rest or f"PRIMARY KEY ({quoted(column.name)})" in self.constraints


@dataclass
class Options:
    """Of one sink."""

    mode: str = "replace"
    key: tuple = ()
    types: dict = field(default_factory=dict)
    schema: str = "evolve"
    allow_empty: bool = False
    flatten: bool = False  # members of objects are columns of their own
    filtered: bool = False  # the records were filtered: that none is left is nothing odd


MEMBER = "\0"  # between the names of a path


def flattened(record, path=()):
    """Members of objects under their paths, so that {"a.b": 1} and {"a": {"b": 1}} are two columns."""
    out = {}
    for name, cell in record.items():
        here = (*path, name)
        out.update(flattened(cell, here) if isinstance(cell, dict) and cell else {MEMBER.join(here): cell})
    return out


def shown(name):
    return name.replace(MEMBER, ".")


def name_columns(records, heading=()):
    """{name in the records: name in the table}, in the order in which records show them first."""
    wanted = dict.fromkeys(n for r in records for n in r) or dict.fromkeys(heading)
    owners = {}  # of the names as they are shown: the first, but one made of a path gives way wherever it stands
    for name in sorted(wanted, key=lambda n: MEMBER in n):
        owners.setdefault(lower(shown(name)), name)
    out, taken = {}, set(owners)
    for name in wanted:
        final, k = shown(name), 2
        while owners.get(lower(shown(name))) != name and lower(final) in taken:
            final, k = f"{shown(name)}_{k}", k + 1
        taken.add(lower(final))
        out[name] = final
    return out


class Database:
    def __init__(self):
        self.con = sqlite3.connect(":memory:", isolation_level=None)
        self.con.text_factory = as_text
        self.tables = {}  # by name in lower case
        self.wal = False  # the file's journal is a write-ahead log

    # ---- building ----

    def create(self, table, rows=(), more=()):
        """A table with its rows (of all columns that are not generated) as far as they may stand in it; MORE: statements behind
        it."""
        self.con.execute(table.sql)
        self.tables[lower(table.name)] = table
        names = [quoted(c.name) for c in table.columns if not c.generated]
        insert = f"INSERT OR IGNORE INTO {quoted(table.name)} ({','.join(names)}) VALUES ({','.join('?' * len(names))})"
        self.con.executemany(insert, rows)
        for sql in more:
            self.con.execute(sql)

    def save(self, path):
        """The database as a file."""
        with open(path, "wb") as f:
            f.write(self.con.serialize())
        if self.wal:
            disk = sqlite3.connect(path)
            disk.execute("PRAGMA journal_mode=WAL")
            disk.close()

    # ---- a transaction ----

    def begin(self):
        self.con.execute("SAVEPOINT run")
        self.before = copy.deepcopy(self.tables)

    def commit(self):
        self.con.execute("RELEASE run")

    def rollback(self):
        self.con.execute("ROLLBACK TO run")
        self.con.execute("RELEASE run")
        self.tables = self.before

    # ---- loading ----

    def load(self, name, records, options):
        """Within a transaction."""
        try:
            Load(self, name, records, options).run()
        except sqlite3.Error as e:
            raise Refused(f"SQLite: {e}") from e

    def rows(self, name):
        return self.con.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0]


class Load:
    """One load into one table."""

    def __init__(self, database, name, records, options):
        self.db, self.con, self.records, self.o = database, database.con, records, options
        if options.flatten:
            self.records = type(records)(map(flattened, records))
            self.records.heading, self.records.headings = records.heading, records.headings
        self.table = database.tables.get(lower(name))
        self.name = self.table.name if self.table else name
        self.names = name_columns(self.records, records.heading)
        self.as_asked = set()  # names in the records, of columns of the type that the user asked for
        self.ways = {}  # name in the records: how its cells are stored

    def run(self):
        self.refuse_views()
        if self.table is None and self.records.headings > 1 and not self.records or self.records and not self.names:
            raise Unspecified  # which heading makes the table; what records without any field are in a table
        if self.table and self.unspecified():
            raise Unspecified
        if not self.records:
            self.load_nothing()
        elif self.table is None or self.o.mode == "replace" and self.table.plain:
            self.load_new()
        else:
            self.load_existing()

    def unspecified(self):
        """A type for a column that does not come; a schema that is frozen, of a table that is made anew."""
        absent = set(map(lower, self.o.types)) - {lower(shown(n)) for n in self.names}
        return absent or self.o.schema == "freeze" and self.o.mode == "replace" and self.table.plain

    def refuse_views(self):
        found = self.con.execute("SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE", (self.name,)).fetchone()
        if found and found[0] != "table":
            raise Refused(f"{self.name} is a {found[0]}")

    # ---- no record ----

    def load_nothing(self):
        if self.table is None:
            if self.names:
                self.create(Table(self.name, [Column(n, self.o.types.get(n, "TEXT")) for n in self.names.values()]))
        elif self.o.mode == "replace":
            if self.db.rows(self.name) and not (self.o.allow_empty or self.o.filtered):
                raise Refused("no record would replace some")
            self.con.execute(f"DELETE FROM {quoted(self.name)}")

    # ---- new tables ----

    def evidence(self):
        """{name in the records: its type by all its cells}."""
        shown = {n: Evidence() for n in self.names}
        for r in self.records:
            for n, cell in r.items():
                shown[n].add(cell)
        return {n: e.type for n, e in shown.items()}

    def asked(self, name):
        """The type that the user asks for; a name in its very case comes first."""
        if shown(name) in self.o.types:
            return self.o.types[shown(name)]
        return next((t for n, t in self.o.types.items() if lower(n) == lower(shown(name))), None)

    def new_column(self, name, type):
        if self.asked(name):
            self.as_asked.add(name)
        return Column(self.names[name], self.asked(name) or type)

    def create(self, table):
        self.db.create(table)
        self.table = table

    def load_new(self):
        types = self.evidence()
        saved = self.drop() if self.table else ()
        self.create(Table(self.name, [self.new_column(n, types[n]) for n in self.names]))
        if self.o.mode in ("upsert", "ignore"):
            self.merge()
        else:
            self.insert_all()
        for sql in saved:
            self.con.execute(sql)

    def drop(self):
        """Returns the statements of its indexes and triggers, which go with it."""
        saved = self.con.execute(
            "SELECT sql FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE AND type IN ('index', 'trigger') AND sql IS NOT NULL "
            "ORDER BY type, rowid",
            (self.name,),
        ).fetchall()
        self.con.execute(f"DROP TABLE {quoted(self.name)}")
        return [sql for (sql,) in saved]

    # ---- tables that exist ----

    def load_existing(self):
        missing = {n: c for n, c in self.names.items() if not self.table.column(c)}
        there = {n: self.table.column(c) for n, c in self.names.items() if n not in missing}
        if any(c.generated for c in there.values()):
            raise Refused("a generated column cannot be loaded into")
        if missing and self.o.schema == "freeze":
            raise Refused("a column that the table lacks")
        widened = self.to_widen(there)
        if widened and self.o.schema == "freeze":
            raise Refused("a value that the column would alter")
        triggers = self.empty() if self.o.mode == "replace" else ()
        if widened:
            self.widen(widened)
        types = self.evidence() if missing else {}
        for n in missing:
            self.add_column(self.new_column(n, types[n]))
        if self.o.mode in ("upsert", "ignore"):
            self.merge()
        else:
            self.insert_all()
        for sql in triggers:
            self.con.execute(sql)

    def empty(self):
        """Replacing fires no trigger: they are taken away, to be made again afterwards."""
        found = self.con.execute(
            "SELECT name, sql FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE AND type = 'trigger' ORDER BY rowid", (self.name,)
        ).fetchall()
        for name, _ in found:
            self.con.execute(f"DROP TRIGGER {quoted(name)}")
        self.con.execute(f"DELETE FROM {quoted(self.name)}")
        return [sql for _, sql in found]

    def to_widen(self, there):
        """The columns that must become TEXT."""
        out = set()
        for n, c in there.items():
            asked = self.asked(n)
            if asked == affinity(c.type) != "BLOB":
                self.as_asked.add(n)
            elif asked == affinity(c.type):
                pass
            elif asked not in (None, "TEXT"):
                raise Refused(f"{n} is {c.type}, not {asked}")
            elif asked == "TEXT" or any(is_altered(r[n], c.type, self.table.strict) for r in self.records if n in r):
                out.add(c.name)
        return out

    def widen(self, names):
        """The table is made anew, with its rows, rowids, indexes and triggers."""
        for c in self.table.columns:
            if c.name in names and (self.table.is_rowid(c) or lower(c.name) in self.table.pinned):
                raise Refused(f"{c.name} cannot be widened")
        kept = [c for c in self.table.columns if not c.generated]
        columns = ([] if self.table.without_rowid else ["rowid"]) + [quoted(c.name) for c in kept]
        if any(self.table.is_rowid(c) for c in kept):
            columns = columns[1:]
        rows = self.con.execute(f"SELECT {','.join(columns)} FROM {quoted(self.name)}").fetchall()
        first = len(columns) - len(kept)
        widened = {first + i for i, c in enumerate(kept) if c.name in names}
        saved = self.drop()
        for c in kept:
            c.type = "TEXT" if c.name in names else c.type
        self.create(self.table)
        insert = f"INSERT INTO {quoted(self.name)} ({','.join(columns)}) VALUES ({','.join('?' * len(columns))})"
        self.con.executemany(insert, ([stored_as_text(v) if i in widened else v for i, v in enumerate(r)] for r in rows))
        for sql in saved:
            self.con.execute(sql)
        for (view,) in self.con.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
            self.con.execute(f"SELECT * FROM {quoted(view)}").fetchall()

    def add_column(self, column):
        self.con.execute(f"ALTER TABLE {quoted(self.name)} ADD COLUMN {column.sql}")
        self.table.columns.append(column)

    # ---- rows ----

    def stored(self, record):
        """{column: value} of the fields that a record has."""
        return {self.names[n]: self.way(n)(cell) for n, cell in record.items()}

    def way(self, name):
        """How cells are stored, once the columns are what they will be."""
        if name not in self.ways:
            column = self.table.column(self.names[name])
            asked, aff = name in self.as_asked, affinity(column.type)
            self.ways[name] = lambda cell: asked_value(cell, aff) if asked else value_for(cell, aff)
        return self.ways[name]

    def insert(self, values, conflict=""):
        if not values:
            self.insert_defaults(bool(conflict))
            return
        names = ",".join(quoted(n) for n in values)
        marks = ",".join("?" * len(values))
        self.con.execute(f"INSERT INTO {quoted(self.name)} ({names}) VALUES ({marks}){conflict}", list(values.values()))

    def insert_defaults(self, ignore):
        """SQL has no ON CONFLICT for a row of defaults."""
        try:
            self.con.execute(f"INSERT INTO {quoted(self.name)} DEFAULT VALUES")
        except sqlite3.IntegrityError as e:
            if not ignore or not str(e).startswith("UNIQUE"):
                raise

    def insert_all(self):
        for r in self.records:
            self.insert(self.stored(r))

    # ---- keys ----

    def merge(self):
        if not self.o.key:
            for r in self.records:
                self.insert(self.stored(r), " ON CONFLICT DO NOTHING")
            return
        self.make_key()
        for r in self.records:
            self.merge_row(self.stored(r))

    def make_key(self):
        """A unique index on exactly the key's columns, unless there is one."""
        key = [lower(k) for k in self.o.key]
        if any(self.table.column(k) is None for k in key):
            raise Refused("the key is no column")
        if len(key) == 1 and self.table.is_rowid(self.table.column(key[0])):
            return
        for _, index, unique, _, partial in self.con.execute(f"PRAGMA index_list({quoted(self.name)})").fetchall():
            columns = [c for _, _, c in self.con.execute(f"PRAGMA index_info({quoted(index)})").fetchall()]
            if unique and not partial and None not in columns and sorted(map(lower, columns)) == sorted(key):
                return
        name = quoted("_".join([self.name, *self.o.key, "key"]))
        self.con.execute(f"CREATE UNIQUE INDEX {name} ON {quoted(self.name)} ({','.join(map(quoted, self.o.key))})")

    def merge_row(self, values):
        by_name = {lower(n): v for n, v in values.items()}
        key = [by_name.get(lower(k)) for k in self.o.key]
        if None in key:
            raise Refused("a record lacks a part of its key")
        where = " AND ".join(quoted(k) + " = ?" for k in self.o.key)
        found = self.con.execute(f"SELECT 1 FROM {quoted(self.name)} WHERE {where}", key).fetchone()
        if not found:
            self.insert(values)
        elif self.o.mode == "upsert":
            names = {lower(k) for k in self.o.key}
            others = {n: v for n, v in values.items() if lower(n) not in names}
            if others:
                sets = ", ".join(quoted(n) + " = ?" for n in others)
                self.con.execute(f"UPDATE {quoted(self.name)} SET {sets} WHERE {where}", [*others.values(), *key])


# ---- what is compared -------------------------------------------------------------------------------------------------------


def plain_sql(sql):
    """Without what a change of the declaration may write otherwise: quotes, blanks, case."""
    return "".join(c for c in (sql or "").lower() if c not in "\"`[]'" and not c.isspace())


def describe(con):
    """{table: (its declaration, its rows)} and the other objects, of a connection to a model or to a file."""
    objects = con.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
    flags = {n: (wr, strict) for _, n, _, _, wr, strict in con.execute("PRAGMA main.table_list")}
    tables = {}
    for kind, name, _, sql in objects:
        if kind == "table" and not name.startswith("sqlite_"):
            tables[name] = describe_table(con, name, sql, flags[name][0], flags[name][1])
    others = {(kind, name): (table, plain_sql(sql)) for kind, name, table, sql in objects if kind != "table"}
    return tables, others


def describe_table(con, name, sql, without_rowid, strict):
    info = con.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
    columns = [(n, t, notnull, default, pk, hidden) for _, n, t, notnull, default, pk, hidden in info]
    declaration = {
        "columns": columns,
        "options": (without_rowid, strict),
        "foreign keys": sorted(con.execute(f"PRAGMA foreign_key_list({quoted(name)})").fetchall()),
        "indexes": sorted(describe_index(con, *row) for row in con.execute(f"PRAGMA index_list({quoted(name)})").fetchall()),
        "declaration": plain_sql(sql),
    }
    names = ([] if without_rowid else ["_rowid_"]) + [n for n, *_ in columns]
    return declaration, names, read_rows(con, name, names)


def read_rows(con, table, names):
    """A result of SQLite's has as many columns as a table may have, and no rowid beside them."""
    parts = [names[i : i + 1000] for i in range(0, len(names), 1000)]
    read = [con.execute(f"SELECT {','.join(map(quoted, p))} FROM {quoted(table)}").fetchall() for p in parts]
    return read[0] if len(read) == 1 else [sum(row, ()) for row in zip(*read)]


def describe_index(con, _, name, unique, origin, partial):
    columns = con.execute(f"PRAGMA index_xinfo({quoted(name)})").fetchall()
    return name, unique, origin, partial, tuple((c, desc, coll) for _, _, c, desc, coll, key in columns if key)
