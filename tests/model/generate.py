"""Random cases. Everything about a case comes from its seed; see README.md for the kinds."""

import random
from dataclasses import dataclass, field

import cells
import schemas
from model import Database, Options
from values import Number

UNITS = (None, None, None, "1", "64", "300", "4096", "65536")
OBJECTS = ({"a": Number("1")}, {"b": "x"}, {"a": Number("1.5"), "b": None}, {"A": True, "a": Number("2")}, {"a": {"b": "y", "c": {}}}, {"b": [], "a": "z"}, {}, {"a.b": "w"})
TYPES = ("INTEGER", "REAL", "NUMERIC", "TEXT", "BLOB")


@dataclass
class Sink:
    to: str  # u.db:t, o.csv, o.jsonl
    options: Options = field(default_factory=Options)

    @property
    def file(self):
        return self.to.split(":")[0]


@dataclass
class Step:
    """One run of the program."""

    sources: list  # names in the order of the input
    sinks: list
    reading: dict = field(default_factory=dict)  # encoding, path, ragged, delimiter
    modules: list = field(default_factory=list)
    unit: str = None
    glob: str = None  # on the command line in place of the sources
    new_flags: bool = False  # uses what the program has only learned
    min_rows: int = 0


@dataclass
class Case:
    kind: str
    seed: str
    files: dict = field(default_factory=dict)
    databases: dict = field(default_factory=dict)  # name: Database, before the first step
    steps: list = field(default_factory=list)
    existing: bool = False


# ---- tables -----------------------------------------------------------------------------------------------------------------


def row_count(r):
    return r.choice((0, 1, 1, 2, 3, 5, 8, 13, 40, 40, 120, 400))


def column_plan(r, i, json):
    """A name and, from row to row, a style."""
    styles = ["int", "int", "small", "real", "number", "word", "word", "tricky", "empty", "odd", "big", "any"]
    if json:
        styles += ["bool", "nested", "text"]
    name = f"c{i}" if r.random() < 0.85 else r.choice(("Name", "a b", "größe", 'q"x', "select", "x.y", "C", "rowid_", "col,1", "_", "Ω")) + str(i)
    plan = {"name": name, "style": r.choice(styles), "late": None, "sparse": r.choice((0, 0, 0.1, 0.5, 0.9))}
    if r.random() < 0.3:
        plan["late"] = r.choice(styles)
        plan["from"] = r.choice((0.5, 0.9, 1.0))
    return plan


def style_at(plan, i, n):
    """The last row counts as late, whatever the number of rows."""
    late = plan["late"] and (i == n - 1 or i >= n * plan["from"])
    return plan["late"] if late else plan["style"]


def make_rows(r, plans, n, json):
    rows = []
    for i in range(n):
        row = {}
        for p in plans:
            absent = r.random() < p["sparse"]
            if json and absent:
                if r.random() < 0.5:
                    row[p["name"]] = None
                continue
            style = "empty" if absent else style_at(p, i, n)
            if json:
                row[p["name"]] = cells.json_cell(r, style, 0.1 if style in ("number", "any") else 0)
            else:
                row[p["name"]] = cells.spelling(r, style)
        if json and r.random() < 0.2:
            items = list(row.items())
            r.shuffle(items)
            row = dict(items)
        rows.append(row)
    return rows


def cut(r, n, pieces):
    """Places to cut n rows at, in order; pieces may be empty."""
    return [0, *sorted(r.randint(0, n) for _ in range(pieces - 1)), n]


