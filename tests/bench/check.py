#!/usr/bin/env python3
"""Whether two outputs hold the same records.   check.py [--ordered] ONE OTHER

CSV files, tab-separated ones (.tsv), or SQLite files with a table t. Numbers and dates are compared by value, an empty cell and null are the same. Without --ordered
the records may come in any order. Runs in constant memory; only where they differ are the files read whole, to show a record."""
import csv
import sqlite3
import sys
from collections import Counter
from datetime import datetime
from email.utils import parsedate_to_datetime

NUMBERS = {"id", "lat", "lon", "incidents", "amount", "population", "n", "total"}
DATES = {"published"}
MASK = (1 << 64) - 1


def records(path):
    """The header as a sorted tuple, then records as tuples in the header's order of names."""
    with open(path, "rb") as file:
        database = file.read(6) == b"SQLite"
    if database:
        table = sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("SELECT * FROM t ORDER BY rowid")
        names, rows = [column[0] for column in table.description], table
    else:
        rows = csv.reader(open(path, newline=""), delimiter="\t" if path.endswith(".tsv") else ",")
        names = next(rows, [])
    order = sorted(range(len(names)), key=lambda i: names[i])
    yield tuple(names[i] for i in order)
    kinds = [float if names[i] in NUMBERS else instant if names[i] in DATES else str for i in order]
    for row in rows:
        yield tuple(None if row[i] in (None, "") else kinds[n](row[i]) for n, i in enumerate(order))


def instant(text):
    """Seconds since the epoch of an ISO 8601 date or one of RFC 822."""
    return (datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)).timestamp()


def digest(path, ordered):
    total, count = 0, 0
    for record in records(path):
        total = ((total * 1_000_003 if ordered else total) + hash(record)) & MASK
        count += 1
    return total, count - 1


def first_difference(one, other):
    a, b = Counter(records(one)), Counter(records(other))
    only = [next(iter(x), None) for x in (a - b, b - a)]
    return f"only in one: {only[0]}; only in the other: {only[1]}" if any(only) else "the order differs"


def main(args):
    ordered = args[0] == "--ordered"
    one, other = args[ordered:]
    a, b = digest(one, ordered), digest(other, ordered)
    if a != b:
        print(f"{a[1]} and {b[1]} records; {first_difference(one, other)}")
    return a != b


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
