#!/usr/bin/env python3
"""Random pipelines give the same bytes, or the same error line, on every pool, for every number of workers and size of unit, with
workers that stall at random.

Every case comes from its number alone. SLUICE_SEED=N runs case N only and says what it does; SLUICE_CASES sets how many there are."""

import json
import os
import random
import sys
import unittest

import program

CASES = int(os.environ.get("SLUICE_CASES", "70"))
SEED = os.environ.get("SLUICE_SEED")
RUNS = 6  # configurations tried for each case, besides the reference
ROWS = 260
FIELDS = ("id", "k", "t", "n", "x", "w")
TEXTS = ("alpha", "Beta", "beta", "a,b,,c", "x y  z", "", "ÄÖ straße", "10", "2", "02", '"q"', "line\nbreak", "a-b-c-d", "茶")


def cell(r, name, i):
    """Texts of one field of row I."""
    if name == "id":
        return str(i)
    if name == "k":
        return r.choice("abcdefg")
    if name == "t":
        return r.choice(TEXTS)
    if name == "n":
        return str(r.randint(-20, 20))
    if name == "x":
        return f"{r.random() * 100:.3f}"
    return r.choice(("3", "4", "5")) if r.random() > 0.1 else ""


def csv_text(r, rows):
    quote = lambda v: '"' + v.replace('"', '""') + '"' if any(c in v for c in ',"\n') else v
    lines = [",".join(FIELDS)] + [",".join(quote(cell(r, f, i)) for f in FIELDS) for i in range(rows)]
    return "\n".join(lines) + "\n"


def jsonl_text(r, rows):
    lines = []
    for i in range(rows):
        item = {f: cell(r, f, i) for f in FIELDS if f == "id" or r.random() > 0.06}
        for f in ("id", "n", "x"):
            if f in item and r.random() > 0.1:
                item[f] = json.loads(item[f])
        if r.random() < 0.1:
            item["o"] = {"p": r.choice((None, True, [1, {"q": "z"}], 2.5)), "t": r.choice(TEXTS)}
        if r.random() < 0.05:
            item[r.choice("kw")] = r.choice((None, True, 3, 4.0))
        if r.random() < 0.2:
            item = dict(reversed(item.items()))
        lines.append(json.dumps(item, ensure_ascii=r.random() < 0.5))
    return "\n".join(lines) + "\n"


def field(r):
    return r.choice(FIELDS + ("k", "n", "o.p", "none"))


def sort(r):
    rules = []
    for _ in range(r.randint(1, 2)):
        rule = {"field": field(r), "dir": r.choice(("asc", "desc"))}
        if r.random() < 0.4:
            rule["type"] = r.choice(("int", "float", "text", "decimal"))
        rules.append(rule)
    return {"rule": rules}


def aggregate(r):
    ops = [{"op": "count"}]
    for _ in range(r.randint(0, 3)):
        ops.append({"op": r.choice(("sum", "min", "max", "mean", "first", "last", "distinct")), "field": r.choice("nxkt")})
    for i, op in enumerate(ops):
        op["as"] = f"r{i}"
    return {"by": r.sample(("k", "w", "t"), r.randint(0, 2)), "ops": ops}


def rules_of_filter(r):
    op = r.choice(("is", "isnot", "contains", "doesnotcontain", "greater", "less", "atleast", "truthy", "falsy", "matches"))
    rule = {"field": field(r), "op": op}
    if op not in ("truthy", "falsy"):
        rule["value"] = r.choice(("a", "3", 3, "beta", 0, "10"))
    return {"rule": rule, "permit": r.random() < 0.8, "stop": r.random() < 0.1}


def rename(r):
    rule = {"field": field(r), "copy": r.random() < 0.5}
    if r.random() < 0.8:
        rule["newval"] = r.choice(("k", "new", "t"))
    return {"rule": rule}


def mapped(pipe, conf, fields=("t", "k", "n")):
    """A processor on a field, its result assigned or emitted."""

    def make(r):
        step = {"type": pipe, "conf": conf(r), "field": r.choice(fields)}
        if r.random() < 0.7:
            step["assign"] = r.choice(("t", "made", "content"))
        if r.random() < 0.15:
            step["emit"] = r.random() < 0.5
        return step

    return make


def plain(pipe, conf):
    return lambda r: {"type": pipe, "conf": conf(r)}


STEPS = (
    plain("sort", sort),
    plain("sort", sort),
    plain("truncate", lambda r: {"count": r.randint(0, 90), "start": r.choice((0, 0, 5, 150))}),
    plain("tail", lambda r: {"count": r.randint(0, 40)}),
    plain("reverse", lambda r: {}),
    plain("uniq", lambda r: {"uniq_key": field(r), "limit": r.choice((1, 2, 5, 1024))}),
    plain("count", lambda r: r.choice(({}, {"count_key": field(r)}))),
    plain("sum", lambda r: r.choice(({"sum_key": "n"}, {"sum_key": "x", "group_key": "k"}, {"sum_key": "id", "group_key": "w"}))),
    plain("aggregate", aggregate),
    plain("filter", rules_of_filter),
    plain("filter", rules_of_filter),
    plain("rename", rename),
    plain("regex", lambda r: {"rule": {"field": field(r), "match": r.choice(("([aeiou])", "^(.)(.*)$", "(b)")), "replace": r.choice(("", "<$1>"))}}),
    plain("subelement", lambda r: {"path": r.choice(("o", "o.p", "t"))}),
    plain("strconcat", lambda r: {"part": [{"subkey": field(r)}, "-", {"subkey": field(r)}]}),
    mapped("tokenizer", lambda r: {"delimiter": r.choice((",", " ", "-")), "dedupe": r.random() < 0.5, "sort": r.random() < 0.5}),
    mapped("substr", lambda r: {"start": r.randint(-3, 3), "length": r.randint(0, 4)}),
    mapped("typecast", lambda r: {"type": r.choice(("int", "float", "text", "decimal", "bool"))}),
    mapped("simplemath", lambda r: {"op": r.choice(("add", "multiply", "divide", "mean")), "other": r.choice((2, 0.5, "3"))}, ("n", "x", "w")),
    mapped("hash", lambda r: {}),
    mapped("strtransform", lambda r: {"rule": {"transform": r.choice(("upper", "lower", "title", "swapcase", "strip"))}}),
    mapped("strreplace", lambda r: {"rule": {"find": r.choice(("a", "e", " ")), "replace": "_", "param": r.choice(("first", "last", "every"))}}),
)


