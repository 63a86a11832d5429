"""The process around a run: its descriptors, signals and files, whatever state they are in when it begins, and whatever happens to
them meanwhile."""

import contextlib
import fcntl
import json
import os
import resource
import shutil
import re
import signal
import subprocess
import time
import unittest

from program import PROGRAM, Case, main

SANITIZED = os.environ.get("SLUICE_SANITIZE", "")
# The thread sanitizer hands a signal on when the program calls something, which a Lua pattern does not.
within_lua = unittest.skipIf("thread" in SANITIZED, "signals are not handed on within Lua")
AT_ONCE = 6 if SANITIZED else 1.2  # seconds within which a signal has ended a run

POOLS = (("-j", "2"), ("--threads=false", "-j", "2"), ("--parallel=false",))


class Process(Case):
    def start(self, *args, closed=(), ignored=(), blocked=(), **more):
        """A run with descriptors closed, signals ignored and signals blocked from its start on."""

        def prepare():
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
            for fd in closed:
                os.close(fd)

        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        p = subprocess.Popen([PROGRAM, *map(str, args)], cwd=self.dir, env=self.env, preexec_fn=prepare, **{**pipes, **more})
        self.addCleanup(self.end, p)
        return p

    @staticmethod
    def end(p):
        p.kill()
        p.wait()
        for f in (p.stdin, p.stdout, p.stderr):
            if f:
                with contextlib.suppress(BrokenPipeError):
                    f.close()

    def ended(self, p, seconds=20):
        """Exit code, output and messages."""
        out, err = p.communicate(timeout=seconds)
        return p.returncode, (out or b"").decode(), (err or b"").decode()


class Descriptors(Process):
    def setUp(self):
        super().setUp()
        self.file("s.csv", "id,name\n1,a\n")

    def test_a_closed_standard_output_is_an_error_where_it_is_needed(self):
        self.file("d.json", '{"modules": [{"type": "csv", "conf": {"url": "s.csv"}}], "sinks": [{"to": "/dev/stdout", "type": "csv"}, '
                            '"o.csv"]}')
        for words in (["pipe", "csv url=s.csv"], ["run", "d.json"]):
            for pool in POOLS:
                code, _, err = self.ended(self.start(*words, "-q", *pool, closed=[1]))
                self.assertEqual((code, err), (1, "sluice: standard output is closed\n"))
        self.assertEqual(self.names(), ["d.json", "s.csv"])

    def test_a_closed_standard_input_is_an_error_where_it_is_needed(self):
        for url in ("-", "/dev/stdin"):
            for pool in POOLS:
                p = self.start("pipe", f"csv url={url}", "--to", "o.csv", "-q", *pool, closed=[0])
                code, _, err = self.ended(p)
                self.assertEqual(code, 1)
                self.assertIn("standard input is closed", err)
        self.assertEqual(self.names(), ["s.csv"])

    def test_closed_descriptors_that_are_not_needed_change_nothing(self):
        for closed in ([0], [1], [2], [0, 1], [0, 1, 2]):
            for pool in POOLS:
                p = self.start("pipe", "csv url=s.csv", "--to", "o.csv", "--to", "o.db:t", *pool, closed=closed)
                self.assertEqual(self.ended(p)[0], 0)
                self.assertEqual((self.dir / "o.csv").read_text(), "id,name\n1,a\n")

    def test_no_message_goes_into_an_output(self):
        p = self.start("pipe", "csv url=s.csv", "--to", "nowhere/o.csv", "--to", "o.csv", "--to", "o.db:t", closed=[1, 2])
        self.assertEqual(self.ended(p)[0], 1)
        self.assertEqual(self.names(), ["s.csv"])

    def test_help_without_standard_output_is_an_error(self):
        code, _, err = self.ended(self.start("pipes", closed=[1]))
        self.assertEqual((code, err), (1, "sluice: cannot write to standard output\n"))


