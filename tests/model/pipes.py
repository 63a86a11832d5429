"""Ten pipes over lists of records, as docs/pipes.md says."""

from collections import deque
from decimal import Decimal

from values import Number, Untyped, text_of

ABSENT = object()


def number(cell):
    """Numbers and booleans by value; None for anything else."""
    if cell is True or cell is False:
        return Decimal(int(cell))
    return Decimal(str(cell)) if isinstance(cell, Number) else None


def identity(cell):
    """Equal for equal values: 1, 1.0 and true are one, 1 and "1" are not, missing is null."""
    if cell is None or cell is ABSENT:
        return ("absent",)
    n = number(cell)
    return ("number", n) if n is not None else ("text", str(cell))


def place(cell):
    """Orders values: absent ones, numbers, texts."""
    kind = identity(cell)
    return ({"absent": 0, "number": 1, "text": 2}[kind[0]], *kind[1:])


def sort(records, conf):
    out = list(records)
    for rule in reversed(conf["rule"]):
        descending = rule.get("dir", "asc") == "desc"
        out.sort(key=lambda r: place(r.get(rule["field"], ABSENT)), reverse=descending)
    return out


def truncate(records, conf):
    start = conf.get("start", 0)
    return records[start : start + conf["count"]]


def tail(records, conf):
    return records[len(records) - conf["count"] :] if conf["count"] < len(records) else list(records)


def reverse(records, conf):
    return records[::-1]


def uniq(records, conf):
    newest, known, out = deque(), set(), []
    for r in records:
        key = identity(r.get(conf["uniq_key"], ABSENT))
        if key in known or not conf["limit"]:
            out += [r] * (not conf["limit"])
            continue
        out.append(r)
        known.add(key)
        newest.append(key)
        if len(newest) > conf["limit"]:
            known.discard(newest.popleft())
    return out


def rename(records, conf):
    out = []
    for r in records:
        r = dict(r)
        for rule in conf["rule"]:
            cell = r.get(rule["field"])
            if not rule.get("copy"):
                r.pop(rule["field"], None)
            if "newval" in rule:
                r[rule["newval"]] = cell
        out.append(r)
    return out


def count(records, conf):
    if "count_key" not in conf:
        return [{"count": Number(len(records))}]
    groups = {}
    for r in records:
        text = text_of(r.get(conf["count_key"])) or ""
        groups[text] = groups.get(text, 0) + 1
    return [{text: Number(n)} for text, n in groups.items()]


def total(cells):
    """Exact; what is empty or absent takes no part. The generator adds up nothing but numbers."""
    return Number(sum((Decimal(str(c)) for c in cells if c is not None and c is not ABSENT and str(c)), Decimal(0)))


def aggregate(records, conf):
    by = conf.get("by", [])
    groups = {}
    for r in records:
        groups.setdefault(tuple(identity(r.get(f, ABSENT)) for f in by), []).append(r)
    if not by and not groups:
        groups = {(): []}
    out = []
    for members in groups.values():
        item = {f: members[0][f] for f in by if f in members[0]}
        for op in conf["ops"]:
            cells = [r.get(op["field"], ABSENT) for r in members] if "field" in op else members
            if op["op"] == "sum":
                item[op["as"]] = total(cells)
            else:
                item[op["as"]] = Number(sum(c is not None and c is not ABSENT and c != "" for c in cells))
        out.append(item)
    return out


def strreplace(records, conf, field, assign):
    out = []
    for r in records:
        text = text_of(r.get(field)) or ""
        for rule in conf["rule"]:
            find, new, which = rule["find"], rule["replace"], rule.get("param", "every")
            if which == "last":
                at = text.rfind(find)
                text = text if at < 0 else text[:at] + new + text[at + len(find) :]
            else:
                text = text.replace(find, new, 1 if which == "first" else -1)
        out.append({**r, assign: text})
    return out


# ---- filter -----------------------------------------------------------------------------------------------------------------


def as_number(cell):
    """For comparisons by number: also what is written as text."""
    n = number(cell)
    if n is not None or not isinstance(cell, str) or not cell.isascii():
        return n
    try:
        n = Decimal(str(cell))
    except ArithmeticError:
        return None
    return n if n.is_finite() else None


def is_true(cell):
    n = number(cell)
    return n != 0 if n is not None else cell is not None and cell is not ABSENT and cell != ""


def fulfils(cell, op, value):
    absent = cell is None or cell is ABSENT
    if op in ("truthy", "falsy"):
        return is_true(cell) == (op == "truthy")
    if op == "doesnotcontain" and absent:
        return True
    if absent:
        return False
    if op in ("is", "isnot"):
        wanted = value if isinstance(value, str) else Number(value)
        return (identity(cell) == identity(wanted)) == (op == "is")
    if op in ("contains", "doesnotcontain"):
        text = text_of(cell)
        return bool(text) and (value.lower() in text.lower()) == (op == "contains")
    n = as_number(cell)
    if n is None:
        return False
    return {"greater": n > value, "less": n < value, "atleast": n >= value, "atmost": n <= value}[op]


def filter_(records, conf):
    combine = all if conf.get("combine", "and") == "and" else any
    permit = conf.get("permit", True)
    rules = conf["rule"]
    return [r for r in records if combine(fulfils(r.get(u["field"], ABSENT), u["op"], u.get("value")) for u in rules) == permit]


PIPES = {
    "sort": sort, "truncate": truncate, "tail": tail, "reverse": reverse, "uniq": uniq, "rename": rename, "count": count,
    "aggregate": aggregate, "filter": filter_,
}  # fmt: skip


def run(records, modules):
    for m in modules:
        if m["type"] == "strreplace":
            records = strreplace(records, m["conf"], m["field"], m["assign"])
        else:
            records = PIPES[m["type"]](records, m["conf"])
    return records
