"""What a table must be by the evidence of its values: the rule of `sluice load`, written again in Python.

INTEGER: every filled cell is a whole number in its plainest form. REAL: every filled cell is a number, and a double keeps its value.
TEXT: anything else, and then every cell stays as it is spelled. Empty CSV cells are NULL beside numbers and '' in text."""

import re
from decimal import Decimal

WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)\Z", re.A)
REAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][+-]?[0-9]+)?\Z", re.A)
EXACT = 2**53


def number(t):
    """int, float, or None when a number would not keep what T says."""
    if WHOLE.match(t) and t != "-0":
        v = int(t)
        return v if -(2**63) <= v < 2**63 else None
    if not REAL.match(t):
        return None
    v = float(t)
    if v in (float("inf"), float("-inf")) or Decimal(repr(v)) != Decimal(t):
        return None
    return v


def column(cells):
    """(declared type, values) of a column of texts; None is a cell that is not there."""
    numbers = [number(t) for t in cells if t]
    whole = all(isinstance(v, int) for v in numbers)
    big = any(isinstance(v, int) and abs(v) > EXACT for v in numbers)
    if not numbers or None in numbers or (big and not whole):
        return "TEXT", list(cells)
    kind = int if whole else float
    return ("INTEGER" if whole else "REAL"), [kind(number(t)) if t else None for t in cells]


def table(rows, width):
    """(types, rows) for a list of rows of texts."""
    columns = [column([r[i] for r in rows]) for i in range(width)]
    return [c[0] for c in columns], list(zip(*(c[1] for c in columns)))