class Report(Process):
    def setUp(self):
        super().setUp()
        self.file("s.csv", "id\n1\n")
        self.file("d.json", '{"modules": [{"type": "csv", "conf": {"url": "s.csv"}}], "sinks": ["o.csv"]}')

    def test_a_path_that_cannot_be_written_is_refused_before_anything_is_read(self):
        os.mkfifo(self.dir / "never")
        for path in ("/nonexistent/r.json", ".", "spill"):
            r = self.sluice("pipe", "csv url=never", "--to", "o.csv", "-q", "--report", path, code=1)
            self.assertIn(f"cannot write the report to '{path}'", r.message)
        self.assertNotIn("o.csv", self.names())

    def test_a_path_that_the_run_reads_or_writes_is_refused(self):
        os.link(self.dir / "s.csv", self.dir / "same.csv")
        os.symlink("s.csv", self.dir / "link.csv")
        for path, what in (("s.csv", "an input"), ("same.csv", "an input"), ("link.csv", "an input"), ("o.csv", "an output"),
                           ("./spill/../o.csv", "an output"), ("d.json", "the definition")):
            r = self.sluice("run", "d.json", "--report", path, code=2)
            self.assertEqual(r.message, f"sluice: the report cannot go to '{path}', which is {what} of the same run")
        for words in (["--to", "x.db:t", "--report", "x.db"], ["--to", "x.csv", "--report", "same.csv"]):
            self.sluice("pipe", "csv url=s*.csv", *words, code=2)
        self.assertEqual((self.dir / "s.csv").read_text(), "id\n1\n")

    def test_it_is_all_new_or_still_the_old_one_and_keeps_its_mode(self):
        old = self.file("r.json", "old")
        old.chmod(0o640)
        os.link(old, self.dir / "kept.json")
        os.symlink("r.json", self.dir / "l.json")
        self.sluice("run", "d.json", "--report", "l.json")
        self.assertEqual((self.dir / "kept.json").read_text(), "old")
        self.assertIn('"balanced"', old.read_text())
        self.assertEqual(old.stat().st_mode & 0o777, 0o640)
        self.assertTrue((self.dir / "l.json").is_symlink())
        self.assertEqual(self.names(), ["d.json", "kept.json", "l.json", "o.csv", "r.json", "s.csv"])

    def test_a_device_is_written_to(self):
        r = self.sluice("run", "d.json", "-q", "--report", "/dev/stdout")
        self.assertIn(b'"balanced"', r.out)


STATE = """import json, re, sys
text = open("/proc/self/status").read()
mask = {k: int(re.search(k + r":\\s*(\\w+)", text).group(1), 16) for k in ("SigBlk", "SigIgn")}
for line in sys.stdin:
    print(json.dumps(mask), flush=True)
"""


class Inherited(Process):
    def test_signals_that_the_caller_ignores_stay_ignored(self):
        self.file("s.csv", "n\n" + "1\n" * 2000)
        for pool in POOLS:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                with self.subTest(pool=pool, signal=number.name):
                    p = self.start("pipe", "csv url=-", "--to", "o.csv", "-q", *pool, ignored=[number], stdin=subprocess.PIPE)
                    p.stdin.write(b"n\n1\n")
                    p.stdin.flush()
                    time.sleep(0.3)
                    p.send_signal(number)
                    time.sleep(0.2)
                    self.assertIsNone(p.poll())
                    code, _, err = self.ended(p)
                    self.assertEqual((code, err), (0, ""))

    def test_commands_have_signals_as_the_caller_gave_them(self):
        """Python's own start changes SIGPIPE and SIGXFSZ: those of a command are only the same on every pool."""
        self.file("state.py", STATE)
        self.file("s.csv", "n\n1\n")
        for ignored, blocked in (((), ()), ((signal.SIGHUP, signal.SIGINT), (signal.SIGUSR1,)),
                                 ((signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ), (signal.SIGTERM, signal.SIGALRM))):
            expected = None
            for pool in POOLS:
                p = self.start("pipe", "csv url=s.csv | exec command.0=python3 command.1=state.py", "-q", *pool,
                               ignored=ignored, blocked=blocked)
                code, out, err = self.ended(p)
                self.assertEqual(code, 0, err)
                state = eval(out)
                blocks = sum(1 << (n - 1) for n in blocked)
                ignores = sum(1 << (n - 1) for n in ignored)
                mine = sum(1 << (n - 1) for n in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1))
                self.assertEqual(state["SigBlk"], blocks)
                self.assertEqual(state["SigIgn"] & mine, ignores & mine)
                expected = expected or state
                self.assertEqual(state, expected)

    def test_a_caller_that_ignores_the_end_of_its_children_changes_nothing(self):
        self.file("s.csv", "n\n1\n")
        for pool in POOLS:
            p = self.start("pipe", "csv url=s.csv | exec command=cat", "--to", "o.csv", *pool, "-q", ignored=[signal.SIGCHLD])
            self.assertEqual(self.ended(p), (0, "", ""))


