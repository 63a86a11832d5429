"""Python as a peer: its standard library, and feedparser for feeds.   python_run.py TASK IN OUT"""
import csv
import glob
import json
import re
import sqlite3
import sys
import time
from collections import Counter

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


def words(source, out):
    count = Counter()
    with open(source) as file:
        for line in file:
            count.update(re.findall("[a-z]+", line.lower()))
    with open(out, "w", newline="") as to:
        writer = csv.writer(to, lineterminator="\n")
        writer.writerow(["content", "n"])
        writer.writerows(sorted(count.items(), key=lambda entry: (-entry[1], entry[0]))[:20])


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


def feed(pattern, out):
    import feedparser  # of its own folder: no other task has it
    with open(out, "w", newline="") as to:
        writer = csv.writer(to, lineterminator="\n")
        writer.writerow(["title", "link", "published"])
        for path in sorted(glob.glob(pattern)):
            for entry in feedparser.parse(path).entries:
                when = entry.get("published_parsed") or entry.get("updated_parsed")
                writer.writerow([entry.title, entry.link, time.strftime("%Y-%m-%dT%H:%M:%S+00:00", when)])


if __name__ == "__main__":
    {"load_csv": load_csv, "load_json": load_json, "words": words, "udf": udf, "feed": feed}[sys.argv[1]](*sys.argv[2:])
