#!/usr/bin/env python3
"""The JSON Schemas: configs/pipeline.schema.json accepts what the program accepts and refuses slips of the pen, and both schemas
are those of this program. Needs python3-jsonschema.

    SLUICE=build/dev/sluice test_schema.py [--write]      --write: takes the program's schema as configs/pipeline.schema.json"""

import json
import re
import sys
import unittest

import jsonschema

from program import EXAMPLES, SOURCE, Case, run

SCHEMA = SOURCE / "configs" / "pipeline.schema.json"
PIPES_SCHEMA = SOURCE / "docs" / "pipes.schema.json"
VECTORS = SOURCE / "tests" / "cases" / "vectors"

ITEM = {"type": "itembuilder", "conf": {"attrs": {"key": "a", "value": "1"}}}
CSV = {"type": "csv", "conf": {"url": str(SOURCE / "data" / "stations.csv")}}
KEEP = {"type": "filter", "conf": {"rule": {"field": "a", "op": "is", "value": "1"}}}


def full(*modules):
    """MODULES in a row, in riko's full format."""
    named = [{"id": f"sw-{i}", "conf": {}, **m} for i, m in enumerate(modules)]
    named.append({"id": "_OUTPUT", "type": "output", "conf": {}})
    ends = [(a["id"], b["id"]) for a, b in zip(named, named[1:])]
    wires = [
        {"id": f"_w{i}", "src": {"id": "_OUTPUT", "moduleid": a}, "tgt": {"id": "_INPUT", "moduleid": b}}
        for i, (a, b) in enumerate(ends)
    ]
    return {"modules": named, "wires": wires, "layout": [], "terminaldata": []}


def conf(pipe, **keys):
    return [ITEM, {"type": pipe, "conf": keys}]


def top(**keys):
    return {"modules": [ITEM], **keys}


def literal(kind, value):
    return {"type": kind, "value": value}


