"""A made-up table of crimes by police station, in every form that loads are tested with. The same rows for the same seed."""

import csv
import gzip
import io
import json
import random
import shutil
import subprocess

FIELDS = ("id", "date", "station", "crime", "province", "lat", "lon", "incidents", "amount", "code", "note", "closed")
PROVINCES = ("EC", "FS", "GP", "KZN", "LP", "MP", "NC", "NW", "WC")
CRIMES = (
    "Burglary at residential premises",
    "Common assault",
    "Malicious damage, to property",
    'Theft "out of" motor vehicle',
    "Stock-theft",
    "Illegal possession of firearms and ammunition",
)
WORDS = "night road farm gate window phone cash vehicle taken found near station report witness street early späť 茶".split()


def note(r):
    """Text with everything that makes CSV and JSON awkward."""
    t = " ".join(r.choice(WORDS) for _ in range(r.randint(0, 14)))
    kind = r.random()
    if kind < 0.02:
        return t + "\nsecond line, with comma"
    if kind < 0.04:
        return 'said "' + t + '"'
    return "" if kind < 0.08 else t


def rows(n, seed=7):
    """Texts, as CSV has them."""
    r = random.Random(seed)
    for i in range(1, n + 1):
        yield (
            str(i),
            f"20{r.randint(5, 24):02}-{r.randint(1, 12):02}-{r.randint(1, 28):02}",
            f"{r.choice(WORDS).title()} {r.choice(('North', 'South', 'East', 'West'))}",
            r.choice(CRIMES),
            r.choice(PROVINCES),
            repr(-22 - r.randint(0, 1200000) / 100000),
            repr(17 + r.randint(0, 1500000) / 100000),
            str(r.randint(0, 400)) if r.random() > 0.01 else "",
            f"{r.random() * 250000:.2f}",
            f"{r.randint(0, 99999):05}",
            note(r),
            "",
        )


def as_csv(table):
    out = io.StringIO()
    w = csv.writer(out, lineterminator="\n")
    w.writerow(FIELDS)
    w.writerows(table)
    return out.getvalue().encode()


NUMBERS = {FIELDS.index(f) for f in ("id", "lat", "lon", "incidents", "amount")}


def item(row):
    """JSON text of one row: numbers stay spelled as they are."""
    cells = []
    for i, v in enumerate(row):
        t = (v or "null") if i in NUMBERS else json.dumps(v, ensure_ascii=i % 2 == 0)
        cells.append(f'"{FIELDS[i]}": {t}')
    return "{" + ", ".join(cells) + "}"


def as_jsonl(table):
    return "".join(item(r) + "\n" for r in table).encode()


def as_json(table):
    return ("[" + ",\n".join(item(r) for r in table) + "]\n").encode()


def as_nested(table):
    return ('{"head": {"items": [1]}, "value": {"total": 1, "items": [' + ",".join(item(r) for r in table) + "]}}").encode()


def as_gzip(data):
    return gzip.compress(data, 1)


def as_zstd(data):
    """None where there is no zstd program."""
    if not shutil.which("zstd"):
        return None
    return subprocess.run(["zstd", "-q", "-1", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