class Stop(Process):
    """One signal ends any run within a second."""

    def await_handler(self, p, number):
        """Until the program handles signal NUMBER: a slow machine may take long to start it."""
        for _ in range(2000):
            with contextlib.suppress(OSError), open(f"/proc/{p.pid}/status") as f:
                caught = int(re.search(r"SigCgt:\s*(\w+)", f.read()).group(1), 16)
                if p.poll() is not None or caught >> (number - 1) & 1:
                    return
            time.sleep(0.01)

    def stop(self, number, *args, before=0.5, **more):
        """Starts a run that does not end, and stops it: what it said, after checking how fast and with which code."""
        p = self.start(*args, **more)
        self.await_handler(p, number)
        time.sleep(before)
        self.assertIsNone(p.poll(), "it has ended before")
        began = time.monotonic()
        p.send_signal(number)
        code, _, err = self.ended(p)
        self.assertLess(time.monotonic() - began, AT_ONCE)
        self.assertEqual(code, 128 + number, err)
        return err

    def check(self, step, files=("o.csv", "o.db"), numbers=(signal.SIGTERM,), before=0.5, pools=POOLS, more=()):
        for pool in pools:
            for number in numbers:
                with self.subTest(pool=pool, signal=number.name):
                    err = self.stop(number, "pipe", step, "--to", "o.csv", "--to", "o.db:t", "-q", *more, *pool, before=before)
                    self.assertEqual(err, "sluice: interrupted; o.csv and o.db are untouched\n")
                    for name in files:
                        self.assertFalse((self.dir / name).exists())

    def test_a_run_that_waits_for_a_writer_is_stopped(self):
        os.mkfifo(self.dir / "ff")
        self.check("csv url=ff", numbers=(signal.SIGTERM, signal.SIGINT, signal.SIGHUP))

    def test_a_run_that_waits_for_bytes_is_stopped(self):
        os.mkfifo(self.dir / "ff")
        held = os.open(self.dir / "ff", os.O_RDWR)
        self.addCleanup(os.close, held)
        os.write(held, b"a,b\n1,2\n")
        self.check("csv url=ff")

    def test_a_named_pipe_is_read_to_its_end(self):
        os.mkfifo(self.dir / "ff")
        for pool in POOLS:
            p = self.start("pipe", "csv url=ff", "-q", *pool)
            time.sleep(0.2)
            with open(self.dir / "ff", "wb") as f:
                f.write(b"n\n" + b"1\n" * 100000)
                f.flush()
                time.sleep(0.1)
                f.write(b"2\n")
            code, out, err = self.ended(p)
            self.assertEqual((code, err, out.count("\n")), (0, "", 100001))

    @within_lua
    def test_a_run_within_a_pattern_of_lua_is_stopped(self):
        self.file("s.csv", "t\n" + "a" * 3000 + "\n")
        self.check("csv url=s.csv | udf lua='return {x=string.find(item.t, string.rep(\".-\", 40)..\"b\")}' timeout=0")

    @within_lua
    def test_a_run_within_a_loop_of_lua_is_stopped(self):
        self.file("s.csv", "t\n1\n")
        self.check("csv url=s.csv | udf lua='while true do end return {}' timeout=0")

    def test_a_run_within_regular_expressions_is_stopped(self):
        self.file("s.csv", "t\n" + ("a" * 22 + "!\n") * 3000)
        self.check("csv url=s.csv | regex rule.match='(a+)+$' rule.replace=x rule.field=t")

    def test_a_run_that_waits_for_a_command_is_stopped(self):
        self.file("s.csv", "t\n1\n")
        self.check("csv url=s.csv | exec command.0=sleep command.1=100")

    def test_a_run_whose_output_is_not_read_is_stopped(self):
        self.file("s.csv", "t\n" + "some text\n" * 300000)
        for pool in POOLS:
            with self.subTest(pool=pool):
                err = self.stop(signal.SIGTERM, "pipe", "csv url=s.csv", "--to", "-", "--to", "o.csv", "-q", *pool)
                self.assertEqual(err, "sluice: interrupted; o.csv is untouched\n")

    def test_a_run_that_waits_for_a_reader_is_stopped(self):
        self.file("s.csv", "t\n1\n")
        os.mkfifo(self.dir / "out.csv")
        for pool in POOLS:
            with self.subTest(pool=pool):
                err = self.stop(signal.SIGTERM, "pipe", "csv url=s.csv", "--to", "out.csv", "-q", *pool)
                self.assertEqual(err, "sluice: interrupted\n")

    @within_lua
    def test_a_second_signal_ends_it_at_once(self):
        self.file("s.csv", "t\n" + "a" * 3000 + "\n")
        p = self.start("pipe", "csv url=s.csv | udf lua='return {x=string.find(item.t, string.rep(\".-\", 40)..\"b\")}' timeout=0",
                       "--to", "o.csv", "--parallel=false")
        self.await_handler(p, signal.SIGTERM)
        time.sleep(0.5)
        p.send_signal(signal.SIGINT)
        time.sleep(0.05)
        began = time.monotonic()
        p.send_signal(signal.SIGTERM)
        self.assertEqual(self.ended(p)[0], 128 + signal.SIGTERM)
        self.assertLess(time.monotonic() - began, AT_ONCE / 3)