# What check and the schema both accept.
RIGHT = [
    [ITEM],
    {"modules": ITEM},
    {"modules": [ITEM], "$schema": "pipeline.schema.json", "name": "n", "description": ["d"]},
    {"sources": CSV["conf"]["url"]},
    {"sources": [CSV["conf"], {"type": "csv", **CSV["conf"], "ragged": "skip"}, "x.json"], "modules": [{"type": "count"}]},
    {"sources": {"url": ["a.csv", "b.tsv.gz"], "delimiter": ";"}},
    {"sources": {"url": "${FILE:-a.csv}", "delimiter": ";"}},
    {"sources": {"url": "a.txt", "trim": False}},
    {"sources": {"URL": "a.csv"}},
    {"modules": [ITEM, {"type": "hash", "id": "h"}], "wires": [["sw-1", "h"]]},
    {"modules": [ITEM, {**ITEM, "id": "b"}, {"type": "union"}], "wires": [["sw-1", "sw-3"], ["b", "sw-3", "_OTHER2"]]},
    {"modules": [ITEM], "wires": None},
    {"modules": [ITEM], "wires": []},
    top(workers=2, memory="256M", threads="no", parallel=False, limit=5, unit=4096, cache="refresh", cache_size="1.5GiB"),
    top(workers="${JOBS:-2}", pipe_path=["a", "b"], dialect="native", connections=4, per_host="2", cache_dir="c"),
    top(http={"retries": 5, "timeout": "30s", "headers": {"Accept": "x/y"}, "rate": "2/s"}, allow_net="10.1.0.0/16"),
    top(http={"oauth2": {"token_url": "https://a.example/t", "client_id": "a", "client_secret": "b"}}, allow_net=["fd00::/8"]),
    top(sinks="out.csv"),
    top(sinks=["-", {"to": "x.db:t", "mode": "upsert", "key": "id", "types": {"zip": "TEXT"}}, {"to": "y.tsv", "crlf": True}]),
    top(sinks=[{"path": "x.db", "table": "t"}, {"to": "-", "format": "csv", "header": False}, {"to": "z.jsonl"}]),
    top(sinks={"type": "csv", "to": "x.CSV", "delimiter": "tab"}),
    top(sinks={"to": "${OUT:-x.db:t}", "mode": "append"}),
    [{"type": "csv", "conf": {"URL": "x.csv"}}],
    [{"type": "csv", "conf": {"url": ["a.csv", literal("text", "b.csv")], "http": {"user": "a:b"}}}],
    [{"type": "fetchdata", "conf": {"url": "https://x.example/a", "paginate": "next_url=links.next"}}],
    [{"type": "fetchdata", "conf": {"url": "https://x.example/a", "paginate": {"by": "page", "param": "p", "max_pages": 3}}}],
    [{"type": "fetchtext", "conf": {"url": literal("text", "a.txt"), "encoding": None}}],
    [ITEM, {"type": "csv", "conf": {"url": {"subkey": "a"}}}],
    conf("truncate", count=3, start="1"),
    conf("truncate", count=literal("int", "3")),
    conf("truncate", count="${N:-3}"),
    conf("tail", count=True),
    conf("sort", rule="a"),
    conf("sort", rule=["a", {"field": "b", "dir": "DESC"}]),
    conf("sort", sort_key="a", sort_dir="desc"),
    conf("count", group_key="a"),
    conf("filter", rule=[{"field": ["a", "b"], "op": "eq", "value": 1}, {"field": "c", "op": "TRUTHY"}], combine="or", permit=0),
    conf("filter", rule={"FIELD": "a", "OP": "is", "VALUE": 1}, stop="false"),
    conf("filter", lua="a > 1", timeout="500ms", memory="64M"),
    conf("regex", rule={"field": "a", "match": "x", "replace": "", "seriesmatch": True}),
    conf("strtransform", rule=["upper", {"transform": "strip", "args": None}]),
    conf("strconcat", part=[{"subkey": "a"}, "x", {"terminal": "t"}]),
    conf("aggregate", by=["a"], ops=["count", {"op": "sum", "field": "a", "as": "s"}]),
    conf("tokenizer", delimiter={"subkey": "a"}, dedupe="TRUE"),
    [ITEM, {"type": "stringtokenizer", "conf": {"delimiter": " "}}],
    [ITEM, {"type": "strregex", "conf": {"rule": {"match": "a", "replace": "b"}}}],
    [{"type": "textinput", "conf": {"name": "n", "default": "d", "prompt": "N?", "position": 1}}],
    [ITEM, {"type": "hash", "field": "a", "assign": "h", "emit": False, "count": "first", "skip_if": {"field": "a", "text": "x"}}],
    [ITEM, {"type": "hash", "skip_if": [{"field": "a", "text": "x", "op": "search", "include": True}], "conf": None}],
    [ITEM, {"type": "loop", "embed": "tokenizer", "conf": {"delimiter": " "}, "field": "a"}],
    [ITEM, {"type": "loop", "embed": {"type": "strconcat", "id": "s"}, "conf": {"part": "x"}}],
    [ITEM, {"type": "loop", "embed": {"type": "stringtokenizer"}}],
    [ITEM, {"type": "loop", "conf": {"embed": {"value": {"type": "hash", "conf": {}}}, "mode": "EMIT"}}],
    [ITEM, {"type": "output"}],
    full(ITEM),
    full(ITEM, {"type": "truncate", "conf": {"COUNT": literal("int", "2")}}, {"type": "hash", "whatever": 1, "emit": "yes"}),
    full({"type": "itembuilder", "conf": {"Attrs": [{"KEY": literal("text", "k"), "value": {"terminal": "1_v", "type": "text"}}]}}),
    full(ITEM, {"type": "loop", "embed": {"id": "x", "type": "tokenizer"}, "conf": {"Delimiter": literal("text", " ")}}),
    full(ITEM, {"type": "stringbuilder", "conf": {"part": [literal("text", "a")]}}),
    {**full(ITEM, {"type": "hash"}), "workers": 2},
    {"dialect": "riko", "modules": [ITEM, {"type": "truncate", "conf": {"Count": "many"}}]},
]

