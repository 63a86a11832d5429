"""One case: its files, the program's runs over them, and what the model says to each."""

import json
import os
import random
import re
import shlex
import shutil
import sqlite3
import subprocess
from pathlib import Path

import model
import outputs
import pipes
from inputs import Refused, read_all

POOLS = (
    ["--parallel=false"], ["-j", "1"], ["-j", "2"], ["-j", "2"], ["-j", "3"], ["-j", "8"],
    ["-j", "1", "--threads=false"], ["-j", "2", "--threads=false"], ["-j", "3", "--threads=false"],
)  # fmt: skip
TIMEOUT = 120
SUMMARY = re.compile(r"([\d,]+) items? in, ([\d,]+) out")
STORED = {int: "integer", float: "real", str: "text", bytes: "blob", type(None): "null"}


class Fault(Exception):
    """What is wrong: SIGN tells this kind of fault from others, TEXT is for people."""

    def __init__(self, kind, sign, text):
        super().__init__(text)
        self.kind, self.sign, self.text = kind, sign, text


# ---- what is expected -------------------------------------------------------------------------------------------------------


class World:
    """Everything that the model knows: databases and files by name."""

    def __init__(self, case):
        self.databases = dict(case.databases)
        self.files = {}

    def apply(self, step, records, came):
        """CAME: how many records the sources had. Raises Refused and leaves everything as it was."""
        before = dict(self.files), dict(self.databases)
        touched = []
        try:
            if step.min_rows > len(records):
                raise Refused("fewer rows than --min-rows")
            for sink in step.sinks:
                self.apply_sink(sink, records, touched, came)
        except Refused:
            for d in touched:
                d.rollback()
            self.files, self.databases = before
            raise
        except model.Unspecified:
            for d in touched:
                d.rollback()
            raise
        for d in touched:
            d.commit()
        # A load of nothing at all makes no database.
        self.databases = {n: d for n, d in self.databases.items() if n in before[1] or d.tables}

    def apply_sink(self, sink, records, touched, came):
        if sink.to.endswith(".csv"):
            self.put_file(sink, outputs.csv_text(records), records, came)
        elif sink.to.endswith(".jsonl"):
            self.put_file(sink, outputs.jsonl_text(records), records, came)
        else:
            name, table = sink.to.split(":")
            database = self.databases.setdefault(name, model.Database())
            if database not in touched:
                database.begin()
                touched.append(database)
            database.load(table, records, sink.options)

    def has_table(self, sink):
        name, _, table = sink.to.partition(":")
        return name in self.databases and model.lower(table) in self.databases[name].tables

    def put_file(self, sink, text, records, came):
        old = self.files.get(sink.to)
        if old and not came and not sink.options.allow_empty and len(old.splitlines()) > 1:
            raise Refused("no record would replace some")
        self.files[sink.to] = text


# ---- running ----------------------------------------------------------------------------------------------------------------


def words_of_rule(prefix, conf):
    for k, v in conf.items():
        yield from ([f"{prefix}{k}={v}"] if not isinstance(v, bool) else [f"{prefix}{k}={str(v).lower()}"])


def needs_definition(step):
    mixed = len({s.options.mode for s in step.sinks}) > 1
    return bool(step.modules) or mixed or step.unit is not None


def definition(step):
    """The run as a pipeline definition."""
    conf = {"delimiter": "delimiter", "ragged": "ragged", "encoding": "encoding", "path": "path"}
    extra = {conf[k]: v for k, v in step.reading.items()}
    sources = [{"url": s, **extra} for s in ([step.glob] if step.glob else step.sources)]
    sinks = []
    for s in step.sinks:
        sink = {"to": s.to}
        if ".db:" in s.to:
            sink["mode"] = s.options.mode
            if s.options.key:
                sink["key"] = list(s.options.key)
            if s.options.types:
                sink["types"] = s.options.types
            if s.options.flatten:
                sink["nested"] = "flatten"
            if s.options.schema != "evolve":
                sink["schema"] = s.options.schema
        sinks.append(sink)
    d = {"sources": sources, "sinks": sinks, "modules": step.modules}
    if step.unit:
        d["unit"] = int(step.unit)
    if step.sinks[0].options.allow_empty:
        d["allow_empty"] = True
    if step.min_rows:
        d["min_rows"] = step.min_rows
    return d


