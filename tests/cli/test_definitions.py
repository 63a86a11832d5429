#!/usr/bin/env python3
"""Definitions as the program takes them: subpipes and where they are looked for, what is asked of the user, conversion.

    SLUICE=build/dev/sluice test_definitions.py"""

import json
import shutil
import unittest

from program import INLINE, SOURCE, Case

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

    def test_folders_of_the_flag_and_of_the_definition(self):
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
        for example in sorted((self.dir / "configs").glob("*.json")):
            if "$schema" in json.loads(example.read_text()):
                continue
            with self.subTest(example=example.name):
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

    def test_what_is_wrong_is_said(self):
        (self.dir / "b.json").write_text('[{"type": "nix"}]')
        self.assertIn("b.json:1:3: step 1: unknown pipe 'nix'", self.sluice("convert", self.dir / "b.json", code=2).message)
        self.sluice("convert", code=2)


if __name__ == "__main__":
    unittest.main()
