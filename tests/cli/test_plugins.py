#!/usr/bin/env python3
"""Functions in C: the same bytes from every pool, and what is wrong with a plugin said before any input is read."""

import json
import os
import re
import shutil
import subprocess
import unittest

from program import SOURCE, Case, pools


class Plugins(Case):
    def setUp(self):
        super().setUp()
        (self.dir / "sub").mkdir()
        shutil.copy(os.environ["EXAMPLE_PLUGIN"], self.dir / "sub" / "x.so")
        shutil.copy(os.environ["WRONG_PLUGIN"], self.dir / "sub" / "wrong.so")
        shutil.copy(os.environ["OLD_PLUGIN"], self.dir / "sub" / "old.so")
        self.file("in.jsonl", "".join(json.dumps({"a": i, "t": "x"} if i % 5 else {"t": "y"}) + "\n" for i in range(3000)))

    def run_udf(self, conf, *words, code=0, url="in.jsonl", pipe="udf", **step):
        steps = [{"type": "fetchdata", "conf": {"url": str(self.dir / url)}}, {"type": pipe, "conf": conf, **step}]
        self.file("sub/p.json", json.dumps({"modules": steps}))
        return self.sluice("run", "sub/p.json", "-q", "--unit", "4096", *words, code=code)

    def same(self, conf, **step):
        """The items, which every pool has to give."""
        first, *others = [self.run_udf(conf, *pool, **step).out for pool in pools((1, 2, 3))]
        for other in others:
            self.assertEqual(other, first)
        return [json.loads(line) for line in first.splitlines()]

    def test_a_function_makes_items_of_items(self):
        items = self.same({"plugin": "./x.so", "function": "scale", "conf": {"by": 3}})
        self.assertEqual(items, [{"a": 3 * i, "t": "x", "scaled": True} for i in range(3000) if i % 5])

    def test_values_of_all_types_pass(self):
        self.file("in.jsonl", '{"i": 3, "f": 0.5, "n": null, "b": true, "t": "2.5", "l": [1, "a"], "m": {"x": false}}\n')
        rest = [None, [1, {"b": None}]]
        items = self.same({"plugin": "./x.so", "function": "look"})
        self.assertEqual(items[:7], [
            {"name": "i", "type": 3, "text": "3", "number": 3.0}, {"name": "f", "type": 4, "text": "0.5", "number": 0.5},
            {"name": "n", "type": 1}, {"name": "b", "type": 2, "text": "true", "flag": True},
            {"name": "t", "type": 5, "text": "2.5", "number": 2.5}, {"name": "l", "type": 8, "text": items[5]["text"]},
            {"name": "m", "type": 9, "text": items[6]["text"]}])
        self.assertEqual([json.loads(items[k]["text"]) for k in (5, 6)], [[1, "a"], {"x": False}])
        self.assertEqual(items[7:], rest)
        stored = self.same({"plugin": "./x.so", "function": "look"}, emit=False, assign="r")
        self.assertEqual(stored[0]["r"], items)

    def test_none_one_and_several_results_are_stored_as_asked(self):
        """None, one and several results, emitted and stored."""
        self.file("in.jsonl", '{"a": 7}\n{"a": 1, "b": 2}\n')
        def results(function, **step):
            return self.same({"plugin": "./x.so", "function": function, "conf": {"by": 2}}, **step)
        self.assertEqual(results("look", count="first"), [{"name": n, "type": 3, "text": t, "number": float(t)} for n, t in (("a", "7"), ("a", "1"))])
        first = {"name": "a", "type": 3, "text": "1", "number": 1.0}
        self.assertEqual(results("look", emit=False, assign="r", count="first")[1], {"a": 1, "b": 2, "r": first})
        self.assertEqual(len(results("look", emit=False, assign="r", count="all")[1]["r"]), 4)
        self.file("in.jsonl", '{"a": 3}\n{"b": 2}\n')
        self.assertEqual(results("scale", emit=False, assign="r"), [{"a": 3, "r": {"a": 6, "scaled": True}}, {"b": 2}])
        self.assertEqual(results("scale", emit=False, assign="r", count="all"), [{"a": 3, "r": [{"a": 6, "scaled": True}]}, {"b": 2, "r": []}])

    def test_failure_has_its_place(self):
        for pool in pools((2,)):
            r = self.run_udf({"plugin": "./x.so", "function": "refuse"}, *pool, code=1)
            self.assertIn("in.jsonl:8: step 2 (udf): the function 'refuse' failed: seven is too many", r.message)
        self.assertIn("start_item or start_copy comes first", self.run_udf({"plugin": "./x.so", "function": "misuse"}, code=1).message)

    def test_mistakes_are_found_before_the_input(self):
        """The input is not there, and nobody gets as far as that."""
        x = {"plugin": "./x.so", "function": "scale"}
        for conf, message in [
            ({"plugin": "./none.so"}, "cannot load the plugin: .*none.so"),
            ({"plugin": "libm.so.6"}, "'libm.so.6' is no plugin: it does not export 'sluice_plugin'"),
            ({"plugin": "./wrong.so"}, "made for version 2 of the interface"),
            ({"plugin": "./x.so", "function": "scael"}, "has no function 'scael' for udf, did you mean 'scale'?"),
            ({"plugin": "./x.so", "function": "run"}, "has no function 'run' for udf; it has 'scale' and others"),
            ({"plugin": "./x.so"}, "has 4 functions: 'function' says which"),
            (x, "does not open: 'by' must be a number other than 0"),
            (x | {"conf": 3}, "'conf' is an object, not a int"),
            (x | {"lua": "1"}, "give one of 'lua', 'file' and 'plugin'"),
            (x | {"many": True}, "'many' is for Lua"),
            ({"lua": "1", "conf": {}}, "'conf' goes with 'plugin'"),
            ({}, "no function: give 'lua'"),
        ]:
            self.assertRegex(self.run_udf(conf, url="missing.jsonl", code=2).message, message)

    def test_an_aggregate_sees_every_item_in_order(self):
        """It sees every item in order, whatever the pool."""
        run = {"plugin": "./x.so", "function": "run"}
        self.assertEqual(self.same(run, pipe="aggregate"), [{"text": "x", "most": 4}, 3000])
        self.file("in.jsonl", "")
        self.assertEqual(self.same(run, pipe="aggregate"), [{"text": "", "most": 0}, 0])

    def test_an_aggregate_that_fails_has_its_step(self):
        self.file("in.jsonl", '{"t": "a"}\n{"t": "%s"}\n' % ("x" * 64))
        for pool in pools((2,)):
            def message(function, *, code=1):
                return self.run_udf({"plugin": "./x.so", "function": function}, *pool, pipe="aggregate", code=code).message
            self.assertIn("in.jsonl:2: step 2 (aggregate): the function 'run' failed: a text is too long", message("run"))
            self.assertIn("in.jsonl:1: step 2 (aggregate): the function 'early' failed: it makes a result of an item", message("early"))
            self.assertIn("step 2 (aggregate): the function 'copies' failed: it copies an item where there is none", message("copies"))

    def test_aggregate_is_checked_before_the_input(self):
        run = {"plugin": "./x.so", "function": "run"}
        for conf, message in [
            ({"plugin": "./x.so", "function": "scale"}, "has no function 'scale' for aggregate; it has 'run' and others"),
            ({"plugin": "./x.so"}, "has 3 functions: 'function' says which, such as 'run'"),
            ({"plugin": "./old.so"}, "has 0 functions for aggregate"),
            (run | {"conf": {"wrong": 1}}, "does not open: there is something wrong"),
            (run | {"by": "t"}, "give a function .* or groups"),
            (run | {"lua": "1"}, "give one of 'lua', 'file' and 'plugin'"),
            ({"by": "t", "conf": {}}, "'conf' goes with 'plugin'"),
        ]:
            self.assertRegex(self.run_udf(conf, url="missing.jsonl", pipe="aggregate", code=2).message, message)
        self.assertIn("(--no-plugins)", self.run_udf(run, "--no-plugins", pipe="aggregate", code=2).message)

    def test_a_plugin_of_the_first_interface_still_works(self):
        self.file("in.jsonl", '{"a": 1}\n')
        self.assertEqual(self.same({"plugin": "./old.so"}), [1])

    def test_plugins_can_be_forbidden(self):
        x = {"plugin": "./x.so", "function": "look"}
        self.assertIn("not allowed in this run (--no-plugins)", self.run_udf(x, "--no-plugins", code=2).message)
        self.file("p.json", json.dumps({"no_plugins": False, "modules": [{"type": "fetchdata", "conf": {"url": "in.jsonl"}}]}))
        self.assertIn("is for whoever runs a definition to say", self.sluice("run", "p.json", "-q", code=2).message)

    def test_the_documented_plugin_compiles_and_runs(self):
        """The C of docs/user-functions.md compiles and does what is said there."""
        text = (SOURCE / "docs" / "user-functions.md").read_text()
        self.file("sub/twice.c", re.search(r"```c\n(.*?)```", text, re.S).group(1))
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-I", SOURCE / "src", "-o", "libtwice.so", "twice.c"],
                       cwd=self.dir / "sub", check=True)
        self.file("in.jsonl", '{"a": 21}\n')
        self.assertEqual(self.same({"plugin": "./libtwice.so", "conf": {}}), [{"twice": 42}])
        self.file("in.jsonl", '{"a": 1}\n{"a": 5}\n{"a": 3}\n')
        self.assertEqual(self.same({"plugin": "./libtwice.so", "function": "largest"}, pipe="aggregate"), [{"largest": 5}])


if __name__ == "__main__":
    unittest.main()