class Terminal(Process):
    def test_what_people_are_shown_has_no_terminal_commands(self):
        nasty = "\x1b[2J\x7f\u009b31m"
        escaped = "\\u001b[2J\\u007f\\u009b31m"
        self.file("e.json", '{"name": "%sn", "modules": [{"type": "csv", "conf": {"url": "%ss.csv"}}], "sinks": ["%so.csv"]}'
                  % (escaped, escaped, escaped))
        self.file("i.json", '{"modules": [{"type": "input", "conf": {"prompt": "%s", "default": "%s"}}]}' % (escaped, escaped))
        self.file(nasty + "c.json", '{"modules": [{"type": "itembuilder"}]}')
        for words in (["plan", "e.json"], ["check", "e.json"], ["run", "e.json"], ["plan", "i.json", "--inputs"], ["plan", nasty],
                      ["check", nasty + "c.json"], [nasty], ["pipe", "csv url=" + nasty], ["pipes", nasty], ["pipe", nasty],
                      ["run", "e.json", "--" + nasty], ["load", nasty, "--to", nasty], ["pipe", "itembuilder", "--report", nasty + "/r"],
                      ["cache", "ls", "--dir", nasty], ["convert", nasty]):
            r = self.sluice(*words, code=None)
            text = (r.out + r.err).decode()
            bad = [c for c in text if (c < " " and c != "\n") or "\x7f" <= c < "\xa0"]
            self.assertEqual(bad, [], f"{words}: {text!r}")
        self.assertIn("\\x1b[2J", self.sluice("plan", "e.json").out.decode())


def rows(n, word):
    return "id,t\n" + "".join(f"{i},{word * (1 + i % 7)}\n" for i in range(n))


