#!/usr/bin/env python3
"""Definitions as the program takes them: subpipes and where they are looked for, what is asked of the user, conversion.

    SLUICE=build/dev/sluice test_definitions.py"""

import json
import shutil
import unittest

from program import EXAMPLES, INLINE, SOURCE, Case, pools

VECTORS = SOURCE / "tests" / "cases" / "vectors"
RIKO = ("--dialect", "riko")
QUIET = ("--format", "jsonl", "-q")

QUESTIONS = {
    "modules": [
        {
            "id": f"sw-{i}",
            "type": "input",
            "conf": {
                "name": {"type": "text", "value": name},
                "prompt": {"type": "text", "value": prompt},
                "position": {"type": "number", "value": str(position)},
                **({"default": {"type": "text", "value": default}} if default else {}),
            },
        }
        for i, (name, prompt, position, default) in enumerate(
            [("second", "Which?", 10, "b"), ("first", "Who?", 2, "a"), ("third", "Why?", 10, None)]
        )
    ]
    + [{"id": "_OUTPUT", "type": "output", "conf": {}}],
    "wires": [
        {"id": "_w1", "src": {"id": "_OUTPUT", "moduleid": "sw-0"}, "tgt": {"id": "_INPUT", "moduleid": "_OUTPUT"}}
    ],
}


def pipelines():
    """The pipeline vectors as (name, definition, inputs, files); files are there for the vectors that follow too."""
    for path in sorted(VECTORS.glob("*.jsonl")):
        files = {}
        for number, line in enumerate(path.read_text().split("\n")[:-1], 1):
            vector = json.loads(line)
            files.update(vector.get("files", {}))
            if "pipeline" in vector and "error" not in vector:
                definition = vector["pipeline"].get("dag", vector["pipeline"])
                yield f"{path.stem}:{number}", definition, vector.get("inputs", {}), vector.get("dialect"), dict(files)


class Subpipes(Case):
    def setUp(self):
        super().setUp()
        (self.dir / "lib").mkdir()
        (self.dir / "lib" / "pipe_up.json").write_text('[{"type": "strtransform", "conf": {"rule": {"transform": "upper"}}}]')
        (self.dir / "main.json").write_text(
            '[{"type": "itembuilder", "conf": {"attrs": {"key": "content", "value": "x"}}}, {"type": "pipe:up"}]'
        )

    def test_subpipes_are_looked_for_in_the_folders_given(self):
        expected = b'{"content":"x","strtransform":"X"}\n'
        lib = self.dir / "lib"
        self.assertEqual(self.sluice("run", self.dir / "main.json", "--pipe-path", f"/nowhere:{lib}", *QUIET).out, expected)
        modules = json.loads((self.dir / "main.json").read_text())
        (self.dir / "main.json").write_text(json.dumps({"pipe_path": "lib", "modules": modules}))
        self.assertEqual(self.sluice("run", self.dir / "main.json", *QUIET).out, expected)
        self.sluice("check", self.dir / "main.json")
        self.sluice("plan", self.dir / "main.json")

    def test_a_missing_one_is_a_mistake_of_the_call(self):
        result = self.sluice("check", self.dir / "main.json", "--pipe-path", "/nowhere", code=2)
        self.assertIn("main.json:1:81: step 2: no subpipe 'up': there is no file pipe_up.json in", result.message)
        self.assertIn("'/nowhere'", result.message)

    def test_a_warning_is_printed_and_reported(self):
        (self.dir / "w.json").write_text(
            '{"dialect": "riko", "modules": [{"type": "itembuilder", "conf": {"attrs": []}}, {"type": "loop", "embed": "sort"}]}'
        )
        report = self.dir / "report.json"
        result = self.sluice("run", self.dir / "w.json", "--report", report, *QUIET)
        self.assertIn("warning: ", result.message)
        self.assertIn("w.json:1:81: step 2 (loop): 'sort' cannot be run for each item", result.message)
        self.assertEqual(len(json.loads(report.read_text())["warnings"]), 1)


