"""The standard library of Python as a peer.   python_run.py TASK IN OUT"""
import csv
import json
import sqlite3
import sys

TABLE = ("CREATE TABLE t(id INTEGER, date TEXT, time TEXT, station TEXT, crime TEXT, province TEXT, lat REAL, lon REAL, "
         "incidents INTEGER, amount REAL, description TEXT, status TEXT)")


def load(rows, out):
    db = sqlite3.connect(out, isolation_level=None)
    db.execute("PRAGMA journal_mode=OFF")
    db.execute("PRAGMA synchronous=OFF")
    db.execute("BEGIN")
    db.execute(TABLE)
    db.executemany("INSERT INTO t VALUES(?,?,?,?,?,?,?,?,?,?,?,?)", rows)
    db.execute("COMMIT")


def load_csv(source, out):
    with open(source, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        load(rows, out)


def load_json(source, out):
    with open(source) as file:
        load((tuple(item.values()) for item in json.load(file)), out)


def score(item):
    """What pipelines/udf.json computes in Lua."""
    total = float(item["amount"] or 0) * int(item["incidents"])
    return {"id": item["id"], "total": int(total) if total.is_integer() else total,
            "place": item["station"] + ", " + item["province"]}


def udf(source, out):
    with open(source, newline="") as file, open(out, "w", newline="") as to:
        writer = csv.DictWriter(to, ["id", "total", "place"], lineterminator="\n")
        writer.writeheader()
        for item in csv.DictReader(file):
            writer.writerow(score(item))


if __name__ == "__main__":
    {"load_csv": load_csv, "load_json": load_json, "udf": udf}[sys.argv[1]](*sys.argv[2:])