class Inputs(Process):
    """A file that changes while it is read is read whole as it was, or the run is refused; never a mix."""

    POOLS = (*POOLS, ("--threads=false", "-j", "1"))

    def await_open(self, p, path):
        """Until the run has PATH open, or has ended."""
        for _ in range(2000):
            with contextlib.suppress(OSError):
                if any(os.readlink(f"/proc/{p.pid}/fd/{fd}") == str(path) for fd in os.listdir(f"/proc/{p.pid}/fd")):
                    return
            if p.poll() is not None:
                return
            time.sleep(0.002)

    def run_with(self, change, source, pool, data=None, name="in.csv"):
        """A run that is slow at it, while CHANGE happens: code, message, output."""
        self.file(name, data or rows(30000, "old"))
        old = self.dir / "o.csv"
        old.unlink(missing_ok=True)
        p = self.start("pipe", source, "--to", "o.csv", "-q", "--unit", "20000", "--stall", "20000", *pool)
        self.await_open(p, self.dir / name)
        time.sleep(0.05)
        change(self.dir / name)
        code, _, err = self.ended(p, 60)
        return code, err, old.read_text() if old.exists() else None

    def check(self, change, source="csv url=in.csv", new=None, allowed=(0, 75), **more):
        codes = set()
        data = more.get("data")
        wholes = [data if isinstance(data, str) else rows(30000, "old")] if more.get("plain", True) else None
        more.pop("plain", None)
        for pool in self.POOLS:
            with self.subTest(pool=pool):
                code, err, out = self.run_with(change, source, pool, **more)
                codes.add(code)
                self.assertIn(code, allowed, err)
                if code == 75:
                    self.assertIn(more.get("name", "in.csv"), err)
                    self.assertIn("try again", err)
                    self.assertIsNone(out)
                elif wholes:
                    self.assertTrue(out in wholes or (new and out == new), "the output is no whole file")
        return codes

    def replace(self, data):
        def change(path):
            next_one = path.with_name("next")
            next_one.write_text(data)
            os.rename(next_one, path)
        return change

    def test_a_file_replaced_by_rename_is_read_as_it_was_or_refused(self):
        self.check(self.replace(rows(30000, "newer")), new=rows(30000, "newer"))

    def test_a_file_replaced_by_one_of_its_size_is_read_as_it_was_or_refused(self):
        self.check(self.replace(rows(30000, "new")), new=rows(30000, "new"))

    def test_a_file_that_is_removed_is_read_as_it_was_or_refused(self):
        self.check(lambda path: path.unlink())

    def test_a_file_that_is_overwritten_is_refused(self):
        self.assertEqual(self.check(lambda path: path.write_text(rows(30000, "new")), allowed=(75,)), {75})

    def test_a_file_that_is_cut_is_refused(self):
        self.assertEqual(self.check(lambda path: os.truncate(path, 100000), allowed=(75,)), {75})

    def test_a_file_that_grows_is_refused(self):
        def grow(path):
            with open(path, "a") as f:
                f.write("30000,more\n")
        self.assertEqual(self.check(grow, allowed=(75,)), {75})

    def test_one_of_many_files_is_the_old_or_the_new(self):
        """Small files are read each by one worker, whole: each is the old or the new one."""
        def change(path):
            for k in range(40):
                self.replace(f"id\nnew{k}\n")(self.dir / f"m{k:02}.csv")
        for k in range(40):
            self.file(f"m{k:02}.csv", f"id\nold{k}\n")
        for pool in POOLS:
            code, err, out = self.run_with(change, "csv url=m*.csv", pool)
            self.assertEqual(code, 0, err)
            for k, line in enumerate(out.split()[1:]):
                self.assertIn(line, (f"old{k}", f"new{k}"))

    def test_a_document_that_changes_is_read_as_it_was_or_refused(self):
        def rewrite(path):
            path.write_text(path.read_text().replace("old", "new"))
        items = [f'{{"a": {i}, "t": "old"}}' for i in range(20000)]
        self.check(rewrite, "fetchdata url=in.json", data="[" + ",\n".join(items) + "]", name="in.json", plain=False, allowed=(75,))
        items = [f"<i><a>{i}</a><t>old</t></i>" for i in range(20000)]
        self.check(rewrite, "fetchdata url=in.xml path=r.i", data="<r>" + "\n".join(items) + "</r>", name="in.xml", plain=False,
                   allowed=(75,))

    def test_a_packed_file_that_changes_is_read_as_it_was_or_refused(self):
        import gzip
        import random
        noise = random.Random(1)
        data = "id,t\n" + "".join(f"{i},{noise.random()}\n" for i in range(60000))
        packed = gzip.compress(data.encode())
        self.check(lambda path: path.write_bytes(packed), "csv url=in.csv.gz", data=packed, name="in.csv.gz", plain=False, allowed=(75,))

    def test_a_file_of_the_system_is_read_though_it_says_that_it_is_empty(self):
        out = self.sluice("pipe", "fetchtext url=/proc/self/status", "-q").out
        self.assertIn(b"Name:", out)