def full(definition):
    """A definition with pairs of ids as riko's full format: typed literals, wires that are objects, a module for the output."""

    def literal(value):
        if isinstance(value, list):
            return [literal(v) for v in value]
        if isinstance(value, dict):
            known = value.keys() & {"subkey", "terminal"}
            return {**value, "type": "text"} if known else {key: literal(v) for key, v in value.items()}
        return {"type": "int" if isinstance(value, int) else "text", "value": str(value)}

    modules = [
        {**m, "conf": {key.upper(): literal(v) for key, v in m.get("conf", {}).items()}} for m in definition["modules"]
    ]
    ports = [(*wire, "_INPUT")[:3] for wire in [*definition["wires"], [modules[-1]["id"], "_OUTPUT"]]]
    wires = [
        {"id": f"_w{i}", "src": {"id": "_OUTPUT", "moduleid": s}, "tgt": {"id": port, "moduleid": t}}
        for i, (s, t, port) in enumerate(ports)
    ]
    return {"modules": [*modules, {"id": "_OUTPUT", "type": "output", "conf": {}}], "wires": wires}


def letters(name, text):
    """A module that makes an item of TEXT, and one that cuts it at its commas."""
    return [
        {"id": f"{name}-text", "type": "itembuilder", "conf": {"attrs": [{"key": "content", "value": text}]}},
        {"id": name, "type": "tokenizer"},
    ]


class Shapes(Case):
    """Graphs of every shape, in both formats: the same result on every pool."""

    def assert_gives(self, definition, expected):
        for form in (definition, full(definition)):
            (self.dir / "shape.json").write_text(json.dumps(form, indent=1))
            for pool in pools((1, 2, 3)):
                out = self.sluice("run", self.dir / "shape.json", *pool, *QUIET).out
                self.assertEqual([json.loads(line) for line in out.splitlines()], expected, pool)

    def test_loops_over_subpipes_may_nest(self):
        self.file("pipe_words.json", '[{"type": "tokenizer", "field": "text", "conf": {"delimiter": " "}}]')
        mark = {"type": "strconcat", "conf": {"part": [{"subkey": "word.content"}, "!"]}, "emit": True}
        self.file("pipe_mark.json", json.dumps([mark]))
        line = [
            {"type": "loop", "embed": "pipe:words", "emit": False, "assign": "word"},
            {"type": "loop", "embed": {"type": "pipe:mark"}, "emit": False, "assign": "mark"},
            {"type": "tail", "conf": {"count": 1}},
        ]
        self.file("pipe_line.json", json.dumps(line))
        lines = letters("lines", "a b,c,d e f")
        lines[1]["conf"] = {"token_key": "text"}
        modules = [*lines, {"id": "each", "type": "loop", "embed": {"type": "pipe:line", "id": "sub"}}]
        expected = [
            {"text": text, "word": {"content": text[-1]}, "mark": text[-1] + "!"} for text in ("a b", "c", "d e f")
        ]
        self.assert_gives({"modules": modules, "wires": [["lines-text", "lines"], ["lines", "each"]]}, expected)

    def test_a_subpipe_goes_on_without_sources_that_fail(self):
        """Once a source that the item names, once two of the subpipe's own, of which one is missing, and once a count of none."""
        self.file("a.csv", "n\n1\n")
        self.file("items.csv", "file\na.csv\nmissing.csv\na.csv\n")
        asked = [{"type": "csv", "conf": {"url": {"subkey": "file"}}}]
        both = {
            "modules": [
                {"id": "a", "type": "csv", "conf": {"url": "a.csv"}},
                {"id": "b", "type": "csv", "conf": {"url": "missing.csv"}},
                {"id": "u", "type": "union"},
            ],
            "wires": [["a", "u"], ["b", "u", "_OTHER"]],
        }
        none = [{"type": "csv", "conf": {"url": "missing.csv"}}, {"type": "count"}]
        for sub, rows, failed in ((asked, 2, 1), (both, 3, 3), (none, 0, 3)):
            self.file("pipe_sub.json", json.dumps(sub))
            modules = [{"type": "csv", "conf": {"url": "items.csv"}}, {"type": "loop", "embed": "pipe:sub"}]
            name = self.file("d.json", json.dumps(modules))
            self.sluice("run", name, *QUIET, code=1)
            for pool in pools((1, 3)):
                r = self.sluice("run", name, "--keep-going", "--report", "r.json", *pool, *QUIET, code=3)
                self.assertEqual([json.loads(line) for line in r.out.splitlines()], [{"n": "1"}] * rows, (sub, pool))
                report = json.loads((self.dir / "r.json").read_text())
                self.assertEqual(report["failed"], failed)
                self.assertTrue(all("missing.csv" in failure for failure in report["failures"]))

    def test_a_terminal_feeds_an_element_of_a_list(self):
        parts = [{"subkey": "content"}, "-", {"terminal": "1-more"}]
        bare = {"id": "more", "type": "typecast", "conf": {"type": "text"}, "emit": True}
        modules = [
            *letters("abc", "a,b,c"),
            *letters("pq", "p,q"),
            bare,
            {"id": "both", "type": "strconcat", "conf": {"part": parts}, "emit": True},
        ]
        wires = [["abc-text", "abc"], ["pq-text", "pq"], ["pq", "more"], ["more", "both", "1-more"], ["abc", "both"]]
        self.assert_gives({"modules": modules, "wires": wires}, ["a-p", "b-q", "c-"])

    def test_a_union_joins_three_streams_in_order(self):
        modules = [*letters("a", "1,2"), *letters("b", "3"), *letters("c", "4,5"), {"id": "all", "type": "union"}]
        cuts = [[f"{name}-text", name] for name in "abc"]
        expected = [{"content": n} for n in "34512"]
        for second, third in (("_OTHER", "_OTHER2"), ("_OTHER2", "_OTHER"), ("_OTHER", "_OTHER")):
            wires = [*cuts, ["c", "all", second], ["b", "all"], ["a", "all", third]]
            self.assert_gives({"modules": modules, "wires": wires}, expected)

    def test_a_split_into_three_that_come_together_again(self):
        modules = [
            *letters("abc", "a,b,c"),
            {"id": "copies", "type": "split", "conf": {"splits": 3}},
            {"id": "first", "type": "truncate", "conf": {"count": 1}},
            {"id": "number", "type": "count"},
            {"id": "back", "type": "reverse"},
            {"id": "all", "type": "union"},
        ]
        wires = [["abc-text", "abc"], ["abc", "copies"], *(["copies", to] for to in ("first", "number", "back"))]
        wires += [["number", "all"], ["first", "all", "_OTHER"], ["back", "all", "_OTHER2"]]
        expected = [{"count": 3}, {"content": "a"}, {"content": "c"}, {"content": "b"}, {"content": "a"}]
        self.assert_gives({"modules": modules, "wires": wires}, expected)

    def test_branches_may_be_longer_than_memory(self):
        """Copies of a stream that one branch has read long before another begins are kept, in files where need be."""
        text = ",".join(str(n) for n in range(20000))
        modules = [*letters("n", text), {"id": "s", "type": "split", "conf": {"splits": 3}}]
        modules += [{"id": name, "type": "sort", "conf": {"rule": {"field": "content", "dir": way}}}
                    for name, way in (("up", "asc"), ("down", "desc"))]
        modules += [{"id": "sum", "type": "count"}, {"id": "all", "type": "union"}]
        wires = [["n-text", "n"], ["n", "s"], ["s", "up"], ["s", "down"], ["s", "sum"]]
        wires += [["up", "all"], ["down", "all", "_OTHER1"], ["sum", "all", "_OTHER2"]]
        self.file("shape.json", json.dumps({"memory": "1M", "modules": modules, "wires": wires}))
        ordered = [{"content": n} for n in sorted(text.split(","))]
        expected = [*ordered, *ordered[::-1], {"count": 20000}]
        for pool in pools((2,)):
            out = self.sluice("run", self.dir / "shape.json", *pool, *QUIET).out
            self.assertEqual([json.loads(line) for line in out.splitlines()], expected, pool)