# What both refuse, and a word of what the schema says.
WRONG = [
    ([], ""),
    ({}, "modules"),
    (3, "array"),
    ({"modules": []}, ""),
    ({"modules": 3}, "object"),
    (top(sniks="-"), "sniks"),
    (top(workers=2000), "maximum"),
    (top(workers="two"), "does not match"),
    (top(memory="12 apples"), "does not match"),
    (top(memory=12), "minimum"),
    (top(parallel="maybe"), "does not match"),
    (top(parallel=2), "maximum"),
    (top(dialect="yahoo"), "yahoo"),
    (top(cache="often"), "often"),
    (top(no_exec=True), "no_exec"),
    (top(name=3), "string"),
    (top(http={"retires": 5}), "retires"),
    (top(http={"retries": 500}), "maximum"),
    (top(http="fast"), "object"),
    (top(http={"oauth2": {"token_url": "x"}}), "client_id"),
    (top(sinks={"mode": "append"}), "to"),
    (top(sinks={"to": "x.db:t", "mode": "appendix"}), "appendix"),
    (top(sinks={"to": "x.csv", "mode": "append"}), "mode"),
    (top(sinks={"to": "x.jsonl", "header": True}), "header"),
    (top(sinks={"type": "parquet", "to": "x"}), "type"),
    (top(wires=[["sw-1"]]), "too short"),
    (top(wires={}), "array"),
    ({"sources": {"url": "a.csv", "delimter": ";"}}, "delimter"),
    ({"sources": {"type": "filter", "url": "a"}}, "filter"),
    ({"sources": {"type": "csv", "delimiter": ";"}}, "url"),
    ({"sources": 3}, "object"),
    ([{"conf": {}}], "type"),
    ([7], "object"),
    ([ITEM, {"type": "fliter"}], "fliter"),
    ([ITEM, {"type": "pipe:../x"}], "pipe:../x"),
    ([ITEM, {"type": "yql"}], "yql"),
    ([ITEM, {"type": "hash", "cnof": {}}], "cnof"),
    ([ITEM, {"type": "hash", "conf": []}], "object"),
    ([ITEM, {"type": "hash", "field": {}}], "string"),
    ([ITEM, {"type": "hash", "count": "some"}], "some"),
    ([ITEM, {"type": "hash", "emit": []}], "boolean"),
    ([ITEM, {"type": "hash", "embed": "hash"}], "null"),
    ([ITEM, {"type": "hash", "skip_if": {"field": "a"}}], "text"),
    ([ITEM, {"type": "hash", "skip_if": [{"field": "a", "text": "x", "op": "is"}]}], "is"),
    ([ITEM, {"type": "csv"}], "conf"),
    ([ITEM, {"type": "csv", "conf": {}}], "url"),
    ([ITEM, {"type": "csv", "conf": {"url": "a", "pth": 1}}], "pth"),
    ([ITEM, {"type": "csv", "conf": {"url": "a", "type": "csv"}}], "type"),
    ([{"type": "fetchdata", "conf": {"url": "x", "http": {"timeout": "soon"}}}], "does not match"),
    ([{"type": "fetchdata", "conf": {"url": "x", "paginate": {"param": "p"}}}], "by"),
    (conf("truncate", cuont=1), "cuont"),
    (conf("truncate", CUONT=1), "CUONT"),
    (conf("truncate", count="many"), "does not match"),
    (conf("truncate", count=[1]), "number"),
    (conf("truncate", count=-1), "minimum"),
    (conf("filter", rule={"field": "a", "op": "equals"}), "equals"),
    (conf("filter", rule={"field": "a", "op": ["is"]}), "is"),
    (conf("filter", rule=[{"field": "a", "op": "is"}, {"fied": "a", "op": "is"}]), "fied"),
    (conf("filter", rule="a"), "object"),
    (conf("filter", rule={"field": "a"}), "op"),
    (conf("filter", lua="true", memory="much"), "does not match"),
    (conf("filter", combine="nor"), "nor"),
    (conf("filter", permit="perhaps"), "does not match"),
    (conf("sort", rule={"field": "a", "dri": "desc"}), "dri"),
    (conf("tokenizer", delimter=" "), "delimter"),
    (conf("strconcat"), "part"),
    (conf("reverse", a=1), "a"),
    ([ITEM, {"type": "loop"}], "conf"),
    ([ITEM, {"type": "loop", "embed": 3}], "object"),
    ([ITEM, {"type": "loop", "embed": "hsah"}], "hsah"),
    ([ITEM, {"type": "loop", "embed": "sort"}], "False schema"),
    ([ITEM, {"type": "loop", "embed": {"typ": "hash"}}], "typ"),
    ([ITEM, {"type": "loop", "embed": "tokenizer", "conf": {"delimter": 1}}], "delimter"),
    ([ITEM, {"type": "loop", "embed": {"type": "strconcat"}, "conf": {}}], "part"),
    (full({"type": "fliter"}), "fliter"),
    (full({**ITEM, "id": 3}), "string"),
    ({**full(ITEM), "wires": [{"id": "1"}]}, "src"),
    (full(ITEM, {"type": "hash", "conf": "x"}), "object"),
    ({"dialect": "riko", "modules": [{"type": "fliter"}]}, "fliter"),
]


def pipes(name=None):
    return json.loads(run("pipes", *([name] if name else []), "--json").out)


def leaves(error):
    """What is wrong at the bottom of ERROR."""
    yield error
    for inner in error.context:
        yield from leaves(inner)


def vectors():
    """Every example that runs, as (name, definition)."""
    for path in sorted(VECTORS.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().split("\n")[:-1], 1):
            v = json.loads(line)
            name = f"{path.stem}:{number}"
            if "error" in v or "skip" in v or not {"pipe", "pipeline"} & v.keys():
                continue
            if "pipeline" in v:
                definition = v["pipeline"].get("dag", v["pipeline"])
                yield name, {"dialect": v.get("dialect", "riko"), **definition}
            elif not v["pipe"].startswith("pipe:"):
                module = {"type": v["pipe"], "conf": v.get("conf", {}), **v.get("kw", {})}
                yield name, {"dialect": v.get("dialect", "riko"), "modules": [module]}


