"""Random tables that exist before a load, and records for them."""

from dataclasses import dataclass, field

import cells
from model import Column, Database, Table, quoted
from values import Number, affinity

DECLARED = ("INTEGER", "INTEGER", "INT", "BIGINT", "REAL", "REAL", "DOUBLE", "FLOAT", "NUMERIC", "DECIMAL(10,2)", "DATE", "TEXT", "TEXT", "VARCHAR(20)", "BLOB", "")
STRICT = ("INTEGER", "INT", "REAL", "TEXT", "BLOB", "ANY")
FITTING = {
    "INTEGER": ("int", "small", "small", "int", "empty"),
    "REAL": ("real", "real", "int", "empty"),
    "NUMERIC": ("number", "small", "empty"),
    "TEXT": ("word", "word", "int", "odd", "empty", "real"),
    "BLOB": ("word", "int", "real", "odd", "empty"),
}  # fmt: skip
WHOLE = ("int", "small", "small")


@dataclass
class Made:
    spec: Table
    key: list = field(default_factory=list)
    database: Database = None
    keys: int = 12  # how many different keys come


@dataclass
class Fit:
    """What records for a table may have in them."""

    odd: float = 0.0  # how often a cell is one that a number column would alter
    new_columns: float = 0.0
    missing: bool = False  # fields may be missing
    long: bool = False  # texts near the sizes of pages and beyond


# ---- tables -----------------------------------------------------------------------------------------------------------------


def stored_value(r, column, strict):
    """A value as an earlier program may have left it."""
    if r.random() < 0.1 and "NOT NULL" not in column.rest and "PRIMARY" not in column.rest:
        return None
    aff = affinity(column.type)
    if strict and column.type == "BLOB":
        return b"\x00\xff"
    if aff == "INTEGER":
        return r.choice((1, 7, r.randint(-1000, 1000), 2**53 + 1, r.randint(0, 50)))
    if aff == "REAL":
        return r.choice((1.0, 0.1, 1e20, -2.5, 1e-7, r.random() * 100))
    if aff == "NUMERIC":
        return r.choice((1, 2.5, r.randint(0, 50)))
    if aff == "TEXT":
        return r.choice(("7", "007", "a", "A", "b", "é", "x", "1.0"))
    return r.choice((1, 1.5, "x", "007", b"\x01"))


def constraint(r, column, strict):
    if r.random() > 0.4:
        return ""
    number = affinity(column.type) in ("INTEGER", "REAL", "NUMERIC")
    choices = ["NOT NULL DEFAULT 5" if number else "NOT NULL DEFAULT 'dd'", "DEFAULT 1.5" if affinity(column.type) == "REAL" else "DEFAULT 3"]
    choices += ["COLLATE NOCASE", f"CHECK ({quoted(column.name)} IS NULL OR length({quoted(column.name)}) < 30)", "DEFAULT NULL"]
    if number:
        choices.append(f"CHECK ({quoted(column.name)} IS NULL OR {quoted(column.name)} > -5000)")
    if strict and column.type == "BLOB":
        return ""
    if strict and column.type in ("INTEGER", "INT", "TEXT"):
        choices = [c for c in choices if "DEFAULT 3" not in c]
    return r.choice(choices)


def make_columns(r, rich, strict):
    columns = []
    for i in range(r.randint(1, 5)):
        c = Column(r.choice(("a", "b", "val", "x y", "Name")) + str(i), r.choice(STRICT if strict else DECLARED))
        c.rest = constraint(r, c, strict) if rich else ""
        columns.append(c)
    return columns


def id_column(r, rich):
    if not rich:
        return Column("id", r.choice(("INTEGER", "TEXT", "INTEGER")))
    return r.choice((Column("id", "INTEGER", "PRIMARY KEY"), Column("id", "TEXT", "PRIMARY KEY"), Column("id", "INTEGER"), Column("id", "INT", "UNIQUE"), Column("id", "TEXT")))


def make(r, case, rich, strict):
    """The table t of u.db, not made to have a key."""
    strict = r.random() < strict
    first = id_column(r, rich)
    columns = [first, *make_columns(r, rich, strict)]
    if strict:
        first.type = first.type if first.type in STRICT else "TEXT"
    spec = Table("t", columns, strict=strict)
    if rich and "PRIMARY KEY" in first.rest and r.random() < 0.25:
        spec.without_rowid = True
    if rich and r.random() < 0.2:
        spec.constraints.append(f'UNIQUE ("id", {quoted(columns[1].name)})')
    if rich and r.random() < 0.2:
        base = columns[-1]
        how = r.choice(("VIRTUAL", "STORED"))
        columns.append(Column("gen", "TEXT", f"GENERATED ALWAYS AS (coalesce({quoted(base.name)}, 'none') || '!') {how}", True))
    return place(r, case, spec, rich)