class Mistakes(Case):
    """What is wrong with a graph is said in one line with its place, by every command and on every pool."""

    def assert_refused(self, text, message, commands=("run", "check", "plan")):
        path = self.file("bad.json", text)
        for command in commands:
            for pool in pools((2,)) if command == "run" else [()]:
                result = self.sluice(command, path, *pool, code=2)
                self.assertEqual(result.message, f"sluice: {path}:{message}")
                self.assertEqual(result.out, b"")

    def test_a_cycle_names_its_modules(self):
        modules = '{"modules": [\n  {"id": "a", "type": "hash"},\n  {"id": "b", "type": "hash"}, {"id": "c", "type": "hash"}],\n'
        circle = "the modules feed each other in a circle: "
        for wires, message in (
            ('[["a", "a"]]', f"2:3: {circle}'a' -> 'a'"),
            ('[["a", "b"], ["b", "a"]]', f"2:3: {circle}'b' -> 'a' -> 'b'"),
            ('[["a", "b"], ["b", "c"], ["c", "a"]]', f"2:3: {circle}'b' -> 'c' -> 'a' -> 'b'"),
        ):
            with self.subTest(wires=wires):
                self.assert_refused(f'{modules} "wires": {wires}}}', message, ("run", "check", "plan", "convert"))

    def test_an_unknown_pipe_has_its_place_and_a_suggestion(self):
        head = '[{"type": "itembuilder", "conf": {"attrs": {"key": "a", "value": 1}}},\n '
        known = "; `sluice pipes` lists them"
        for module, message in (
            ('{"type": "fliter"}', "2:3: step 2: unknown pipe 'fliter', did you mean 'filter'?"),
            ('{"conf": {}, "type": "xyz"}', f"2:15: step 2: unknown pipe 'xyz'{known}"),
            ('{"type": "loop", "embed": {"type": "xyz"}}', f"2:29: step 2 (loop): unknown pipe 'xyz'{known}"),
            ('{"type": "loop", "embed": "hsah"}', "2:19: step 2 (loop): unknown pipe 'hsah', did you mean 'hash'?"),
        ):
            with self.subTest(module=module):
                self.assert_refused(f"{head}{module}]", message, ("run", "check", "plan", "convert"))

    def test_a_missing_subpipe_has_its_place(self):
        head = '[{"type": "itembuilder", "conf": {"attrs": {"key": "a", "value": 1}}},\n '
        missing = f"no subpipe 'gone': there is no file pipe_gone.json in '{self.dir}'; --pipe-path names further folders"
        for module, place in (
            ('{"type": "pipe:gone"}', "2:3: step 2: "),
            ('{"conf": {}, "type": "pipe_gone"}', "2:15: step 2: "),
            ('{"type": "loop", "embed": {"type": "pipe:gone"}}', "2:29: step 2 (loop): "),
        ):
            with self.subTest(module=module):
                self.assert_refused(f"{head}{module}]", place + missing)

    def test_a_missing_subpipe_of_a_subpipe_has_both_places(self):
        inner = self.file("pipe_inner.json", '[{"type": "hash"},\n {"type": "loop", "embed": "pipe:gone"}]')
        for module in ('{"type": "pipe:inner"}', '{"type": "loop", "embed": "pipe:inner"}'):
            path = self.file("bad.json", f"[{module}]")
            for pool in pools((2,)):
                message = self.sluice("run", path, *pool, code=2).message
                self.assertTrue(message.startswith(f"sluice: {inner}:2:19: step 2 (loop): no subpipe 'gone'"), message)