class Schema(Case):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads(SCHEMA.read_text())
        jsonschema.Draft202012Validator.check_schema(cls.schema)
        cls.validator = jsonschema.Draft202012Validator(cls.schema)

    def assert_valid(self, definition):
        error = jsonschema.exceptions.best_match(self.validator.iter_errors(definition))
        self.assertIsNone(error, error)

    def test_it_is_that_of_the_program(self):
        out = run("schema").out
        if "--write" in sys.argv:
            SCHEMA.write_bytes(out)
        self.assertEqual(out.decode(), SCHEMA.read_text(), "run tests/cli/test_schema.py --write")

    def test_examples_are_valid(self):
        self.assertGreater(len(EXAMPLES), 10)
        for path in EXAMPLES:
            with self.subTest(example=path.name):
                self.assert_valid(json.loads(path.read_text()))

    def test_definitions_in_the_documentation_are_valid(self):
        found = 0
        for path in (SOURCE / "README.md", *sorted((SOURCE / "docs").glob("*.md"))):
            for block in re.findall(r"^(?:```json|.* <<'END')\n(.*?)^(?:```|END)$", path.read_text(), re.M | re.S):
                with self.subTest(file=path.name, block=block):
                    parts = json.loads(f"[{block}]")  # a definition, or modules of one
                    modules = all(isinstance(part, dict) and "type" in part for part in parts)
                    self.assert_valid(parts if modules else parts[0])
                found += 1
        self.assertGreater(found, 5)

    def test_definitions_of_the_cases_are_valid(self):
        """In the dialect they are for, and in the native one, with all its keys described, where the program takes them so."""
        native = 0
        for name, definition in vectors():
            with self.subTest(vector=name):
                self.assert_valid(definition)
                definition["dialect"] = "native"
                path = self.file("d.json", json.dumps(definition))
                if self.sluice("check", path, code=None).code == 0:
                    native += 1
                    self.assert_valid(definition)
        self.assertGreater(native, 500)

    def test_what_the_program_accepts_is_valid(self):
        for definition in RIGHT:
            with self.subTest(definition=definition):
                self.assert_valid(definition)
                self.sluice("check", self.file("d.json", json.dumps(definition)))

    def test_what_the_program_refuses_is_invalid(self):
        for definition, word in WRONG:
            with self.subTest(definition=definition):
                errors = [e for error in self.validator.iter_errors(definition) for e in leaves(error)]
                self.assertTrue(errors, "the schema accepts it")
                self.assertIn(word, " ".join(e.message for e in errors))
                self.sluice("check", self.file("d.json", json.dumps(definition)), code=2)

    def test_every_key_has_its_description(self):
        defs = self.schema["$defs"]
        for pipe in pipes():
            properties = defs[f"conf.{pipe['name']}"]["properties"]
            for option in pipe["options"]:
                self.assertEqual(properties[option["name"]]["description"], option["help"])
                self.assertEqual(str(properties[option["name"]].get("default")).lower(), str(option.get("default")).lower())
        for name, key in self.schema["$defs"]["pipeline"]["properties"].items():
            self.assertIn("description", key, name)

    def test_the_keys_of_the_top_level_are_known_to_the_program(self):
        for name in self.schema["$defs"]["pipeline"]["properties"]:
            with self.subTest(key=name):
                path = self.file("d.json", json.dumps({"modules": [ITEM], name: None}))
                self.assertNotIn("unknown key", self.sluice("check", path, code=None).message)

    def test_a_definition_says_where_its_schema_is(self):
        path = self.file("d.json", json.dumps({"$schema": "pipeline.schema.json", "modules": [ITEM]}))
        self.assertEqual(self.sluice("run", path, "-q", "-f", "jsonl").out, b'{"a":"1"}\n')
        self.assertEqual(json.loads(self.sluice("convert", path).out)["$schema"], "pipeline.schema.json")


class Pipes(Case):
    def setUp(self):
        super().setUp()
        self.schema = json.loads(PIPES_SCHEMA.read_text())
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_the_description_of_every_pipe_is_valid(self):
        described = pipes()
        jsonschema.Draft202012Validator(self.schema).validate(described)
        one = jsonschema.Draft202012Validator({**self.schema["$defs"]["pipe"], "$defs": self.schema["$defs"]})
        for pipe in described:
            one.validate(pipes(pipe["name"]))

    def test_the_schema_refuses_anything_but_pipes(self):
        validator = jsonschema.Draft202012Validator(self.schema)
        for change in ({"kind": "sink"}, {"colour": 1}, {"options": [{"name": "a"}]}, {"summary": ""}, {"emits": "no"}):
            wrong = [{**pipes("csv"), **change}]
            self.assertFalse(validator.is_valid(wrong), change)


if __name__ == "__main__":
    unittest.main(argv=[a for a in sys.argv if a != "--write"])