def write_csv(r, case, step, plans, rows, pieces, ending=".csv", plain=False):
    """Columns may join from file to file; a delimiter of its own is said by the flag. PLAIN: nothing needs to be said."""
    names = [p["name"] for p in plans]
    growing = pieces > 1 and r.random() < 0.5
    encoding = r.choice((None,) * 8 + ("utf-8-sig", "utf-16", "latin-1")) if ending == ".csv" and not plain else None
    if ending == ".csv" and not plain and r.random() < 0.1:
        step.reading["delimiter"] = r.choice((";", "|", "\t"))
    if not plain and r.random() < 0.1:
        step.reading["ragged"] = "pad"
    if encoding == "latin-1":
        step.reading["encoding"] = "latin-1"
    delimiter = step.reading.get("delimiter") or ("\t" if ending == ".tsv" else ",")
    at = cut(r, len(rows), pieces)
    for k in range(pieces):
        have = names[: max(1, (k + 1) * len(names) // pieces)] if growing else list(names)
        if pieces > 1 and r.random() < 0.3:
            r.shuffle(have)
        text = cells.csv_file(
            r, have, [[row[n] for n in have] for row in rows[at[k] : at[k + 1]]], delimiter, short="ragged" in step.reading
        )
        if encoding == "latin-1":
            text = text.encode("latin-1", "replace").decode("latin-1")
        add_file(case, step, ending, text.encode(encoding or "utf-8"))


def write_json(r, case, step, rows, pieces, plain=False):
    at = cut(r, len(rows), pieces)
    document = r.random() < 0.4
    path = r.choice((None, None, "items", "a.b")) if document and not plain else None
    if path:
        step.reading["path"] = path
    for k in range(pieces):
        part = rows[at[k] : at[k + 1]]
        text = cells.json_file(r, part, path) if document else cells.jsonl_file(r, part)
        add_file(case, step, ".json" if document else ".jsonl", text.encode())


def add_file(case, step, ending, data):
    name = f"in/{len(case.files) + 1:04}{ending}"
    case.files[name] = data
    step.sources.append(name)


def write_rows(r, case, step, plans, rows, json, pieces):
    if json:
        write_json(r, case, step, rows, pieces)
    else:
        write_csv(r, case, step, plans, rows, pieces, r.choice((".csv", ".csv", ".csv", ".tsv")))


def distinct(plans):
    """SQLite's names: no two plans of one name, as sluice numbers them in its own way."""
    seen, out = set(), []
    for p in plans:
        if p["name"].lower() not in seen:
            seen.add(p["name"].lower())
            out.append(p)
    return out


def make_input(r, case, step, json=None, n=None, plans=None):
    json = r.random() < 0.45 if json is None else json
    plans = plans or distinct([column_plan(r, i, json) for i in range(r.choice((1, 2, 3, 4, 6)))])
    n = row_count(r) if n is None else n
    pieces = r.choice((1, 1, 1, 2, 3, 7)) if n else r.choice((1, 1, 2))
    write_rows(r, case, step, plans, make_rows(r, plans, n, json), json, pieces)
    return plans, json


def new_step(r, to, options=None):
    return Step([], [Sink(to, options or Options())], unit=r.choice(UNITS))


# ---- kinds: new tables and outputs ------------------------------------------------------------------------------------------


def new(r, case):
    """A new table, now and then loaded once more."""
    step = new_step(r, "u.db:t", Options(mode=r.choice(("replace", "replace", "append"))))
    case.steps.append(step)
    plans, json = make_input(r, case, step)
    if r.random() < 0.15 and not step.reading:
        add_other_format(r, case, step, plans, json)
    if r.random() < 0.3:
        again = new_step(r, "u.db:t")
        case.steps.append(again)
        make_input(r, case, again, json, plans=plans if r.random() < 0.5 else None)


def add_other_format(r, case, step, plans, json):
    """The same columns once more, as JSON after CSV or CSV after JSON."""
    plans = [dict(p, style="word" if p["style"] in ("bool", "nested", "text") else p["style"], late=None) for p in plans]
    rows = make_rows(r, plans, r.choice((1, 5)), not json)
    if json:
        write_csv(r, case, step, plans, rows, 1, plain=True)
    else:
        write_json(r, case, step, rows, 1, plain=True)


def names(r, case):
    """Names that SQLite does not tell apart, and many columns that come late; members of objects as columns."""
    if r.random() < 0.5:
        members(r, case)
        return
    pool = ["a", "A", "a_2", "A_2", "a_3", "b", "B", "ab", "Ab", "AB", "ä", "Ä", "a b", "rowid", "t"]
    step = new_step(r, "u.db:t")
    case.steps.append(step)
    r.shuffle(pool)
    plans = [dict(column_plan(r, i, True), name=n) for i, n in enumerate(pool[: r.randint(2, 9)])]
    make_input(r, case, step, True, r.choice((1, 2, 5, 30)), plans)


def members(r, case):
    """--nested flatten: paths that have one name, names with dots, objects that are not always there."""
    step = new_step(r, "u.db:t", Options(flatten=True))
    case.steps.append(step)
    choices = ["o", "O", "o.a", "o.b", "O.a", "o.a_2", "p", "p.q", "a", "o.a.b"]
    r.shuffle(choices)
    plans = [dict(column_plan(r, i, True), name=n, late=None) for i, n in enumerate(choices[: r.randint(2, 6)])]
    rows = make_rows(r, plans, r.choice((1, 2, 5, 30)), True)
    for row in rows:
        for name in row:
            if r.random() < 0.5:
                row[name] = r.choice(OBJECTS)
    write_json(r, case, step, rows, r.choice((1, 1, 2)))


def types(r, case):
    """--type over new columns."""
    step = new_step(r, "u.db:t")
    case.steps.append(step)
    plans, _ = make_input(r, case, step, r.random() < 0.2)
    for p in plans:
        if r.random() < 0.6 and "," not in p["name"]:
            step.sinks[0].options.types[p["name"]] = r.choice(TYPES)


def output(r, case):
    """CSV and JSON Lines of the same records, beside a table or not."""
    step = new_step(r, r.choice(("o.csv", "o.jsonl")))
    case.steps.append(step)
    make_input(r, case, step)


def sinks(r, case):
    """Several sinks: tables of one database, of two, files beside them; one of them may refuse."""
    case.existing = True
    step = new_step(r, "u.db:t")
    case.steps.append(step)
    for to in r.sample(("u.db:v", "v.db:t", "o.csv", "o.jsonl", "p.csv"), r.randint(1, 2)):
        step.sinks.append(Sink(to))
    mode = r.choice(("replace", "append"))
    for s in step.sinks:
        s.options.mode = mode if ".db" in s.file else "replace"
    plans, _ = make_input(r, case, step, n=r.choice((1, 3, 10, 60)))
    for s in [s for s in step.sinks if ".db" in s.file and r.random() < 0.5]:
        database = case.databases.setdefault(s.file, Database())
        schemas.simple_table(r, database, s.to.split(":")[1], [p["name"] for p in plans])


# ---- kinds: tables that exist -----------------------------------------------------------------------------------------------


def load_into(r, case, table, mode, fit, flags=True):
    """A step that loads records fit for TABLE (schemas.Made)."""
    options = Options(mode=mode, key=tuple(table.key) if mode in ("upsert", "ignore") else ())
    step = new_step(r, "u.db:t", options)
    case.steps.append(step)
    json = r.random() < 0.5
    n = r.choice((1, 2, 5, 20, 20, 100)) if r.random() < 0.99 else r.choice((1000, 5000, 20_000))
    plans, rows = schemas.records_for(r, table, n, json, fit)
    write_rows(r, case, step, plans, rows, json, r.choice((1, 1, 2, 4)))
    step.reading.pop("ragged", None) if not fit.missing else None
    return step


def affinity(r, case):
    """Values that a column of a table would alter, beside others that it keeps."""
    case.existing = True
    table = schemas.make(r, case, rich=r.random() < 0.2, strict=0.1)
    fit = schemas.Fit(odd=r.choice((0, 0.02, 0.2)), new_columns=0.15, missing=r.random() < 0.3, long=r.random() < 0.1)
    load_into(r, case, table, r.choice(("append", "append", "append", "replace")), fit)


def upsert(r, case):
    """Keys within and across files and units; fields that are missing, null, new; one to three runs."""
    case.existing = True
    table = schemas.make_keyed(r, case)
    fit = schemas.Fit(odd=r.choice((0, 0, 0, 0.03)), new_columns=0.1, missing=True, long=r.random() < 0.1)
    for _ in range(r.choice((1, 1, 2, 3))):
        load_into(r, case, table, "upsert", fit)


def ignore(r, case):
    case.existing = True
    table = schemas.make_keyed(r, case)
    step = load_into(r, case, table, "ignore", schemas.Fit(odd=0.01, new_columns=0.1, missing=r.random() < 0.5))
    if r.random() < 0.3:
        step.sinks[0].options.key = ()


def schema(r, case):
    """Declared tables with all that may hang on them; evolve, freeze, and no word about it."""
    case.existing = True
    table = schemas.make(r, case, rich=True, strict=0.2)
    step = load_into(r, case, table, r.choice(("append", "append", "replace")), schemas.Fit(odd=r.choice((0, 0, 0.03)), new_columns=0.15, missing=True))
    policy = r.choice((None, "evolve", "freeze", "freeze"))
    if policy:
        step.sinks[0].options.schema = policy
        step.new_flags = True
    if r.random() < 0.15:
        name = r.choice([c for c in table.spec.columns if "," not in c.name]).name
        step.sinks[0].options.types[name] = r.choice(TYPES)


def empty(r, case):
    """Nothing comes: over a table or none, in every mode; filters that keep nothing; --allow-empty, --min-rows."""
    case.existing = True
    if r.random() < 0.75:
        schemas.make(r, case, rich=r.random() < 0.3, strict=0)
    mode = r.choice(("replace", "replace", "append", "upsert"))
    step = new_step(r, "u.db:t", Options(mode=mode, key=("id",) if mode == "upsert" else ()))
    case.steps.append(step)
    filtered = r.random() < 0.3
    plans = [{"name": n, "style": "small", "late": None, "sparse": 0} for n in ("id", "k")]
    make_input(r, case, step, r.random() < 0.4, 3 if filtered else 0, plans)
    if mode == "upsert" and "u.db" not in case.databases:
        step.sinks[0].options = Options(mode="append")
    if filtered:
        step.modules.append({"type": "filter", "conf": {"rule": [{"field": "k", "op": "is", "value": "nothing"}]}})
        step.sinks[0].options.filtered = True
    elif r.random() < 0.4:
        step.sinks[0].options.allow_empty = step.new_flags = True
    if not filtered and r.random() < 0.2:
        step.min_rows = r.choice((1, 2))
        step.new_flags = True


# ---- kinds: sizes -----------------------------------------------------------------------------------------------------------


def recoding(r, case):
    """New databases whose columns show only late what they are: many small files whose header grows, or one large file."""
    step = new_step(r, "u.db:t")
    step.unit = None
    case.steps.append(step)
    if r.random() < 0.15:
        large_late(r, case, step)
        return
    plain = [{"name": f"c{i}", "style": r.choice(("int", "real", "small", "empty")), "late": None, "sparse": 0} for i in range(r.randint(1, 5))]
    files = r.choice((3, 40, 254, 257, 300, 700))
    step.glob = "in/*.csv"
    for k in range(files):
        last = k == files - 1
        have = plain + [{"name": "more", "style": "word", "late": None, "sparse": 0}] * (k >= files // 2)
        rows = [[cells.spelling(r, "word" if last and r.random() < 0.7 else p["style"]) for p in have] for _ in range(r.choice((1, 1, 2)))]
        add_file(case, step, ".csv", cells.csv_file(r, [p["name"] for p in have], rows).encode())


def large_late(r, case, step):
    """Integers for many units, text in the last row; rows wide enough for 300 pages of 64 KiB."""
    filler = "x" * r.choice((60, 150))
    n = 21_000_000 // (len(filler) + 16)
    lines = ["id,f,g\n", *(f"{i},{filler},{i % 7}\n" for i in range(n)), f"{r.choice(('AB1', '007', '1.5'))},{filler},x\n"]
    add_file(case, step, ".csv", "".join(lines).encode())


def sizes(r, case):
    """Rows near and beyond the sizes of pages, wide tables, many rows, many files."""
    step = new_step(r, "u.db:t")
    step.unit = None
    case.steps.append(step)
    r.choice((long_rows,) * 5 + (wide_table, many_rows, many_files))(r, case, step)
    if r.random() < 0.2:
        step.sinks.append(Sink("o.jsonl"))


def long_rows(r, case, step):
    sizes = (900, 1000, 4000, 4090, 8190, 16300, 16384, 16390, 32700, 65400, 65500, 65536, 65540, 70000, 140000, 300000)
    lines = ["id,t,n\n"]
    for i in range(r.choice((1, 5, 40, 120))):
        size = max(0, r.choice(sizes) + r.randint(-40, 40))
        lines.append(f"{i},{r.choice('xyé') * size},{cells.spelling(r, r.choice(('int', 'int', 'int', 'word')))}\n")
    add_file(case, step, ".csv", "".join(lines).encode())


def wide_table(r, case, step):
    columns = r.choice((300, 999, 1990, 2000, 2001))
    names = [f"c{i}" for i in range(columns)]
    lines = [",".join(names), *(",".join(cells.spelling(r, r.choice(("small", "small", "empty"))) for _ in names) for _ in range(r.choice((1, 3, 30))))]
    lines.append(",".join(r.choice(("1", "x", "2.5")) for _ in names))
    add_file(case, step, ".csv", "\n".join(lines).encode())


def many_rows(r, case, step):
    n = r.choice((5000, 5000, 30_000, 30_000, 30_000, 100_000, 300_000))
    late = cells.spelling(r, "any")
    json = r.random() < 0.3
    if json:
        lines = (f'{{"id":{i},"v":{i * 7 % 1000}.25,"w":"w{i % 97}"}}\n' for i in range(n))
        text = "".join(lines) + cells.jsonl_file(r, [{"v": late, "late": Number("1"), "id": None}])
    else:
        lines = (f"{i},{i * 7 % 1000}.25,w{i % 97},\n" for i in range(n))
        text = "id,v,w,e\n" + "".join(lines) + ",".join(cells.csv_cell(r, late, ",", "needed") for _ in range(4)) + "\n"
    add_file(case, step, ".jsonl" if json else ".csv", text.encode())


def many_files(r, case, step):
    files = r.choice((100, 300, 1000, 3000))
    step.glob = "in/*.csv"
    for k in range(files):
        add_file(case, step, ".csv", f"id,v\n{k},{'x' if k == files - 1 else k % 10}\n".encode())


# ---- kinds: pipes -----------------------------------------------------------------------------------------------------------


def pipes(r, case):
    """A chain of one to four pipes, into JSON Lines and, where all cells stay as they came, a table."""
    step = new_step(r, "o.jsonl")
    case.steps.append(step)
    json = r.random() < 0.5
    styles = {"id": "int", "k": "ascii", "n": "small", "x": "int", "w": "word"}
    plans = [{"name": n, "style": s, "late": None, "sparse": 0.1 if n != "id" else 0} for n, s in styles.items()]
    rows = make_rows(r, plans, row_count(r), json)
    write_rows(r, case, step, plans, rows, json, r.choice((1, 1, 2, 5)))
    step.reading.pop("ragged", None)
    fields = list(styles)
    for _ in range(r.randint(1, 4)):
        module = chain_step(r, fields)
        step.modules.append(module)
        if module["type"] in ("count", "aggregate"):
            break
    if not any(m["type"] in ("strreplace", "count", "aggregate", "rename") for m in step.modules) and r.random() < 0.5:
        step.sinks = [Sink("u.db:t")]
        step.sinks[0].options.filtered = True


def chain_step(r, fields):
    """A module that reads some of FIELDS, which are changed as it changes them."""
    kind = r.choice(("sort", "truncate", "tail", "reverse", "uniq", "rename", "count", "aggregate", "filter", "filter", "strreplace"))
    f = r.choice(fields)
    if kind == "sort":
        return {"type": kind, "conf": {"rule": [{"field": g, "dir": r.choice(("asc", "desc"))} for g in r.sample(fields, min(len(fields), r.randint(1, 2)))]}}
    if kind == "truncate":
        return {"type": kind, "conf": {"count": r.randint(0, 60), "start": r.choice((0, 0, 3, 30))}}
    if kind == "tail":
        return {"type": kind, "conf": {"count": r.randint(0, 40)}}
    if kind == "uniq":
        return {"type": kind, "conf": {"uniq_key": f, "limit": r.choice((1, 2, 3, 1024))}}
    if kind == "rename":
        return rename_step(r, fields, f)
    if kind == "count":
        return {"type": kind, "conf": r.choice(({}, {"count_key": f}))}
    if kind == "aggregate":
        ops = [{"op": "count", "as": "rows"}, {"op": "count", "field": f, "as": "have"}]
        if "x" in fields:
            ops.append({"op": "sum", "field": "x", "as": "total"})
        return {"type": kind, "conf": {"by": r.sample(fields, r.randint(0, 2)) if len(fields) > 1 else [], "ops": ops}}
    if kind == "filter":
        rules = [filter_rule(r, r.choice(fields)) for _ in range(r.randint(1, 2))]
        return {"type": kind, "conf": {"rule": rules, "combine": r.choice(("and", "or")), "permit": r.random() < 0.8}}
    if kind == "strreplace" and f != "x":  # which is added up
        rule = {"find": r.choice(("a", "b", "1", "be")), "replace": r.choice(("", "_", "aa")), "param": r.choice(("every", "first", "last"))}
        return {"type": kind, "field": f, "assign": r.choice((f, "made", "k")), "conf": {"rule": [rule]}}
    return {"type": "reverse", "conf": {}}


def rename_step(r, fields, f):
    rule = {"field": f}
    rest = [g for g in fields if g != f]
    if r.random() < 0.8 or len(fields) < 3:
        rule["newval"] = r.choice((f + "_", f + "_", r.choice(rest or fields)))
        rule["copy"] = r.random() < 0.4
        fields.append(rule["newval"]) if rule["newval"] not in fields else None
    if not rule.get("copy") and rule.get("newval") != f:
        fields.remove(f)
    if rule.get("newval") == "x" or rule.get("newval") is None and f == "x":
        fields[:] = [g for g in fields if g != "x"] or fields
    return {"type": "rename", "conf": {"rule": [rule]}}


def filter_rule(r, f):
    op = r.choice(("is", "isnot", "contains", "doesnotcontain", "greater", "less", "atleast", "atmost", "truthy", "falsy"))
    rule = {"field": f, "op": op}
    if op in ("is", "isnot"):
        rule["value"] = r.choice(("alpha", "3", 3, 0, "beta"))
    elif op in ("contains", "doesnotcontain"):
        rule["value"] = r.choice(("a", "BETA", "1", "x y"))
    elif op not in ("truthy", "falsy"):
        rule["value"] = r.choice((0, 3, -5, 50, 1000))
    return rule


KINDS = {
    new: 20, names: 3, types: 4, output: 8, sinks: 5, affinity: 14, upsert: 14, ignore: 6, schema: 10, empty: 4, recoding: 2, sizes: 1, pipes: 12,
}  # fmt: skip


def generate(seed, only=None):
    """SEED: a text; ONLY: the name of a kind."""
    r = random.Random(seed)
    kinds = [k for k in KINDS if k.__name__ == only] if only else list(KINDS)
    kind = r.choices(kinds, [KINDS[k] for k in kinds])[0]
    case = Case(kind.__name__, seed)
    kind(r, case)
    return case