class Questions(Case):
    def plan(self, definition, *options):
        (self.dir / "q.json").write_text(json.dumps(definition))
        return json.loads(self.sluice("plan", self.dir / "q.json", "--json", *options).out)

    def test_inputs_come_in_the_order_of_their_positions(self):
        inputs = [["2", "first", "Who?", "text", "a"], ["10", "second", "Which?", "text", "b"], ["10", "third", "Why?"]]
        self.assertEqual(self.plan(QUESTIONS, "--inputs"), inputs)
        self.assertEqual(
            self.plan(QUESTIONS, "--inputs", "--dependencies"), {"inputs": inputs, "dependencies": ["input"]}
        )

    def test_dependencies_are_the_types_of_all_modules(self):
        loop = {"type": "loop", "embed": {"type": "hash"}}
        modules = [{"type": "csv", "conf": {"url": "none.csv"}}, loop, {"type": "pipe:none"}, {"type": "stringtokenizer"}]
        self.assertEqual(self.plan(modules, "--dependencies"), ["csv", "loop", "pipe:none", "tokenizer"])
        self.assertEqual(self.plan({"sources": ["a.csv", "b.json"], "modules": [{"type": "count"}]}, "--dependencies"),
                         ["count", "csv", "fetchdata"])

    def test_a_native_input_needs_no_position(self):
        modules = [{"type": "input", "conf": {"name": "city", "default": 7, "type": "int"}}]
        self.assertEqual(self.plan(modules, "--inputs"), [[None, "city", None, "int", 7]])

    def test_what_is_described_is_not_run(self):
        """Neither files nor subpipes need be there, a command is not started, and a sink stays as it is."""
        ask = {"type": "input", "conf": {"name": "who", "prompt": "Who?", "position": 1, "default": "me"}}
        modules = [ask, {"type": "exec", "conf": {"command": ["touch", "started"]}}, {"type": "pipe:gone"},
                   {"type": "loop", "embed": {"type": "pipe:gone"}}]
        (self.dir / "q.json").write_text(json.dumps({"sources": "none.csv", "modules": modules, "sinks": "out.csv"}))
        before = self.names()
        result = self.sluice("plan", self.dir / "q.json", "--inputs", "--dependencies", "--json")
        self.assertEqual(
            json.loads(result.out),
            {"inputs": [[1, "who", "Who?", "text", "me"]], "dependencies": ["csv", "exec", "input", "loop", "pipe:gone"]},
        )
        self.assertEqual((result.err, self.names()), (b"", before))
        self.sluice("run", self.dir / "q.json", code=2)

    def test_in_test_mode_inputs_take_their_defaults(self):
        (self.dir / "t.json").write_text('[{"type": "input", "conf": {"name": "n", "prompt": "N?"}}]')
        self.assertIn("--input n=VALUE", self.sluice("run", self.dir / "t.json", *QUIET, code=2).message)
        self.assertEqual(self.sluice("run", self.dir / "t.json", "--test", *QUIET).out, b'""\n')