class Definition:
    """Modules and wires of a random pipeline over one input file."""

    def __init__(self, r, files):
        self.r, self.files = r, files
        self.modules, self.wires = [], []

    def add(self, module, *inputs):
        module["id"] = f"s{len(self.modules)}"
        self.modules.append(module)
        self.wires.extend([i, module["id"], *port] for i, *port in inputs)
        return module["id"]

    def source(self):
        name = self.r.choice(self.files)
        if name.endswith(".csv"):
            return self.add({"type": "csv", "conf": {"url": name}})
        return self.add({"type": "fetchdata", "conf": {"url": name, "format": "jsonl"}})

    def chain(self, at, most):
        for _ in range(self.r.randint(0, most)):
            at = self.add(self.r.choice(STEPS)(self.r), (at,))
        return at

    def join(self, at):
        other = self.chain(self.source(), 1)
        other = self.add({"type": "truncate", "conf": {"count": 12}}, (other,))
        key = self.r.choice(("k", "w", "t"))
        conf = {"join_key": key, "other_join_key": self.r.choice((key, "k")), "lower": self.r.random() < 0.3}
        return self.add({"type": "join", "conf": conf}, (at,), (other, "other"))

    def union(self, at):
        return self.add({"type": "union", "conf": {}}, (at,), (self.chain(self.source(), 2), "_OTHER"))

    def diamond(self, at):
        both = self.add({"type": "split", "conf": {}}, (at,))
        left, right = self.chain(both, 2), self.chain(both, 2)
        if left == both and right == both:
            right = self.add({"type": "reverse", "conf": {}}, (both,))
        return self.add({"type": "union", "conf": {}}, (left,), (right, "_OTHER"))

    def build(self):
        at = self.chain(self.source(), 3)
        shape = self.r.choice((None, None, self.join, self.union, self.diamond))
        if shape:
            at = self.chain(shape(at), 2)
        return {"modules": self.modules, "wires": self.wires}


def configurations(r):
    """Some of the ways to run; the reference is inline with default units."""
    for _ in range(RUNS):
        unit = r.choice(("64", "1000", None))
        pool = r.choice(list(program.pools()))
        stall = ["--stall", r.choice(("2000", "300"))] if r.random() < 0.4 else []
        yield [*pool, *(["--unit", unit] if unit else []), *stall], unit


def difference(got, want):
    """Where two outcomes part, in a few lines."""
    if got[0] != want[0] or got[1] is None or want[1] is None:
        return f" got {got[0]} {got[2]}\nwant {want[0]} {want[2]}"
    a, b = got[1].splitlines(), want[1].splitlines()
    for i, (x, y) in enumerate(zip(a, b)):
        if x != y:
            return f"line {i + 1} of {len(a)}:\n got {x.decode()}\nwant {y.decode()}"
    return f"got {len(a)} lines, want {len(b)}; {got[2]!r} {want[2]!r}"


class Differential(program.Case):
    def outcome(self, *args):
        r = self.sluice("run", "pipeline.json", "--format", "jsonl", "-q", *args, code=None)
        return r.code, r.out if r.code == 0 else None, r.message

    def case(self, number):
        r = random.Random(number)
        self.file("in.csv", csv_text(r, ROWS))
        self.file("in.jsonl", jsonl_text(r, ROWS))
        definition = json.dumps(Definition(r, ("in.csv", "in.jsonl")).build())
        self.file("pipeline.json", definition)
        want = {}
        for args, unit in configurations(r):
            if unit not in want:
                want[unit] = self.outcome(*program.INLINE, *(["--unit", unit] if unit else []))
            got = self.outcome(*args)
            if SEED:
                print(args, got[0], got[2], len(got[1] or b""), file=sys.stderr)
            if got != want[unit]:
                self.fail(f"SLUICE_SEED={number}, {' '.join(args)}:\n{definition}\n{difference(got, want[unit])}")
        first, *others = want.values()
        for other in others:
            if other[:2] != first[:2]:
                self.fail(f"SLUICE_SEED={number}: the size of units shows:\n{definition}\n{difference(other, first)}")
        return first[0]

    def test_random_pipelines_are_the_same_on_every_pool(self):
        if SEED:
            self.case(int(SEED))
            return
        codes = []
        for n in range(CASES):
            with self.subTest(case=n):
                codes.append(self.case(n))
        self.assertGreater(codes.count(0), len(codes) / 2, "most random pipelines should run")
        self.assertFalse(set(codes) - {0, 1}, "random pipelines are valid")


if __name__ == "__main__":
    program.main()
