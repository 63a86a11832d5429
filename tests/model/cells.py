"""Random cells by their style, and how they are spelled in files. Cells are as in values.py."""

import json
import re

from values import Number

JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")

WORDS = ("alpha", "Beta", "beta", "BETA", "n/a", "NULL", "nan", "x y", "none", "true", "0x1F", "1_000", "12a", "--", "2024-01-05", "10:30", "a.b", "e5", "-", "+", ".")
UNICODE = ("Ärger", "straße", "東京", "🙂 ok", "é", "１２", "naïve", "Ωmega")
LATIN = ("Ärger", "straße", "é", "naïve", "ÿ", "£5")
TRICKY = ("a,b", 'say "hi"', "line\nbreak", "cr\r\nlf", '"', ",", " lead", "trail ", "tab\there", "semi;colon", "'single'", "\\", "a\\nb", "|")
REALS = ("1.5", "0.1", "-2.25", "1.0", "1.50", "100.000", "3.14159", "1.5e3", "2.5E-3", "1.0e+2", "-0.5", "123456.789", "0.30000000000000004", "1.7976931348623157e308", "5.0e-324")
ODD = ("9007199254740991.5", "007", "+1", "1e5", " 5 ", ".5", "5.", "-0", "1e400", "12345678901234567.89", "12345678901234567890", "-99999999999999999999", "00", "1E2", "\t7", "01.50", "+0.5", "0.1000000000000000055", "9223372036854775808")
BIG = ("9007199254740991", "9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808", "1234567890123456789")
ODD_JSON = ("1e5", "-0", "1E400", "12345678901234567.89", "12345678901234567890", "1e-7", "2E3", "-1e-2", "0.1000000000000000055", "1e400", "-99999999999999999999", "0e0", "1.5E+2")
NESTED = ([], {}, [Number("1"), Number("2.50")], {"a": None, "b": "x"}, {"k": [True, {"z": "é"}]}, ["007", "q\"uote"])


def integer(r):
    return str(r.choice((r.randint(-9, 99), r.randint(-9, 99), r.randint(-(10**6), 10**6), r.randint(-(2**53), 2**53))))


def real(r):
    return r.choice(REALS) if r.random() < 0.5 else f"{r.uniform(-1000, 1000):.{r.randint(1, 6)}f}"


def word(r):
    if r.random() < 0.1:
        return r.choice(UNICODE)
    return r.choice(WORDS) if r.random() < 0.5 else "".join(r.choice("abcdefgh") for _ in range(r.randint(1, 12)))


SPELLINGS = {
    "int": integer,
    "small": lambda r: str(r.randint(0, 9)),
    "big": lambda r: r.choice(BIG),
    "real": real,
    "number": lambda r: integer(r) if r.random() < 0.5 else real(r),
    "odd": lambda r: r.choice(ODD),
    "word": word,
    "latin": lambda r: r.choice(LATIN),
    "ascii": lambda r: r.choice(WORDS),
    "tricky": lambda r: r.choice(TRICKY),
    "empty": lambda r: "",
}
ANY = ("int", "small", "big", "real", "odd", "word", "tricky", "empty")


def spelling(r, style):
    return SPELLINGS[r.choice(ANY) if style == "any" else style](r)


def json_cell(r, style, odd=0.0):
    """A cell of a JSON record: numbers mostly as numbers."""
    if style == "bool":
        return r.random() < 0.5
    if style == "nested":
        return r.choice(NESTED)
    if r.random() < odd:
        return Number(r.choice(ODD_JSON))
    if style == "text":
        return spelling(r, "any")
    text = spelling(r, style)
    return Number(text) if JSON_NUMBER.match(text) and style != "word" else text


# ---- spelling files ---------------------------------------------------------------------------------------------------------


def csv_cell(r, text, delimiter, quoting):
    needed = any(c in text for c in (delimiter, '"', "\n", "\r"))
    if needed or quoting == "all" or quoting == "some" and r.random() < 0.3:
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_file(r, names, rows, delimiter=",", quoting=None, line_end=None, short=False):
    """ROWS: lists of texts. With SHORT some lack their last cells."""
    quoting = quoting or r.choice(("needed", "needed", "some", "all"))
    end = line_end or r.choice(("\n", "\n", "\r\n"))
    lines = []
    for row in [names, *rows]:
        if short and row is not names and len(row) > 1 and r.random() < 0.4:
            row = row[: r.randint(1, len(row) - 1)]
        line = delimiter.join(csv_cell(r, c, delimiter, quoting) for c in row)
        lines.append(line if line else '""')
    return end.join(lines) + (end if r.random() < 0.8 else "")


def json_spelled(r, cell, loose):
    """JSON of a cell, with blanks and escapes where LOOSE."""
    gap = " " * (loose and r.random() < 0.3)
    if isinstance(cell, Number):
        return str(cell)
    if isinstance(cell, dict):
        return "{" + gap + ("," + gap).join(json_spelled(r, k, False) + ":" + gap + json_spelled(r, v, loose) for k, v in cell.items()) + gap + "}"
    if isinstance(cell, list):
        return "[" + gap + ("," + gap).join(json_spelled(r, v, loose) for v in cell) + gap + "]"
    return json.dumps(cell, ensure_ascii=loose and r.random() < 0.3)


def jsonl_file(r, records):
    loose = r.random() < 0.4
    text = "".join(json_spelled(r, rec, loose) + "\n" for rec in records)
    return text if r.random() < 0.8 else text.rstrip("\n")


def json_file(r, records, path=None):
    loose = r.random() < 0.4
    text = "[" + ",\n".join(json_spelled(r, rec, loose) for rec in records) + "]"
    for part in reversed(path.split(".") if path else ()):
        text = f'{{"meta": {{"n": 1}}, {json.dumps(part)}: {text}, "end": null}}'
    return text
