"""Cells: what a load knows of one value, and what a column stores of it. See README.md for the rules.

A cell is None (null), a bool, Number (a JSON number in its own digits), Untyped (the text of a CSV cell), str (a JSON string), a list
or a dict. A field that a record lacks is no cell: the record, a dict, has no such key."""

import functools
import json
import math
import re
from decimal import Decimal

PLAIN_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
PLAIN_REAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][+-]?[0-9]+)?\Z")
# What SQLite's numeric affinity takes for a number: blanks around, a sign, digits on one side of the point at least.
CONVERTIBLE = re.compile(r"[ \t\n\v\f\r]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\n\v\f\r]*\Z", re.ASCII)
EXACT = 2**53  # integers up to here are doubles


class Number(str):
    """A JSON number in its own digits."""

    __slots__ = ()


class Untyped(str):
    """The text of a CSV cell."""

    __slots__ = ()


# ---- numbers ----------------------------------------------------------------------------------------------------------------


def kept_by_double(text):
    """The double that has the value of TEXT, or None."""
    f = float(text)
    return f if math.isfinite(f) and Decimal(text) == Decimal(repr(f)) else None


@functools.lru_cache(1 << 16)
def plain_number(text):
    """The int or float that TEXT is the plain spelling of, or None."""
    if PLAIN_INTEGER.match(text):
        i = int(text) if len(text) < 21 else None
        return i if text != "-0" and i is not None and -(2**63) <= i < 2**63 else None
    return kept_by_double(text) if PLAIN_REAL.match(text) else None


@functools.lru_cache(1 << 14)
def json_number(text):
    """The same for a JSON number, which may be spelled in further ways: its value counts."""
    n = plain_number(text)
    if n is not None:
        return n
    if text == "-0":
        return -0.0
    return kept_by_double(text) if any(c in text for c in ".eE") else None


def number_of(cell):
    """The number that a cell is without loss, or None. Booleans are none here."""
    if isinstance(cell, Number):
        return json_number(str(cell))
    return plain_number(str(cell)) if isinstance(cell, str) and cell else None


def is_odd(cell):
    """Text that is no plain number and that SQLite would nevertheless convert."""
    return isinstance(cell, str) and number_of(cell) is None and CONVERTIBLE.match(cell) is not None


# ---- texts ------------------------------------------------------------------------------------------------------------------


def json_text(cell):
    """Compact JSON; numbers in their own digits."""
    if isinstance(cell, Number):
        return str(cell)
    if isinstance(cell, list):
        return "[" + ",".join(map(json_text, cell)) + "]"
    if isinstance(cell, dict):
        return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + json_text(v) for k, v in cell.items()) + "}"
    return json.dumps(cell, ensure_ascii=False)


def text_of(cell):
    """What a TEXT column stores; None for null."""
    if cell is None:
        return None
    if cell is True or cell is False:
        return "true" if cell else "false"
    return json_text(cell) if isinstance(cell, (list, dict)) else str(cell)


def stored_as_text(value):
    """What becomes of a stored value when its column is widened."""
    if isinstance(value, bool) or value is None or isinstance(value, (str, bytes)):
        return value
    return repr(value)


# ---- what a column shows ----------------------------------------------------------------------------------------------------


class Evidence:
    """All that decides about the type of a new column."""

    def __init__(self):
        self.text = self.real = self.whole = self.big = self.boolean = False

    def add(self, cell):
        if cell is None or isinstance(cell, str) and not cell:
            return
        if cell is True or cell is False:
            self.boolean = True
        elif isinstance(cell, (list, dict)) or isinstance(cell, str) and not isinstance(cell, (Number, Untyped)):
            self.text = True
        else:
            n = number_of(cell)
            self.text |= n is None
            self.real |= isinstance(n, float)
            self.whole |= isinstance(n, int)
            self.big |= isinstance(n, int) and abs(n) > EXACT

    @property
    def type(self):
        if self.text or self.real and self.big or self.boolean and self.real:
            return "TEXT"
        if self.real:
            return "REAL"
        return "INTEGER" if self.whole or self.boolean else "TEXT"


def affinity(declared):
    """SQLite's rules for a declared type."""
    d = declared.upper()
    if "INT" in d:
        return "INTEGER"
    if any(w in d for w in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if not d or "BLOB" in d or d == "ANY":
        return "BLOB"
    return "REAL" if any(w in d for w in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


# ---- what a column stores ---------------------------------------------------------------------------------------------------


def asked_value(cell, asked):
    """For a new column whose type the user asks for: SQLite's own affinity decides."""
    if asked in ("TEXT", "BLOB"):
        return text_of(cell)
    if cell is True or cell is False:
        return int(cell)
    return text_of(cell) or None


def value_for(cell, aff):
    """What is given to SQLite for a column of affinity AFF that does not alter the cell."""
    if aff == "TEXT" or cell is None:
        return text_of(cell)
    if isinstance(cell, str) and not cell:
        return "" if aff == "BLOB" else None
    if cell is True or cell is False:
        return int(cell)
    n = number_of(cell)
    if n is None:
        return text_of(cell)
    return float(n) if aff == "REAL" else n


def is_altered(cell, declared, strict):
    """Whether a column of that declared type cannot store the cell as it is."""
    aff = affinity(declared)
    if cell is None or aff == "TEXT":
        return False
    if isinstance(cell, str) and not cell:
        return strict and declared.upper() == "BLOB"
    if strict and refused_by_strict(cell, declared.upper()):
        return True
    if aff == "BLOB":
        return False
    if aff == "REAL" and (cell is True or cell is False):
        return True
    n = number_of(cell)
    if aff == "REAL" and isinstance(n, int) and abs(n) > EXACT:
        return True
    return is_odd(cell)


def refused_by_strict(cell, declared):
    if declared == "ANY":
        return False
    n = int(cell) if isinstance(cell, bool) else number_of(cell)
    if declared == "BLOB" or n is None:
        return True
    return declared in ("INT", "INTEGER") and isinstance(n, float) and not (n.is_integer() and -(2.0**63) <= n < 2.0**63)
