"""Input files into records, by Python's csv and json."""

import csv
import io
import json

from values import Number, Untyped

csv.field_size_limit(1 << 30)


class Refused(Exception):
    """The run must end with exit code 1 and change nothing."""


class Records(list):
    """The records of all sources in order; HEADING: names that a file without records gives."""

    heading = ()
    headings = 0  # how many different ones there are


def load_json(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def column_names(header):
    """Blank names are numbered by their place, repeated ones x, x_2, x_3."""
    names = []
    for i, name in enumerate(header):
        stem = name if name.strip(" \t\n\v\f\r") else f"column_{i + 1}"
        name, k = stem, 2
        while name in names:
            name, k = f"{stem}_{k}", k + 1
        names.append(name)
    return names


def read_csv(text, delimiter=",", ragged="error"):
    """(records, names). An empty line is a record only where there is one column."""
    rows = (r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    header = next((r for r in rows if r), None)
    if header is None:
        return [], []
    names = column_names(header)
    records = []
    for row in rows:
        if not row and len(names) > 1:
            continue
        row = row or [""]
        if len(row) > len(names) or len(row) < len(names) and ragged != "pad":
            raise Refused("a record of another length than the header")
        records.append(dict(zip(names, map(Untyped, row))))
    return records, names


def read_json(text, path=None):
    """A list is an item an element, anything else one item."""
    document = load_json(text)
    for part in path.split(".") if path else ():
        document = document[part]
    return document if isinstance(document, list) else [document]


def read_jsonl(text):
    return [load_json(line) for line in text.split("\n") if line.strip()]


def decode(data, encoding):
    text = data.decode(encoding or ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"))
    return text.removeprefix("\ufeff")


def read_file(data, name, options):
    """(records, names of the heading or [])."""
    text = decode(data, options.get("encoding"))
    if name.endswith(".jsonl"):
        return read_jsonl(text), []
    if name.endswith(".json"):
        return read_json(text, options.get("path")), []
    delimiter = options.get("delimiter") or ("\t" if name.endswith(".tsv") else ",")
    return read_csv(text, delimiter, options.get("ragged", "error"))


def read_all(files, options):
    """FILES: (name, bytes) in the order of the command line."""
    out, headings = Records(), []
    for name, data in files:
        records, names = read_file(data, name, options)
        if not records and names and names not in headings:
            headings.append(names)
        out.extend(records)
    out.heading = headings[0] if headings else []
    out.headings = len(headings)
    return out