def new_database(r):
    database = Database()
    database.con.execute(f"PRAGMA page_size={r.choice((512, 1024, 4096, 4096, 4096, 16384, 65536))}")
    database.wal = r.random() < 0.1
    return database


def place(r, case, spec, rich):
    """SPEC with rows, indexes and what else hangs on it, in u.db."""
    database = case.databases.setdefault("u.db", new_database(r))
    more = hangers(r, spec) if rich or r.random() < 0.3 else []
    if rich and r.random() < 0.2:
        add_parent(r, database, spec)
    plain = [c for c in spec.columns if not c.generated]
    rows = []
    for i in range(r.choice((0, 1, 3, 10))):
        row = [stored_value(r, c, spec.strict) for c in plain]
        row[0] = i + 1 if affinity(plain[0].type) == "INTEGER" else f"k{i}"
        rows.append(row)
    database.create(spec, rows)
    if r.random() < 0.3:
        database.con.execute("DELETE FROM t WHERE id IN (1, 4, 'k0', 'k3')")  # the rowids have holes
    for sql in more:
        database.con.execute(sql)
    if r.random() < 0.3:
        database.create(Table("elsewhere", [Column("z", "INTEGER")]), [(1,), (2,)])
    return Made(spec, database=database)


def hangers(r, spec):
    """Indexes, views and triggers."""
    c = r.choice(spec.columns[1:])
    out = []
    if r.random() < 0.5:
        out.append(f"CREATE INDEX by_one ON t ({quoted(c.name)})")
    if r.random() < 0.2:
        out.append(f"CREATE INDEX by_part ON t ({quoted(c.name)} DESC) WHERE {quoted(c.name)} IS NOT NULL")
    if r.random() < 0.2:
        out.append(f"CREATE INDEX by_expression ON t (lower({quoted(c.name)}))")
    if spec.plain:
        if r.random() < 0.2:
            out.append(f"CREATE TRIGGER keeps AFTER UPDATE OF {quoted(c.name)} ON t WHEN NEW.{quoted(c.name)} = 'never' BEGIN DELETE FROM t; END")
        return out
    if r.random() < 0.3:
        out.append(f"CREATE VIEW seen AS SELECT \"id\", {quoted(c.name)} AS one FROM t WHERE {quoted(c.name)} IS NOT NULL")
    if r.random() < 0.3:
        out.append("CREATE TABLE log (what TEXT, who)")
        out.append(f"CREATE TRIGGER logs AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('new', NEW.{quoted(c.name)}); END")
    return out


def add_parent(r, database, spec):
    """A foreign key of SPEC's, or one that leads to it."""
    column = spec.columns[1] if not spec.columns[1].generated else spec.columns[0]
    if r.random() < 0.5 and not spec.strict:
        database.create(Table("parent", [Column("p", column.type, "PRIMARY KEY")], pinned=frozenset({"p"})))
        spec.constraints.append(f"FOREIGN KEY ({quoted(column.name)}) REFERENCES parent (p)")
        spec.pinned = spec.pinned | {column.name.lower()}
    else:
        database.create(Table("child", [Column("c", "")], [f"FOREIGN KEY (c) REFERENCES t ({quoted(column.name)})"], pinned=frozenset({"c"})))
        spec.pinned = spec.pinned | {column.name.lower()}


