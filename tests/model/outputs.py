"""Records as CSV and JSON Lines."""

import json

from inputs import Refused
from values import Untyped, json_text, text_of


def csv_cell(text, delimiter):
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in (delimiter, '"', "\n", "\r")) else text


def csv_line(cells, delimiter):
    line = delimiter.join(csv_cell(text_of(c) or "", delimiter) for c in cells)
    return (line if line or len(cells) != 1 else '""') + "\n"


def csv_text(records, delimiter=","):
    """The first record names the columns; a later one may lack some, but has no others. None: no file is written."""
    names = list(records[0]) if records else list(records.heading)
    if not names and not records:
        return ""
    if not names:
        raise Refused("no column has a name")
    lines = [csv_line([Untyped(n) for n in names], delimiter)]
    known = set(names)
    for r in records:
        if not known.issuperset(r):
            raise Refused("a column that the first record lacks")
        lines.append(csv_line([r.get(n) for n in names], delimiter))
    return "".join(lines)


def jsonl_text(records):
    return "".join(json_text(r) + "\n" for r in records)


def json_document(records):
    return json.loads("[" + ",".join(map(json_text, records)) + "]")