class Conversion(Case):
    def convert(self, path):
        native = path.with_name("native_" + path.name)
        self.sluice("convert", path, "-o", native)
        self.assertEqual(self.sluice("convert", native).out, native.read_bytes(), "converting again changes it")
        self.assertNotIn("layout", json.loads(native.read_text()))
        return native

    def test_every_example_gives_the_same(self):
        (self.dir / "out").mkdir()
        for folder in ("configs", "data"):
            shutil.copytree(SOURCE / folder, self.dir / folder)
        for name in (example.name for example in EXAMPLES):
            example = self.dir / "configs" / name
            with self.subTest(example=name):
                run = [self.sluice("run", path, "--to", "-", *QUIET).out for path in (example, self.convert(example))]
                self.assertEqual(run[0], run[1])

    def test_every_pipeline_vector_gives_the_same(self):
        done = 0
        for name, definition, inputs, dialect, files in pipelines():
            text = json.dumps(definition).replace("file:///T/", f"file://{self.dir}/")
            for file, content in files.items():
                (self.dir / file).write_text(content.replace("file:///T/", f"file://{self.dir}/"))
            (self.dir / "vector.json").write_text(text)
            given = [f"--input={key}={value}" for key, value in inputs.items()]
            with self.subTest(vector=name):
                run = [
                    self.sluice("run", path, *given, *INLINE, *QUIET, *(() if dialect else RIKO)).out
                    for path in (self.dir / "vector.json", self.convert(self.dir / "vector.json"))
                ]
                self.assertEqual(run[0], run[1])
            done += 1
        self.assertGreater(done, 50)

    def test_variables_and_settings_stay(self):
        (self.dir / "v.json").write_text(
            '{"name": "n", "workers": 2, "modules": {"type": "csv", "conf": {"URL": "${FILE}"}}, "sinks": "x.db:t"}'
        )
        self.assertEqual(
            json.loads(self.convert(self.dir / "v.json").read_text()),
            {"name": "n", "workers": 2, "sinks": "x.db:t",
             "modules": [{"id": "sw-1", "type": "csv", "conf": {"url": "${FILE}"}}]},
        )

    def test_every_member_of_a_module_stays(self):
        skip = {"field": "a", "text": "x", "op": "search", "include": True}
        modules = [
            {"id": "a", "type": "itembuilder", "conf": {"attrs": [{"key": "a", "value": "b c"}]}},
            {"id": "b", "type": "tokenizer", "field": "a", "assign": "t", "emit": False, "skip_if": skip, "count": "all"},
            {"id": "c", "type": "loop", "embed": {"type": "hash"}, "field": "a", "emit": False, "count": "first"},
        ]
        (self.dir / "m.json").write_text(json.dumps(modules))
        native = json.loads(self.convert(self.dir / "m.json").read_text())
        self.assertEqual(native, {"modules": modules, "wires": [["a", "b"], ["b", "c"]]})

    def test_convert_names_the_mistake(self):
        (self.dir / "b.json").write_text('[{"type": "nix"}]')
        self.assertIn("b.json:1:3: step 1: unknown pipe 'nix'", self.sluice("convert", self.dir / "b.json", code=2).message)
        self.sluice("convert", code=2)


if __name__ == "__main__":
    unittest.main()