def make_keyed(r, case):
    """The table t of u.db with a key of one or two columns, declared unique, indexed so, or neither."""
    two = r.random() < 0.3
    key = [Column("id", r.choice(("INTEGER", "TEXT", "INTEGER", "")))] + [Column("part", r.choice(("TEXT", "INTEGER")))] * two
    if r.random() < 0.25 and key[0].type == "TEXT":
        key[0].rest = "COLLATE NOCASE"
    spec = Table("t", key + [Column(f"v{i}", r.choice(("INTEGER", "TEXT", "REAL", "TEXT", ""))) for i in range(r.randint(1, 4) if r.random() < 0.9 else 9)])
    for c in spec.columns[len(key) :]:
        c.rest = r.choice(("", "", "", "DEFAULT 7" if affinity(c.type) != "TEXT" else "DEFAULT 'd'", "NOT NULL DEFAULT 0" if affinity(c.type) != "TEXT" else "NOT NULL DEFAULT '-'"))
    how = r.choice(("none", "primary", "unique", "index"))
    columns = ", ".join(quoted(c.name) for c in key)
    if how == "primary" and not two and r.random() < 0.6:
        key[0].rest = ("PRIMARY KEY " + key[0].rest).strip()
    elif how == "primary":
        spec.constraints.append(f"PRIMARY KEY ({columns})")
        spec.without_rowid = r.random() < 0.4
    elif how == "unique":
        spec.constraints.append(f"UNIQUE ({columns})")
    made = place(r, case, spec, False)
    if how == "index":
        made.database.con.execute(f"CREATE UNIQUE INDEX by_key ON t ({columns})")
    made.key = [r.choice((c.name, c.name, c.name.upper())) for c in key]
    made.keys = r.choice((3, 12, 200))
    return made


def simple_table(r, database, name, columns):
    """A table that may refuse or be altered by what comes."""
    made = [Column(c, r.choice(("", "TEXT", "INTEGER")), r.choice(("", "", "UNIQUE"))) for c in columns]
    database.create(Table(name, made), [["1"] * len(made)])


# ---- records ----------------------------------------------------------------------------------------------------------------


def key_cell(r, table, column, json):
    n = r.randint(1, table.keys)
    if affinity(column.type) == "TEXT":
        return r.choice(("k", "k", "K")) + str(n)
    return Number(n) if json else str(n)


def cell_for(r, column, fit, json, strict):
    aff = affinity(column.type)
    if r.random() < fit.odd:
        style = r.choice(("odd", "odd", "big", "word"))
        return cells.json_cell(r, style, 0.3) if json else cells.spelling(r, style)
    if json and r.random() < 0.05 and "NOT NULL" not in column.rest:
        return None
    if json and aff != "REAL" and r.random() < 0.05 and not strict:
        return r.random() < 0.5
    if fit.long and aff == "TEXT" and r.random() < 0.3:
        return r.choice("xyé") * max(1, r.choice((480, 990, 4000, 16300, 65450, 90000)) + r.randint(-60, 60))
    options = WHOLE if strict and aff == "INTEGER" else FITTING[aff]
    style = r.choice(options)
    if style == "empty" and ("NOT NULL" in column.rest or strict):
        style = options[0]
    return cells.json_cell(r, style) if json else cells.spelling(r, style)


def records_for(r, table, n, json, fit):
    """(plans, rows) as generate.write_rows takes them."""
    spec = table.spec
    keys = {k.lower() for k in table.key}
    columns = [c for c in spec.columns if (not c.generated or r.random() < 0.03) and (c.name.lower() in keys or r.random() < 0.85)]
    columns = columns or [spec.columns[0]]
    columns = r.sample(columns, len(columns)) if r.random() < 0.3 else columns
    called = {c.name: c.name.swapcase() if r.random() < 0.1 and c.name.isascii() else c.name for c in columns}
    if r.random() < fit.new_columns:
        extra = Column("new one", r.choice(("INTEGER", "TEXT", "REAL")))
        columns.insert(r.randint(0, len(columns)), extra)
        called[extra.name] = extra.name
    rows = [record_for(r, table, columns, called, keys, i, json, fit) for i in range(n)]
    return [{"name": called[c.name]} for c in columns], rows


def record_for(r, table, columns, called, keys, i, json, fit):
    row = {}
    for c in columns:
        is_key = c.name.lower() in keys
        if json and fit.missing and not is_key and r.random() < 0.25 or is_key and json and r.random() < 0.002:
            continue
        if is_key:
            cell = key_cell(r, table, c, json)
        elif c.name == "id" and r.random() > fit.odd:
            cell = unique_id(r, c, i, json)
        else:
            cell = cell_for(r, c, fit, json, table.spec.strict)
        row[called[c.name]] = cell
    return row


def unique_id(r, column, i, json):
    """One that nobody has, most of the time."""
    n = 100 + i if r.random() < 0.99 else 1
    if affinity(column.type) == "TEXT":
        return f"k{n}"
    return Number(n) if json else str(n)