class Functions(Process):
    """A function of the user's keeps nothing from call to call, so its results are the same on every pool."""

    REFUSED = "for the next call"

    def refuse(self, conf, *more, code=1, message=REFUSED, rows=2000):
        self.file("s.csv", "a\n" + "".join(f"{i}\n" for i in range(rows)))
        self.file("d.json", '{"modules": [{"type": "csv", "conf": {"url": "s.csv"}}, {"type": "udf", "conf": %s}]}' % json.dumps(conf))
        for pool in POOLS:
            r = self.sluice("run", "d.json", "-q", "--unit", "5000", *more, *pool, code=code)
            if code:
                self.assertIn(message, r.message)
        return r

    def refuse_file(self, text, *more, **how):
        self.file("f.lua", text)
        return self.refuse({"file": "f.lua", "function": "f"}, *more, **how)

    def test_libraries_cannot_be_written_to(self):
        for write, message in (("string.n = (string.n or 0) + 1", "may not set 'string.n'"),
                               ("math.pi = 3", "may not set 'math.pi'"),
                               ("table.n = 1", "may not set 'table.n'"),
                               ("coroutine.n = 1", "may not set 'coroutine.n'"),
                               ("bit.n = 1", "may not set 'bit.n'"),
                               ("rawset(string, 'n', 1)", "table expected"),
                               ("table.insert(math, 1)", "table expected"),
                               ("setmetatable(string, {})", "table expected"),
                               ("getmetatable('').__index.n = 1", "index a boolean value"),
                               ("getmetatable(string).__index.n = 1", "index a boolean value"),
                               ("getmetatable(list{}).n = 1", "index a boolean value"),
                               ("n = 1", "may not set the global 'n'"),
                               ("rawset(item, 'n', 1)", "the function changes 'item', by rawset")):
            self.refuse({"lua": write + " return {x = 1}"}, message=message)

    def test_what_a_file_holds_cannot_be_changed(self):
        for text, name in (("local n = 0 function f(item) n = n + 1 return {x = n} end", "n"),
                           ("local t = {} function f(item) t.n = (t.n or 0) + 1 return {x = t.n} end", "t"),
                           ("local t = {{}} function f(item) local u = t[1] u[#u + 1] = 1 return {x = #u} end", "t"),
                           ("seen = {} function f(item) rawset(seen, item.a, true) return {x = 1} end", "seen"),
                           ("local t = {} function f(item) setmetatable(t, {}) return {x = 1} end", "t"),
                           ("local t = {1, 2} function f(item) table.sort(t, function(a, b) return a > b end) return {x = t[1]} end", "t"),
                           ("local n = 0 local function g() n = n + 1 return n end function f(item) return {x = g()} end", "n"),
                           ("local t = setmetatable({}, {__index = {n = 1}}) function f(item) local i = getmetatable(t).__index "
                            "i.n = i.n + 1 return {x = i.n} end", "t")):
            with self.subTest(text):
                self.refuse_file(text, message=f"the function changes '{name}', which lives longer than a call")

    def test_what_goes_on_from_call_to_call_is_refused_when_it_is_loaded(self):
        for text in ("local g = coroutine.wrap(function() local i = 0 while true do i = i + 1 coroutine.yield(i) end end) "
                     "function f(item) return {x = g()} end",
                     "local g = string.gmatch(string.rep('a', 1000), 'a') function f(item) return {x = g()} end"):
            self.refuse_file(text, code=2, message="'g' holds a coroutine or an iterator")

    def test_constants_and_helpers_of_a_file_are_as_ever(self):
        self.refuse_file("local names = {'a', 'b', {c = {1, 2, 0/0}}} local up = string.upper function string.twice(s) return s .. s end "
                         "local function g(s) return up(s) .. #names end "
                         "function f(item) local r = {} for k, v in pairs(names[3].c) do r[k] = v end "
                         "return {x = g(item.a), y = string.twice(item.a), z = #r} end", code=0)

    def test_rights_do_not_change_that(self):
        for text, name in (("function f(item) string.n = (string.n or 0) + 1 return {x = string.n} end", "string"),
                           ("function f(item) debug.getmetatable('').__index.n = 1 return {x = 1} end", "string"),
                           ("local m = require 'm' function f(item) return {x = m.next()} end", "n")):
            self.file("m.lua", "local n = 0 return {next = function() n = n + 1 return n end}")
            self.refuse_file(text, "--unsafe-lua", message=f"the function changes '{name}'")

    def test_conditions_and_aggregates_keep_no_state(self):
        self.file("s.csv", "a\n" + "1\n" * 3000)
        self.file("f.lua", "local n = 0 function g(items) n = n + 1 return {n = #items} end")
        for pipe, name in (("filter lua='rawset(item, \"n\", 1) ~= nil'", "item"), ("aggregate file=f.lua function=g", "n")):
            for pool in POOLS:
                r = self.sluice("pipe", f"csv url=s.csv | {pipe}", "-q", *pool, code=1)
                self.assertIn(f"the function changes '{name}'", r.message)