def load_words(step):
    o = step.sinks[0].options
    words = ["load", *([step.glob] if step.glob else step.sources)]
    for s in step.sinks:
        words += ["--to", s.to]
    words += ["--mode", o.mode] if o.mode != "replace" else []
    words += ["--key", ",".join(o.key)] if o.key else []
    words += ["--nested", "flatten"] if o.flatten else []
    for name, type in o.types.items():
        words += ["--type", f"{name}={type}"]
    for name, flag in (("encoding", "--encoding"), ("delimiter", "--delimiter"), ("ragged", "--ragged"), ("path", "--path")):
        words += [flag, step.reading[name]] if name in step.reading else []
    if step.new_flags:
        words += ["--schema", o.schema] if o.schema != "evolve" else []
        words += ["--allow-empty"] if o.allow_empty else []
        words += ["--min-rows", str(step.min_rows)] if step.min_rows else []
    return words


def sign_of(message):
    """A reason or message without names and numbers."""
    message = re.sub(r".* is .*, not .*", "another type", message)
    message = re.sub(r".* cannot be widened", "a column that cannot be widened", message)
    message = re.sub(r"failed: .*|^in/\S* ", "", message)
    return re.sub(r"'[^']*'|\d+", "", message)[:60]


class Runner:
    """Runs cases with one program, each in a folder of its own below ROOT."""

    def __init__(self, program, root):
        self.program, self.root = str(program), Path(root)
        self.rows = self.runs = 0
        cache = self.root / "cache"
        self.env = dict(os.environ, SLUICE_CACHE_DIR=str(cache), TMPDIR=str(self.root / "tmp"), LC_ALL="C.UTF-8")
        (self.root / "tmp").mkdir(parents=True, exist_ok=True)

    def check(self, case, folder=None):
        """Raises Fault. The folder is removed unless it is given."""
        keep = folder is not None
        folder = Path(folder) if keep else self.root / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            self.lay_out(case, folder, keep)
            self.steps(case, folder)
        except model.Unspecified:
            pass
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)

    def lay_out(self, case, folder, keep):
        """With KEEP the databases as they are before the first run stand in `before` too."""
        for name, data in case.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        for name, database in case.databases.items():
            database.save(folder / name)
            if keep:
                (folder / "before").mkdir(exist_ok=True)
                shutil.copy(folder / name, folder / "before")

    def steps(self, case, folder):
        r = random.Random(case.seed + " pools")
        world = World(case)
        for i, step in enumerate(case.steps):
            pool = r.choice(POOLS)
            other = r.choice(POOLS) if r.random() < 0.1 else None
            twin = self.twin(folder, step) if other else None
            words = self.words(step, folder, i, pool)
            expected = self.expect(world, case, step)
            self.run_step(case, step, world, folder, words, expected)
            if twin:
                self.compare_pools(case, step, i, folder, twin, other, expected)

    def expect(self, world, case, step):
        """(records, reason of a refusal or None)"""
        self.came = None
        try:
            records = read_all([(n, case.files[n]) for n in step.sources], step.reading)
            self.came = len(records)
            heading = records.heading
            if step.modules:
                out = pipes.run(list(records), step.modules)
                records = type(records)(out)
                records.heading, records.headings = heading, 0
                if not out and not all(world.has_table(s) for s in step.sinks):
                    raise model.Unspecified  # the columns of what no pipe let through
            world.apply(step, records, self.came)
        except Refused as e:
            return [], str(e)
        self.rows += len(records)
        return records, None

    def words(self, step, folder, i, pool):
        if needs_definition(step):
            name = f"run{i}.json"
            (folder / name).write_text(json.dumps(definition(step), indent=1))
            return ["run", name, *pool]
        return [*load_words(step), *pool]

    def execute(self, folder, words):
        (folder / "commands").open("a").write(shlex.join(["sluice", *words]) + "\n")
        self.runs += 1
        try:
            return subprocess.run([self.program, *words], cwd=folder, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return None

    # ---- one step ----

    def run_step(self, case, step, world, folder, words, expected):
        records, reason = expected
        p = self.execute(folder, words)
        if p is None:
            raise Fault("hang", case.kind, f"no end within {TIMEOUT} s")
        message = p.stderr.decode("utf-8", "replace").strip()
        self.check_code(case, step, p.returncode, message, reason)
        if p.stdout:
            raise Fault("output", "standard output", f"something on standard output: {p.stdout[:200]!r}")
        self.check_summary(step, message, records, reason)
        self.check_files(case, world, folder)
        for name, database in world.databases.items():
            self.check_database(case, step, name, database, folder, reason)
        for name, text in world.files.items():
            self.check_text(case, name, text, folder)

    def check_code(self, case, step, code, message, reason):
        if code == (1 if reason else 0):
            return
        if code == 70 and "frame of SQLite pages" in message:
            raise Fault("recoding", "frame", message)
        if code not in (0, 1, 2, 3, 75):
            raise Fault("crash", f"{case.kind} {code}", f"exit code {code}: {message}")
        said = f"refused, since: {reason}" if reason else "exit code 0"
        sign = sign_of(reason or message.removeprefix("sluice: "))
        raise Fault(self.kind_of(case, step), f"code {code}: {sign}", f"expected {said}; got exit code {code}: {message}")

    def kind_of(self, case, step):
        return case.kind

    def check_summary(self, step, message, records, reason):
        found = SUMMARY.search(message)
        if not found:
            return
        shown = [int(n.replace(",", "")) for n in found.groups()]
        if reason:
            raise Fault("summary", "refused", f"a summary after a refusal: {message}")
        stopped = any(m["type"] == "truncate" for m in step.modules)  # not all of the input need be read
        if shown[1] != len(records) or shown[0] != self.came and not stopped:
            raise Fault("summary", "counts", f"expected {self.came} in, {len(records)} out: {message}")

    def check_files(self, case, world, folder):
        have = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
        have = {n for n in have if not re.match(r"commands$|run\d\.json$|before/", n)}
        want = {*case.files, *world.databases, *world.files}
        if have != want:
            raise Fault("files", f"{len(have - want)} more", f"left behind {sorted(have - want)}, missing {sorted(want - have)}")
        tmp = [str(p) for p in (self.root / "tmp").iterdir()]
        if tmp:
            raise Fault("files", "tmp", f"left in TMPDIR: {tmp}")

    def check_text(self, case, name, text, folder):
        got = (folder / name).read_bytes().decode("utf-8", "surrogateescape")
        if got == text:
            return
        a, b = text.split("\n"), got.split("\n")
        n = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        show = lambda lines: repr(lines[n][:300]) if n < len(lines) else "no such line"
        raise Fault(case.kind, name.split(".")[-1], f"{name}: line {n + 1}: expected {show(a)}, got {show(b)}")

    # ---- databases ----

    def check_database(self, case, step, name, database, folder, reason):
        con = sqlite3.connect(folder / name)
        con.text_factory = model.as_text
        try:
            self.compare(case, step, name, model.describe(database.con), model.describe(con), reason)
            result = con.execute("PRAGMA integrity_check").fetchall()
            if result != [("ok",)]:
                raise Fault("integrity", case.kind, f"{name}: integrity_check says {result[:5]}")
        except sqlite3.Error as e:
            raise Fault("integrity", case.kind, f"{name}: {e}") from e
        finally:
            con.close()

    def compare(self, case, step, name, want, got, reason):
        where = name + (" (the load was to be refused)" if reason else "")
        if want[0].keys() != got[0].keys():
            raise Fault(case.kind, "tables", f"{where}: expected the tables {sorted(want[0])}, got {sorted(got[0])}")
        for table in want[0]:
            self.compare_table(case, step, f"{where}, table {table}", want[0][table], got[0][table])
        for key in {**want[1], **got[1]}:
            if want[1].get(key) != got[1].get(key):
                raise Fault(case.kind, key[0], f"{where}: {key[0]} {key[1]}: expected {want[1].get(key)}, got {got[1].get(key)}")

    def compare_table(self, case, step, where, want, got):
        declared, names, rows = want
        if declared["columns"] != got[0]["columns"]:
            self.columns_differ(case, where, declared["columns"], got[0]["columns"])
        self.compare_rows(case, step, where, names, rows, got[2])
        for part in declared:
            if declared[part] != got[0][part]:
                raise Fault(case.kind, part, f"{where}: {part}: expected {declared[part]!r}, got {got[0][part]!r}")

    def columns_differ(self, case, where, want, got):
        names = [[c[0] for c in columns] for columns in (want, got)]
        if names[0] != names[1]:
            raise Fault(case.kind, "columns", f"{where}: expected the columns {names[0]}, got {names[1]}")
        a, b = next((a, b) for a, b in zip(want, got) if a != b)
        show = ("", "type", "not null", "default", "key", "hidden")
        i = next(i for i in range(len(a)) if a[i] != b[i])
        kind = "affinity" if case.existing and i == 1 and case.kind != "recoding" else case.kind
        raise Fault(kind, f"column's {show[i]}: {a[i]} is {b[i]}", f"{where}, column {a[0]}: {show[i]}: expected {a[i]!r}, got {b[i]!r}")

    def compare_rows(self, case, step, where, names, want, got):
        for n, (a, b) in enumerate(zip(want, got)):
            if a == b and all(type(x) is type(y) for x, y in zip(a, b)):
                continue
            i = next(i for i in range(len(a)) if a[i] != b[i] or type(a[i]) is not type(b[i]))
            if names[i] == "_rowid_":
                raise Fault(case.kind, "rowid", f"{where}, row {n + 1}: expected rowid {a[i]}, got {b[i]}")
            types = STORED[type(a[i])], STORED[type(b[i])]
            show = [repr(v) if len(repr(v)) < 200 else repr(v)[:200] + f"... ({len(v)})" for v in (a[i], b[i])]
            text = f"{where}, row {n + 1} (rowid {a[0]}), column {names[i]}: expected {types[0]} {show[0]}, got {types[1]} {show[1]}"
            raise Fault(self.kind_of_value(case, a[i], b[i]), "value: " + " is ".join(types), text)
        if len(want) != len(got):
            raise Fault(case.kind, "rows", f"{where}: expected {len(want)} rows, got {len(got)}")

    def kind_of_value(self, case, want, got):
        """Text that became a number, or a number another one, in a table that was there: that is of one kind in all modes."""
        altered = isinstance(want, str) and isinstance(got, (int, float)) or isinstance(want, int) and isinstance(got, (int, float))
        return "affinity" if case.existing and altered else case.kind

    # ---- two pools ----

    def twin(self, folder, step):
        """A copy of the folder as it was, for another pool."""
        twin = folder.with_name(folder.name + "-twin")
        shutil.rmtree(twin, ignore_errors=True)
        shutil.copytree(folder, twin)
        return twin

    def compare_pools(self, case, step, i, folder, twin, pool, expected):
        try:
            p = self.execute(twin, self.words(step, twin, i, pool))
            if p is None or p.returncode != (1 if expected[1] else 0):
                raise Fault("pools", case.kind, f"{pool}: exit code {p and p.returncode}: {p and p.stderr.decode()}")
            for s in step.sinks:
                a, b = folder / s.file, twin / s.file
                if a.exists() != b.exists():
                    raise Fault("pools", "files", f"{pool}: {s.file} is there with one pool only")
                if a.exists() and self.content(a) != self.content(b):
                    raise Fault("pools", case.kind, f"{pool}: {s.file} is another one")
        finally:
            shutil.rmtree(twin, ignore_errors=True)

    def content(self, path):
        if path.suffix != ".db":
            return path.read_bytes()
        con = sqlite3.connect(path)
        try:
            con.text_factory = model.as_text
            return repr(model.describe(con))  # which tells 1 from 1.0
        finally:
            con.close()
