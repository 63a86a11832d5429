#!/usr/bin/env python3
"""Functions and commands of the user's: files of Lua, limits, rights, co-processes that crash, hang and talk nonsense."""

import json
import os
import re
import time
import unittest

from program import SOURCE, Case

ECHO = """import sys, json
for line in sys.stdin:
    item = json.loads(line)
    item["pid"] = 1
    print(json.dumps(item), flush=True)
"""
POOLS = [["--parallel=false"], ["-j2"], ["-j2", "--threads=false"]]


class Functions(Case):
    def setUp(self):
        super().setUp()
        self.file("in.jsonl", "".join(json.dumps({"a": i}) + "\n" for i in range(2000)))

    def pipe(self, *words, code=0, **options):
        return self.sluice("pipe", "fetchdata url=in.jsonl | " + words[0], *words[1:], "-q", code=code, **options)

    def items(self, *words):
        return [json.loads(line) for line in self.pipe(*words).out.splitlines()]

    def test_a_file_may_hold_several_functions(self):
        self.file("f.lua", "local function twice(x) return x * 2 end\nfunction score(item)\n  return {s = twice(item.a)}\nend\n"
                           "function fails(item)\n  return item.b.c\nend\n")
        self.assertEqual(self.items("udf file=f.lua function=score"), [{"s": 2 * i} for i in range(2000)])
        r = self.pipe("udf file=f.lua function=fails", code=1)
        self.assertIn("in.jsonl:1: step 2 (udf): f.lua:6: attempt to index field 'b' (a nil value)", r.message)
        r = self.pipe("udf file=f.lua function=none", code=2)
        self.assertIn("there is no function 'none'", r.message)
        self.assertIn("cannot open", self.pipe("udf file=none.lua", code=1).message)

    def test_texts_of_fields_are_what_lua_would_make(self):
        """Those of a constructor go from column to column; a table in a variable does not, and shows what comes of it."""
        kinds = ["x", "", "é\n\"", 7, -0.5, 3.0, True, False, None, 2 ** 60, [1, "a"], {"k": "v"}, "y" * 3000000]
        mixed = [{"a": kinds[i % 7 % 3], "b": kinds[i % 5 % 2]} if i % 400 < 380 else {"a": kinds[i % 13 % 12], "b": "b"} for i in range(2000)]
        mixed += [{"a": kinds[-1], "b": "b"}, {"b": "b"}, {"a": "a"}]
        self.file("in.jsonl", "".join(json.dumps(item) + "\n" for item in mixed))
        join = "item.a .. \", \" .. item.b .. [[#@%$x]]"
        bodies = [  # what comes before the result, and the result
            ("", "{p = item.a, q = 1}"),
            ("", "{q = item.b, p = item.a}"),
            ("", "{p = item.a, q = item.a, r = item.none}"),
            (f"local ok, s = pcall(function() return {join} end)", f"{{p = ok and 1 or {{s}}, q = item.b}}"),
            ("if type(item.a) ~= \"string\" or not item.b then return nil end", f"{{p = {join}, q = item.b .. \"\"}}"),
            ("item.b = item.a item.a = \"changed\"", "{p = item.a, q = item.b}"),
            ("local function f() item.a = \"changed\" return item.a end", "{p = item.a, q = f(), r = item.a}"),
            ("local function f() item.a = \"changed\" end", "{p = item.a, q = f(), r = item.a}"),
            ("local item = {a = \"other\"}", "{p = item.a, q = item.a .. \"!\"}"),
        ]
        for pool in POOLS:
            for before, result in bodies:
                direct = self.pipe(f"udf lua='{before} return {result}'", *pool)
                table = self.pipe(f"udf lua='{before} local t = {result} return t'", *pool)
                self.assertEqual(direct.out, table.out, result)
                self.assertEqual(direct.err, table.err, result)
        r = self.pipe(f"udf lua='return {{p = {join}}}'", code=1)
        self.assertEqual(r.message, self.pipe(f"udf lua='local t = {{p = {join}}} return t'", code=1).message)
        self.assertIn("lua:1: attempt to concatenate field", r.message)

    def test_a_field_without_a_name_has_no_value(self):
        self.file("in.jsonl", '{"a": "x"}\n' * 1000)
        for lua in "{n = item[nil] or 1, a = item.a}", "{a = item.a .. \"\", n = item[nil] or 1}", "{a = item.a, n = item[false] or 1}":
            self.assertEqual(self.items(f"udf lua='{lua}'"), [json.loads('{"a": "x", "n": 1}')] * 1000)

    def test_a_block_that_begins_with_a_bracket_is_not_called(self):
        """The check put before it is no function that is called with it."""
        code = "local n = 0 local function f(x) (function() n = n + x end)() end for i = 1, 3 do (f)(i) end return {n = n}"
        self.assertEqual(self.items(f"udf lua='{code}' | truncate 1"), [{"n": 6}])

    def test_an_error_has_the_line_of_the_item(self):
        r = self.pipe("udf lua='if item.a == 7 then return item.x.y end return 1'", code=1)
        self.assertIn("in.jsonl:8: step 2 (udf): lua:1:", r.message)

    def test_time_and_memory_are_limited(self):
        for pool in POOLS:
            begin = time.monotonic()
            r = self.pipe("udf timeout=0.3 lua='while true do end return 1'", *pool, code=1)
            self.assertIn("took longer than 0.3 s", r.message)
            self.assertLess(time.monotonic() - begin, 30)
            bomb = "udf lua='local t = {} while true do t[#t + 1] = (\"x\"):rep(1e6) .. #t end return t'"
            self.assertIn("more than 64 MiB", self.pipe(bomb, *pool, code=1).message)

    def test_functions_see_no_system_unless_allowed(self):
        r = self.pipe("udf lua='return {x = os.getenv(\"HOME\") ~= nil}'", code=1)
        self.assertIn("'os' (a nil value)", r.message)
        self.assertEqual(self.items("udf lua='return {x = type(os.getenv), y = type(require(\"ffi\"))}'", "--unsafe-lua")[0],
                         {"x": "function", "y": "table"})
        for name in "unsafe_lua", "no_exec":
            self.file("grants.json", json.dumps({name: True, "modules": [{"type": "fetchdata", "conf": {"url": "in.jsonl"}}]}))
            r = self.sluice("run", "grants.json", "-q", code=2)
            self.assertIn("is for whoever runs a definition to say", r.message)

    # ---- exec

    def command(self, text, name="x.py"):
        self.file(name, text)
        return f"exec command.0=python3 command.1={name}"

    def test_exec_answers_each_item(self):
        exec_ = self.command(ECHO)
        for pool in POOLS:
            self.assertEqual(self.items(exec_, *pool), [{"a": i, "pid": 1} for i in range(2000)])

    def test_exec_may_give_many_answers(self):
        exec_ = self.command("import sys, json\nfor line in sys.stdin:\n    n = json.loads(line)['a'] % 3\n"
                             "    print(''.join('%d\\n' % n for _ in range(n)), flush=True)\n")
        expected = [n % 3 for n in range(2000) for _ in range(n % 3)]
        for pool in POOLS:
            self.assertEqual(self.items(exec_ + " mode=many", *pool), expected)

    def test_exec_takes_items_larger_than_its_pipes(self):
        """More than pipes hold in both directions."""
        self.file("in.jsonl", "".join(json.dumps({"a": i, "t": "x" * 100000}) + "\n" for i in range(40)))
        self.assertEqual(len(self.items("exec command=cat")), 40)

    def test_a_command_that_crashes_fails_the_run(self):
        for pool in POOLS:
            r = self.pipe(self.command("import sys\nsys.stdin.readline()\nsys.exit(3)\n"), *pool, code=1)
            self.assertRegex(r.message, r"step 2 \(exec\): the command 'python3' ended with exit status 3")
        r = self.pipe(self.command("import os\nos.kill(os.getpid(), 9)\n"), code=1)
        self.assertIn("was killed by signal 9", r.message)

    def commits_nothing(self, exec_, message):
        """On every pool, whatever the command did after its last answer; the message has no other place than the step."""
        for pool in POOLS:
            out = self.dir / "out.csv"
            out.write_text("old")
            r = self.pipe(exec_, "--to", str(out), *pool, code=1)
            self.assertEqual(r.message, "sluice: step 2 (exec): " + message)
            self.assertEqual(out.read_text(), "old")

    def test_a_command_that_ends_badly_fails_the_run(self):
        """It answers everything first: only its end tells that it did not do its work."""
        echo = "import os, sys\nfor line in sys.stdin: print(line, end='', flush=True)\n"
        self.commits_nothing(self.command(echo + "sys.exit(3)\n"), "the command 'python3' ended with exit status 3 behind its last answer")
        self.commits_nothing(self.command(echo + "os.kill(os.getpid(), 9)\n"),
                             "the command 'python3' was killed by signal 9 (Killed) behind its last answer")
        self.commits_nothing(self.command(echo + "import time\ntime.sleep(100)\n") + " timeout=0.5",
                             "the command 'python3' was silent for 0.5 s and was killed; 'timeout' sets the limit")

    def test_a_line_too_many_fails_the_run(self):
        late = "import sys\nfor line in sys.stdin: print(line, end='%s', flush=True)\nprint('7')\n"
        self.commits_nothing(self.command(late % ""), "the command 'python3' wrote more than a line for an item; mode many is for that")
        self.commits_nothing(self.command(late % "\\n") + " mode=many",
                             "the command 'python3' wrote more than an empty line behind its answers")

    def test_a_command_may_take_its_time_to_end(self):
        """More than the second that one gets whose answers nobody wants."""
        slow = self.command(ECHO + "import os, time\ntime.sleep(1.5)\nopen('done-%d' % os.getpid(), 'w').close()\n", "slow.py")
        for pool in POOLS:
            self.items(slow, *pool)
            done = list(self.dir.glob("done-*"))
            self.assertTrue(done, pool)
            for f in done:
                f.unlink()

    def test_the_end_of_a_command_that_is_not_wanted_any_more_does_not_count(self):
        """Its end tells nothing then."""
        for pool in POOLS:
            bad = self.command("import sys\nfor line in sys.stdin: print(line, end='', flush=True)\nsys.exit(3)\n")
            self.assertEqual(len(self.items(bad + " | truncate 1", "--unit", "4096", *pool)), 1)

    def test_a_command_for_one_item_ends_with_it(self):
        """A command that the item decides ends with the item, and is to blame there."""
        self.file("bad.py", "import sys\nfor line in sys.stdin: print(line, end='', flush=True)\nsys.exit(1)\n")
        self.file("in.jsonl", '{"c": "cat"}\n{"c": "cat"}\n')
        steps = [{"type": "fetchdata", "conf": {"url": "in.jsonl"}}, {"type": "exec", "conf": {"command": [{"subkey": "c"}]}}]
        self.file("p.json", json.dumps({"modules": steps}))
        self.assertEqual(len(self.sluice("run", "p.json", "-q").out.splitlines()), 2)
        steps[1]["conf"]["command"] = ["python3", {"subkey": "c"}]
        self.file("in.jsonl", '{"c": "bad.py"}\n')
        self.file("p.json", json.dumps({"modules": steps}))
        self.assertIn("in.jsonl:1: step 2 (exec): the command 'python3' ended with exit status 1", self.sluice("run", "p.json", "-q", code=1).message)

    def test_a_command_that_hangs_is_killed(self):
        for pool in POOLS:
            r = self.pipe(self.command("import time\ntime.sleep(100)\n") + " timeout=0.5", *pool, code=1)
            self.assertIn("silent for 0.5 s", r.message)
        left = [p for p in os.listdir("/proc") if p.isdigit() and self.runs_here(p)]
        self.assertEqual(left, [])

    def runs_here(self, pid):
        try:
            return os.readlink(f"/proc/{pid}/cwd") == str(self.dir)
        except OSError:
            return False

    def test_answers_that_are_no_json_are_shown(self):
        self.assertIn("no JSON: hello", self.pipe(self.command("import sys\nfor line in sys.stdin: print('hello', flush=True)\n"), code=1).message)
        twice = self.command("import os, sys\nfor line in sys.stdin: os.write(1, b'1\\n2\\n')\n")
        self.assertIn("wrote more than a line for an item", self.pipe("truncate 1 | " + twice, code=1).message)
        self.assertIn("cannot run", self.pipe("exec command=no-such-program-here", code=1).message)
        self.assertIn("not allowed in this run (--no-exec)", self.pipe("exec command=cat", "--no-exec", code=2).message)

    def test_a_command_has_the_environment_and_its_place(self):
        os.makedirs(self.dir / "sub", exist_ok=True)
        self.file("sub/say.sh", "#!/bin/sh\nwhile read -r line; do echo \"\\\"$WORD\\\"\"; done\n")
        os.chmod(self.dir / "sub/say.sh", 0o755)
        self.file("sub/p.json", json.dumps({"modules": [
            {"type": "fetchdata", "conf": {"url": str(self.dir / "in.jsonl")}},
            {"type": "exec", "conf": {"command": ["./say.sh"], "env": ["WORD=hi", "HOME"]}},
            {"type": "count", "conf": {"count_key": "content"}}]}))
        self.assertEqual(json.loads(self.sluice("run", "sub/p.json", "-q").out), {"hi": 2000})

    def test_documented_examples_give_what_is_shown(self):
        """Every `sluice pipe` of docs/user-functions.md gives the lines below it."""
        text = (SOURCE / "docs" / "user-functions.md").read_text()
        examples = re.findall(r"```sh\n(sluice pipe .*?)\n```\n\n```\n(.*?)```", text, re.S)
        self.assertGreaterEqual(len(examples), 5)
        for command, expected in examples:
            notation = re.fullmatch(r'sluice pipe "(.*)"', command, re.S).group(1).replace('\\"', '"')
            self.assertEqual(self.sluice("pipe", notation, "-q", "-f", "jsonl").out.decode(), expected, command)


if __name__ == "__main__":
    unittest.main()