class FewResources(Process):
    """Fewer descriptors, threads or processes than wanted mean fewer workers, and no failure."""

    def limited(self, *args, descriptors=None, processes=None, code=0):
        """A run under limits; of processes as a user that has no others."""

        def prepare():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
            if processes is not None:
                resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
                os.setgroups([])
                os.setgid(54321)
                os.setuid(54321)

        env = dict(self.env, ASAN_OPTIONS="detect_leaks=0")  # which wants a process of its own
        p = subprocess.Popen([PROGRAM, *args], cwd=self.dir, env=env, preexec_fn=prepare, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, p)
        result = self.ended(p, 60)
        self.assertEqual(result[0], code, result[2])
        return result

    def test_a_sort_of_many_runs_has_few_files_open(self):
        text = "id,t\n" + "".join(f"{i * 7919 % 600011},{'x' * 60}\n" for i in range(600000))
        self.file("s.csv", text)
        for steps in ("sort id", "uniq id limit=700000 | count", "aggregate by=id ops.op=count | count"):
            outputs = set()
            for pool in (("--parallel=false",), ("-j", "2"), ("--threads=false", "-j", "2")):
                out = self.limited("pipe", f"csv url=s.csv | {steps}", "-q", "-S", "1M", *pool, descriptors=20)[1]
                outputs.add(out)
            self.assertEqual(len(outputs), 1)

    def test_few_descriptors_make_fewer_workers(self):
        self.file("s.csv", "n\n" + "1\n" * 20000)
        for pool in (("-j", "40"), ("--threads=false", "-j", "40")):
            _, out, err = self.limited("pipe", "csv url=s.csv | sum n", "--unit", "2000", "-q", *pool, descriptors=16)
            self.assertEqual(out, self.sluice("pipe", "csv url=s.csv | sum n").out.decode())
        self.assertRegex(err, "^sluice: warning: only \\d+ of 40 workers could be started \\(Too many open files\\)\n$")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become a user without processes")
    def test_few_processes_make_fewer_workers(self):
        self.dir.chmod(0o777)
        self.spill.chmod(0o777)
        self.file("s.csv", "n\n" + "1\n" * 20000)
        expected = self.sluice("pipe", "csv url=s.csv | sort n | sum n").out.decode()
        for pool in (("-j", "8"), ("--threads=false", "-j", "8")):
            for most in (1, 3):
                _, out, err = self.limited("pipe", "csv url=s.csv | sort n | sum n", "--unit", "2000", "-q", *pool, processes=most)
                self.assertEqual(out, expected)
                self.assertRegex(err, "^sluice: warning: only [0-3] of 8 workers could be started")


class Sweeping(Process):
    """What a process that is gone has left is removed; what a living one writes is not, also one of another container."""

    def setUp(self):
        super().setUp()
        self.file("s.csv", "id\n1\n")
        self.left = [".o.csv.sluice-99999999.tmp", ".o.db.sluice-99999999.load", ".o.db.sluice-99999999.tmp"]

    @staticmethod
    def number_of_nobody():
        """A low number that no process has here."""
        for number in range(2, 1000):
            try:
                os.kill(number, 0)
            except ProcessLookupError:
                return number
            except PermissionError:
                pass
        raise unittest.SkipTest("all low numbers are taken")

    def test_files_that_somebody_holds_stay(self):
        held = [open(self.dir / name, "w") for name in self.left]
        for f in held:
            self.addCleanup(f.close)
            fcntl.flock(f, fcntl.LOCK_EX)
        self.sluice("pipe", "csv url=s.csv", "--to", "o.csv", "--to", "o.db:t")
        self.assertEqual(self.names(), sorted([*self.left, "o.csv", "o.db", "s.csv"]))
        for f in held:
            f.close()
        self.sluice("pipe", "csv url=s.csv", "--to", "o.csv", "--to", "o.db:t")
        self.assertEqual(self.names(), ["o.csv", "o.db", "s.csv"])

    @unittest.skipUnless(shutil.which("unshare") and subprocess.run(["unshare", "-p", "-f", "true"], stderr=subprocess.DEVNULL).returncode
                         == 0, "no other namespace of processes can be made")
    def test_a_run_of_another_container_is_left_alone(self):
        """A run there is held up by its input, with all its files open, while one here writes the same outputs."""
        number = self.number_of_nobody()
        shell = "i=2; while [ $i -lt $0 ]; do /bin/true; i=$((i + 1)); done; \"$@\"; exit $?"
        env = dict(self.env, ASAN_OPTIONS="detect_leaks=0")  # which looks itself up in a /proc of other numbers
        there = subprocess.Popen(["unshare", "-p", "-f", "sh", "-c", shell, str(number), PROGRAM, "pipe", "csv url=-", "--to", "o.csv",
                                  "--to", "o.db:t", "-q", "--unit", "1000"], cwd=self.dir, env=env, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, there)
        there.stdin.write(b"id\n" + b"2\n" * 200000)
        there.stdin.flush()
        for _ in range(500):
            if (self.dir / f".o.csv.sluice-{number}.tmp").exists():
                break
            time.sleep(0.01)
        time.sleep(0.1)
        files = [n for n in self.names() if n.startswith(".")]
        self.assertIn(f".o.csv.sluice-{number}.tmp", files)
        self.sluice("pipe", "csv url=s.csv", "--to", "o.csv")
        self.assertEqual([n for n in self.names() if n.startswith(".")], files)
        there.stdin.close()
        self.assertEqual((there.stderr.read(), there.wait(30)), (b"", 0))
        self.assertEqual((self.dir / "o.csv").read_text().count("2"), 200000)
        self.assertEqual([n for n in self.names() if n.startswith(".")], [])


