"""What the sweeps run: the jobs of sluice, what stands there before them and what must stand there after them."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

ABSENT = "absent"
BESIDE = ("-journal", "-wal", "-shm")


def table_csv(rows, first=0, note="a note, no. {}, that says little"):
    lines = ["id,name,amount,note"]
    for i in range(first, first + rows):
        text = note.format(i)
        lines.append(f'{i},name {i * 7919 % 1000},{i}.{i % 90 + 10},"{text}"')
    return "\n".join(lines) + "\n"


def items_json(rows):
    return "".join(json.dumps({"id": i, "name": f"né {i}", "at": {"x": i + 0.5, "tags": ["a", None]}}) + "\n" for i in range(rows))


def feed_xml(entries):
    items = "".join(
        f"<item><title>Entry {i} &amp; more</title><link>http://example.org/{i}</link><guid>g{i}</guid>"
        f"<pubDate>Tue, {i % 28 + 1:02} Apr 2015 10:00:00 GMT</pubDate><description>&lt;p&gt;Text {i}&lt;/p&gt;</description></item>\n"
        for i in range(entries)
    )
    return f'<?xml version="1.0"?>\n<rss version="2.0"><channel><title>Feed</title><link>http://example.org/</link>\n{items}</channel></rss>\n'


def make_inputs(folder):
    """Read by all runs, written by none."""
    folder.mkdir(parents=True, exist_ok=True)
    definition = {
        "name": "${NAME:-checked}",
        "sources": [{"url": "small.csv", "type": "csv"}, {"url": "${X:-items}.jsonl"}],
        "modules": [
            {"type": "filter", "conf": {"rule": {"field": "id", "op": "greater", "value": "2"}}},
            {"type": "sort", "conf": {"rule": [{"field": "at.x", "dir": "desc"}]}},
            {"type": "regex", "conf": {"rule": {"field": "name", "match": "(x)", "replace": "$1"}}},
        ],
        "sinks": ["checked.csv", {"to": "checked.db:t", "mode": "append"}],
        "memory": "64M",
    }
    for name, text in {
        "small.csv": table_csv(60),
        "other.csv": table_csv(40, first=40, note="another, {}"),
        "big.csv": table_csv(14000),
        "items.jsonl": items_json(50),
        "words.csv": "id,name\n" + "".join(f"{i},word {i}\n" for i in range(30)) + "007,agent\n",
        "feed.xml": feed_xml(30),
        "check.json": json.dumps(definition),
    }.items():
        (folder / name).write_text(text)


# ---- what a folder holds --------------------------------------------------------------------------------------------------------


class Reader:
    """The content of outputs, as far as it matters: bytes of a file; schema and rows of a database."""

    def __init__(self):
        self.known = {}

    def content(self, path):
        if not path.exists():
            return ABSENT
        data = path.read_bytes()
        if path.suffix != ".db":
            return data
        if any(path.with_name(path.name + end).exists() for end in BESIDE):
            return self.recovered(path)
        key = hashlib.sha256(data).digest()
        if key not in self.known:
            self.known[key] = dump(path)
        return self.known[key]

    def recovered(self, path):
        """A copy is read, for reading a database rolls its journal back."""
        with tempfile.TemporaryDirectory(dir=path.parent.parent) as other:
            for end in ("", *BESIDE):
                beside = path.with_name(path.name + end)
                if beside.exists():
                    shutil.copyfile(beside, Path(other) / beside.name)
            return dump(Path(other) / path.name)


def dump(path):
    """A database that is damaged has a content of its own, which equals nothing."""
    try:
        with sqlite3.connect(path) as db:
            if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return "damaged"
            text = "\n".join(db.iterdump())
        db.close()
        return text
    except sqlite3.Error as e:
        return f"damaged: {e}"


# ---- the jobs -------------------------------------------------------------------------------------------------------------------

TABLES = """CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, amount REAL, note TEXT);
CREATE INDEX t_name ON t(name);
CREATE TABLE u(id INTEGER, name TEXT);
CREATE TABLE plain(id INTEGER, name TEXT, amount REAL, note TEXT);
INSERT INTO plain VALUES(1, 'old', 0.5, 'old'), (2, 'older', 1.5, NULL);
CREATE TABLE bystander(a, b);
INSERT INTO bystander VALUES(1, 'stays');"""


class Job:
    """ARGS: a command line, run where the outputs are and `in` is the folder of the inputs. OLD: what is there before, name -> rows of
    table t or bytes. OUTPUTS: names in the order of their commits, which are one if they are TOGETHER."""

    def __init__(self, name, args, outputs, old=None, together=True, pools=("inline", "threads", "processes"), large=False):
        self.name, self.args, self.outputs, self.old = name, args, outputs, old or {}
        self.together, self.pools, self.large = together, pools, large

    def put_old(self, folder):
        for name, content in self.old.items():
            if isinstance(content, bytes):
                (folder / name).write_bytes(content)
            else:
                make_database(folder / name, content)


def make_database(path, rows):
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous=OFF")
    db.executescript(TABLES)
    db.executemany("INSERT INTO t VALUES(?, ?, ?, 'old')", ((i, f"old {i}", i + 0.5) for i in range(rows)))
    db.commit()
    db.close()


SMALL, OTHER, UNIT = "in/small.csv", "in/other.csv", ("--unit", "2K")
OLD_CSV = b"a,b\nold,file\n"

JOBS = [
    Job("load", ["load", SMALL, OTHER, "--to", "out.db:t", *UNIT], ["out.db"]),
    Job("append", ["load", OTHER, "--to", "out.db:plain", "-m", "append", *UNIT], ["out.db"], {"out.db": 30}),
    Job("upsert", ["load", SMALL, OTHER, "--to", "out.db:t", "-m", "upsert", "-k", "id", *UNIT], ["out.db"], {"out.db": 30}),
    Job("replace", ["load", SMALL, "--to", "out.db:t", *UNIT], ["out.db"], {"out.db": 30}),
    Job("evolve", ["load", "in/words.csv", "--to", "out.db:plain", "-m", "append", *UNIT], ["out.db"], {"out.db": 30}),
    Job("csv", ["load", SMALL, OTHER, "--to", "out.csv", *UNIT], ["out.csv"], {"out.csv": OLD_CSV}),
    Job("sort", ["pipe", "csv url=in/big.csv | sort name", "--to", "out.csv", "-S", "1M", "--unit", "64K"], ["out.csv"], {"out.csv": OLD_CSV}, large=True),
    Job("feed", ["pipe", "fetch url=in/feed.xml", "--to", "out.jsonl", "--unit", "1K"], ["out.jsonl"], {"out.jsonl": b'{"old":1}\n'}),
    Job("check", ["check", "in/check.json"], [], pools=("inline",)),
    Job("two-tables", ["pipe", f"csv url={SMALL}", "--to", "out.db:t", "--to", "out.db:u", *UNIT], ["out.db"], {"out.db": 30}),
    Job("table-and-csv", ["pipe", f"csv url={SMALL}", "--to", "out.db:t", "--to", "out.csv", *UNIT], ["out.db", "out.csv"], {"out.db": 30, "out.csv": OLD_CSV}, together=False),
    Job("two-csvs", ["pipe", f"csv url={SMALL}", "--to", "one.csv", "--to", "two.csv", *UNIT], ["one.csv", "two.csv"], {"one.csv": OLD_CSV}, together=False),
]

POOLS = {"inline": ["--parallel=false"], "threads": ["-j", "2"], "processes": ["--threads=false", "-j", "2"]}


def command(program, job, pool, impatient):
    words = waiting_shortly(job.args) if impatient else job.args
    return [program, *words, *([] if job.name == "check" else ["-q", *POOLS[pool]])]


def waiting_shortly(words):
    """The same with little patience for locks."""
    if words[0] == "load":
        return [*words, "--busy-timeout", "1"] if any(w.startswith("out.db:") for w in words) else words
    return [json.dumps({"to": w, "busy_timeout": 1}) if w.startswith("out.db:") else w for w in words]


def is_impatient(program):
    """Whether PROGRAM can be: those of old wait five seconds."""
    return b"--busy-timeout" in subprocess.run([program, "load", "--help"], capture_output=True).stdout


def environment(spill, more=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
    env.update(TMPDIR=str(spill), SLUICE_CACHE_DIR=str(spill / "cache"), LC_ALL="C.UTF-8", **(more or {}))
    return env