class Locale(Process):
    """A host program's locale changes nothing in what is read and written, nor is it changed."""

    LOCALES = (("de_DE", "ISO-8859-1"), ("tr_TR", "UTF-8"), ("tr_TR", "ISO-8859-9"))
    HOST = os.environ.get("LOCALE_HOST")

    def make(self, name, charset):
        subprocess.run(["localedef", "-i", name, "-f", charset, str(self.dir / f"{name}.{charset}")], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return f"{name}.{charset}"

    def host(self, locale, definition):
        env = dict(self.env, LOCPATH=str(self.dir), ASAN_OPTIONS="detect_leaks=0")  # setlocale keeps what LOCPATH says for ever
        r = subprocess.run([self.HOST, locale, definition], cwd=self.dir, env=env, timeout=60,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if r.returncode == 77:
            self.skipTest(f"there is no locale {locale}")
        self.assertEqual(r.returncode, 0, r.stderr)
        return r

    @unittest.skipUnless(HOST and shutil.which("localedef"), "LOCALE_HOST and localedef are needed")
    def test_a_host_program_in_another_locale(self):
        self.file("in.csv", "ID,Prix Été,INFO,when,html\n1,1234.5,Iİıi,3 May 2024,<B>x</B>\n2,1e-7,TITLE,2024-12-01T01:02:03.25Z,<I>y</I>\n"
                            "3,12345678901234567.89,é,Sat 1 Jun 2024,\n")
        self.file("in.json", '[{"a": 1.5, "b": 1e400, "c": [0.1, 2.50]}]')
        self.file("page.html", "<HTML><TITLE>I</TITLE><TABLE><TR><TH>ID<TH>LINE</TR><TR><TD>1.5<TD>I</TR></TABLE></HTML>")
        definitions = {
            "one": [{"type": "csv", "conf": {"url": "in.csv", "sanitize": True, "encoding": "UTF-8"}},
                    {"type": "udf", "conf": {"lua": "item.n = 1 / 3 item.f = string.format('%.3f', 2.5) item.g = tonumber('1.5') + 1 "
                                                    "item.u = string.upper(item.info) return item"}},
                    {"type": "typecast", "conf": {"type": "float"}, "field": "n"},
                    {"type": "sort", "conf": {"rule": {"sort_key": "info"}}},
                    {"type": "dateformat", "conf": {"format": "%B %d %A"}, "field": "when"}],
            "two": [{"type": "fetchdata", "conf": {"url": "in.json"}}],
            "three": [{"type": "fetchtable", "conf": {"url": "page.html"}}],
        }
        locales = ["C", *(self.make(*which) for which in self.LOCALES)]
        for pool in ({"parallel": False}, {"workers": 2}, {"workers": 2, "threads": False}):
            for name, modules in definitions.items():
                outputs = [f"{name}.{suffix}" for suffix in ("csv", "jsonl")] + [f"{name}.db:t"]
                self.file("d.json", json.dumps({"modules": modules, "sinks": outputs, **pool}))
                seen = {}
                for locale in locales:
                    with self.subTest(pool=pool, definition=name, locale=locale):
                        r = self.host(locale, "d.json")
                        self.assertEqual(r.stderr, b"1.5" if locale == "C" else b"1,5")
                        json.loads(r.stdout)
                        dump = subprocess.run(["sqlite3", f"{name}.db", ".dump"], cwd=self.dir, stdout=subprocess.PIPE, check=True).stdout \
                            if shutil.which("sqlite3") else b""
                        result = (dump, *((self.dir / f).read_bytes() for f in outputs[:2]))
                        self.assertEqual(result, seen.setdefault("C", result))
                        (self.dir / f"{name}.db").unlink()


if __name__ == "__main__":
    main()
