#!/usr/bin/env python3
"""The command line: help, options, formats, inputs, outputs, reports."""

import contextlib
import csv
import gzip
import io
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import unittest

from program import PROGRAM, SOURCE, Case, pools

DATA = SOURCE / "data"
CRIME = DATA / "crime.csv"
STATIONS = DATA / "stations.csv"
COMMANDS = ("run", "load", "pipe", "pipes", "check", "plan", "convert", "cache", "schema")
PIPES = """
    aggregate count csv currencyformat datebuilder dateformat exchangerate exec feedautodiscovery fetch fetchdata fetchpage
    fetchsitefeed fetchtable fetchtext filter forever geolocate hash input itembuilder join loop receive refind regex rename
    reverse rssitembuilder send simplemath slugify sort split strconcat strfind strreplace strtransform subelement substr sum
    tail tap timeout tokenizer truncate typecast udf union uniq urlbuilder urlparse xpathfetchpage"""


def described(case):
    return json.loads(case.sluice("pipes", "--json").out)


def all_options(options):
    """With those of rules, to any depth."""
    for option in options:
        yield option
        yield from all_options(option.get("rule", []))


def rows(path, query="SELECT * FROM t ORDER BY rowid"):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


class Help(Case):
    def test_without_a_command_the_usage_goes_to_stderr(self):
        r = self.sluice(code=2)
        self.assertEqual(r.out, b"")
        self.assertIn("usage: sluice COMMAND", r.message)

    def test_help_names_every_command_and_the_exit_codes(self):
        text = self.sluice("--help").out.decode()
        for word in (*COMMANDS, "exit codes", "75"):
            self.assertIn(word, text)

    def test_every_command_has_help(self):
        for command in COMMANDS:
            r = self.sluice(command, "--help")
            self.assertTrue(r.out.decode().startswith(f"usage: sluice {command} "), command)
            self.assertEqual(r.out, self.sluice("help", command).out)
            self.assertEqual(r.err, b"")

    def test_the_version_is_printed(self):
        self.assertRegex(self.sluice("--version").out.decode(), r"^sluice \d+\.\d+\.\d+(-\S+)?\n$")

    def test_pipes_lists_every_pipe(self):
        described = json.loads(self.sluice("pipes", "--json").out)
        listed = self.sluice("pipes").out.decode()
        self.assertGreater(len(described), 25)
        for pipe in described:
            self.assertIn(f"  {pipe['name']} ", listed)
            self.assertTrue(pipe["summary"], pipe["name"])

    def test_the_pipes_of_the_vocabulary_are_all_there(self):
        self.assertEqual([pipe["name"] for pipe in described(self)], sorted(PIPES.split()))

    def test_every_pipe_explains_itself(self):
        for pipe in described(self):
            lines = self.sluice("pipes", pipe["name"]).out.decode().splitlines()
            told = " ".join(" ".join(lines).split())
            self.assertTrue(told.startswith(f"{pipe['name']} ({pipe['kind']}): {pipe['summary']}"), told)
            told = told.replace("| ", "|") # a long row of choices is broken behind one
            for option in all_options(pipe["options"]):
                self.assertIn(f"{option['name']} {option['usage']}", told, pipe["name"])
                self.assertIn(option.get("default", "").strip(), option["usage"], pipe["name"])
                self.assertTrue(option["help"], f"{pipe['name']}: {option['name']}")
            self.assertEqual(json.loads(self.sluice("pipes", pipe["name"], "--json").out), pipe)

    def test_every_example_of_a_pipe_runs_as_it_is_shown(self):
        (self.dir / "bin").mkdir()
        (self.dir / "bin" / "sluice").symlink_to(shutil.which(PROGRAM))
        env = {**self.env, "PATH": f"{self.dir / 'bin'}:{os.environ['PATH']}"}
        for pipe in described(self):
            shown = self.sluice("pipes", pipe["name"]).out.decode().partition("\nexample:\n")[2]
            with self.subTest(pipe=pipe["name"]):
                self.assertRegex(shown, rf"\b{pipe['name']}\b")
                r = subprocess.run(["sh", "-c", shown], cwd=SOURCE, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.assertEqual(r.returncode, 0, r.stderr.decode())
                self.assertGreaterEqual(len(r.stdout.splitlines()), 1, shown)


class Mistakes(Case):
    """What is wrong with the call: exit code 2, one line, nothing on stdout."""

    def mistake(self, expected, *args, files=()):
        for name, text in files:
            self.file(name, text)
        r = self.sluice(*args, code=2)
        self.assertEqual(r.out, b"")
        self.assertEqual(r.message.count("\n"), 0, r.message)
        self.assertTrue(r.message.startswith("sluice: "), r.message)
        self.assertIn(expected, r.message)

    def test_an_unknown_command_has_a_suggestion(self):
        self.mistake("did you mean 'load'?", "laod", "x.csv")

    def test_an_unknown_option_has_a_suggestion(self):
        self.mistake("did you mean --parallel?", "run", "x.json", "--paralel")
        self.mistake("unknown option -Z", "run", "x.json", "-Z")

    def test_an_option_without_its_value(self):
        self.mistake("--to needs a value", "load", CRIME, "--to")
        self.mistake("--quiet takes no value", "load", CRIME, "--to", "-", "--quiet=yes")

    def test_bad_values_name_what_is_accepted(self):
        for option, value, expected in (("-j", "many", "'workers' must be 0 to 1024"), ("--memory", "10", "at least 1M"),
                                        ("--parallel", "perhaps", "true or false"), ("--limit", "-3", "a number of items")):
            option = [f"{option}={value}"] if option == "--parallel" else [option, value]
            self.mistake(expected, "load", CRIME, "--to", "-", *option)

    def test_an_unknown_format_names_the_known(self):
        self.mistake("jsonl, json, csv, tsv, table", "pipe", f"csv url={CRIME}", "--format", "xml")

    def test_a_sink_of_no_kind_is_named(self):
        self.mistake("'a.xyz' names no kind of output", "load", CRIME, "--to", "a.xyz")

    def test_load_needs_a_source_and_a_sink(self):
        self.mistake("what to load?", "load", "--to", "-")
        self.mistake("where to?", "load", CRIME)

    def test_unknown_pipe_has_its_place_and_a_suggestion(self):
        self.mistake("bad.json:2:3: step 2: unknown pipe 'fliter', did you mean 'filter'?", "run", "bad.json",
                     files=[("bad.json", '[{"type": "csv", "conf": {"url": "x.csv"}},\n {"type": "fliter"}]')])
        self.mistake("did you mean 'truncate'?", "pipe", f"csv url={CRIME} | truncat count=1")
        self.mistake("did you mean 'sort'?", "pipes", "srot")

    def test_unknown_conf_key_has_its_place_and_a_suggestion(self):
        self.mistake("bad.json:2:", "check", "bad.json", files=[
            ("bad.json", '[{"type": "csv", "conf": {"url": "x.csv"}},\n {"type": "truncate", "conf": {"cuont": 1}}]')])
        self.mistake("unknown key 'cuont', did you mean 'count'?", "check", "bad.json")

    def test_a_definition_that_is_no_json(self):
        self.mistake("bad.json:2", "run", "bad.json", files=[("bad.json", '{"modules": [\n')])

    def test_an_undefined_variable_is_named(self):
        self.mistake("NOWHERE", "run", "v.json", files=[("v.json", '[{"type": "csv", "conf": {"url": "${NOWHERE}"}}]')])

    def test_a_wire_to_nowhere_is_named(self):
        self.mistake("no module has the id 'c'", "run", "w.json", files=[
            ("w.json", '{"modules": [{"id": "a", "type": "forever"}], "wires": [["a", "c"]]}')])

    def test_a_missing_file_has_its_place_and_a_suggestion(self):
        """Its place in the definition, its step, and what was meant or where it was looked for."""
        self.file("stations.csv", "a\n1\n")
        def missing(*words):
            return self.sluice(*words, code=1).message
        def defined(url, name="p.json"):
            self.file(name, '{"modules": [\n  {"type": "csv", "conf": {"url": "%s"}},\n  {"type": "count"}]}' % url)
            return missing("run", name)
        cannot = "cannot open '%s': No such file or directory"
        self.assertEqual(defined("station.csv"), "sluice: p.json:2:28: step 1 (csv): " + cannot % "station.csv" + ", did you mean 'stations.csv'?")
        self.assertEqual(defined("x/y.csv"), "sluice: p.json:2:28: step 1 (csv): " + cannot % "x/y.csv" + f"; there is no folder '{self.dir}/x'")
        self.assertEqual(missing("load", "zzz", "--to", "o.db:t"), "sluice: step 1 (fetchdata): " + cannot % "zzz" + f"; it was looked for in '{self.dir}'")
        self.assertEqual(missing("load", "stations.csv", "none-*.csv", "--to", "o.db:t"), "sluice: step 2 (csv): no file matches 'none-*.csv'")
        self.assertEqual(missing("pipe", "csv zzz | count"), "sluice: pipe:1:1: step 1 (csv): " + cannot % "zzz" + f"; it was looked for in '{self.dir}'")
        (self.dir / "sub").mkdir()
        self.file("sub/pipe_s.json", '{"modules": [\n  {"type": "csv", "conf": {"url": "../station.csv"}}]}')
        self.file("sub/q.json", '{"modules": [{"type": "pipe:s"}]}')
        r = missing("run", "sub/q.json")
        self.assertTrue(r.startswith("sluice: step 1 (csv): sub/pipe_s.json:2:3: cannot open 'sub/../station.csv'"), r)
        self.assertTrue(r.endswith("did you mean 'sub/../stations.csv'?"), r)

    def test_a_bad_xpath_is_found_by_check(self):
        """Also where libxml2 would not see it before it gets there in a document."""
        for xpath, column, message in [
            ("f(", 1, "there is no such function"),
            ("//a[f (.)]", 5, "there is no such function"),
            ("x:f(1)", 1, "there is no such function"),
            ("//a[1", 6, "a predicate is wrong or not closed"),
            ("count(", 6, "a parenthesis is not closed"),
            ("//a[. = $x]", 9, "there are no variables here"),
            ("//a['", 6, "a text in quotes is not closed"),
        ]:
            steps = [{"type": "xpathfetchpage", "conf": {"url": "none.html", "xpath": xpath}}]
            self.file("p.json", json.dumps({"modules": steps}))
            self.assertEqual(self.sluice("check", "p.json", code=2).message,
                             f"sluice: p.json:1:14: step 1 (xpathfetchpage): xpath '{xpath}', character {column}: {message}")

    def test_a_mistake_is_found_before_any_input_is_read(self):
        self.mistake("fliter", "pipe", "csv url=nosuch.csv | fliter")


class Output(Case):
    def stations(self, form):
        return self.sluice("load", STATIONS, "--to", "-", "--format", form).out.decode()

    def test_csv_is_the_file(self):
        self.assertEqual(self.stations("csv"), STATIONS.read_text())
        self.assertEqual(self.sluice("load", CRIME, "--to", "-", "-f", "csv").out, CRIME.read_bytes())

    def test_the_other_formats_hold_the_same(self):
        with open(STATIONS, newline="", encoding="utf-8") as f:
            expected = list(csv.DictReader(f))
        self.assertEqual(json.loads(self.stations("json")), expected)
        self.assertEqual([json.loads(line) for line in self.stations("jsonl").splitlines()], expected)
        self.assertEqual(list(csv.DictReader(io.StringIO(self.stations("tsv")), delimiter="\t")), expected)
        lines = self.stations("table").splitlines()
        self.assertEqual([line.split(" │ ")[0].strip() for line in lines[2:]], [r["station"] for r in expected])

    def test_jsonl_is_the_default_of_a_pipe(self):
        self.assertEqual(self.sluice("load", STATIONS, "--to", "-").out.decode(), self.stations("jsonl"))

    def test_limit_ends_the_run_early(self):
        for pool in pools((1, 3)):
            out = self.sluice("load", CRIME, "--to", "-", "-f", "csv", "--limit", "7", *pool).out.decode()
            self.assertEqual([r["id"] for r in csv.DictReader(io.StringIO(out))], list("1234567"), pool)

    def test_several_sinks_get_the_same_rows(self):
        self.sluice("load", STATIONS, "--to", "a.csv", "--to", "a.jsonl", "--to", "a.json", "--to", "a.db:t", "--to", "b.sqlite3:t")
        self.assertEqual((self.dir / "a.csv").read_text(), STATIONS.read_text())
        expected = json.loads((self.dir / "a.json").read_text())
        self.assertEqual(len(expected), 60)
        self.assertEqual([json.loads(line) for line in (self.dir / "a.jsonl").read_text().splitlines()], expected)
        self.assertEqual(rows(self.dir / "a.db"), rows(self.dir / "b.sqlite3"))
        self.assertEqual([r[0] for r in rows(self.dir / "a.db")], [r["station"] for r in expected])

    def test_sinks_given_take_the_place_of_those_defined(self):
        self.file("p.json", json.dumps({"sources": [{"url": str(STATIONS)}], "sinks": ["a.csv"]}))
        self.sluice("run", "p.json", "--to", "b.csv")
        self.assertEqual(self.names(), ["b.csv", "p.json"])

    def test_stdout_carries_data_only(self):
        r = self.sluice("load", STATIONS, "--to", "x.csv")
        self.assertEqual(r.out, b"")
        self.assertIn("60 items in, 60 out", r.message)
        self.assertEqual(self.sluice("load", STATIONS, "--to", "x.csv", "-q").err, b"")

    def test_without_order_the_items_are_the_same(self):
        args = ("load", CRIME, "--to", "-", "-f", "jsonl", "--unit", "5000", "-j", "3")
        for pool in ((), ("--threads=false",)):
            out = self.sluice(*args, *pool, "--ordered=false", "--stall", "2000").out.splitlines()
            self.assertEqual(sorted(out), sorted(self.sluice(*args, *pool).out.splitlines()))

    def on_terminal(self, *args):
        """What stands on a terminal that is both standard output and standard error."""
        ours, theirs = pty.openpty()
        p = subprocess.Popen([PROGRAM, *map(str, args)], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=self.dir)
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while data := os.read(ours, 65536):
                seen += data
        os.close(ours)
        self.assertEqual(p.wait(60), 0)
        return seen.decode()

    def test_a_terminal_gets_a_table(self):
        self.assertIn("│ code ", self.on_terminal("load", STATIONS, "--to", "-"))

    def test_a_reader_that_leaves_early_ends_the_run(self):
        p = subprocess.Popen([PROGRAM, "pipe", "forever", "-q"], stdout=subprocess.PIPE, cwd=self.dir)
        self.assertTrue(p.stdout.readline())
        p.stdout.close()
        self.assertEqual(p.wait(60), 141)


class Input(Case):
    def load(self, *args, **more):
        self.sluice("load", *args, "--to", "x.db:t", "-q", **more)
        return rows(self.dir / "x.db")

    def test_standard_input_is_loaded_like_a_file(self):
        self.assertEqual(self.load("-", stdin=CRIME.read_bytes()), self.load(CRIME))
        self.assertEqual(len(self.load("-", "--from", "jsonl", stdin=(DATA / "crime.jsonl").read_bytes())), 2000)

    def test_json_and_json_lines_hold_the_same(self):
        expected = self.load(DATA / "crime.jsonl")
        self.assertEqual(self.load(DATA / "crime.json", "--path", "value.items"), expected)

    def test_gzip_is_unpacked_whatever_the_name(self):
        self.file("c.csv.gz", gzip.compress(CRIME.read_bytes()))
        self.file("plain.csv", gzip.compress(CRIME.read_bytes()))
        expected = self.load(CRIME)
        self.assertEqual(self.load("c.csv.gz"), expected)
        self.assertEqual(self.load("plain.csv"), expected)
        self.assertEqual(self.load("-", stdin=gzip.compress(CRIME.read_bytes())), expected)

    @unittest.skipUnless(shutil.which("zstd"), "zstd is not installed")
    def test_zstd_is_unpacked(self):
        packed = subprocess.run(["zstd", "-q", "-c", CRIME], stdout=subprocess.PIPE, check=True).stdout
        self.file("c.csv.zst", packed)
        self.assertEqual(self.load("c.csv.zst"), self.load(CRIME))

    def test_several_sources_come_in_order(self):
        self.file("a-1.csv", "n\n1\n")
        self.file("a-2.csv", "n\n2\n")
        self.assertEqual(self.load("a-2.csv", "a-1.csv"), [(2,), (1,)])
        self.assertEqual(self.load("a-*.csv"), [(1,), (2,)])

    def test_the_dialect_of_csv_is_given_by_options(self):
        self.file("d.txt", "# made up\nskip me\n1;'a;b'\n2;''\n")
        read = self.load("d.txt", "--from", "csv", "-d", ";", "--quote", "'", "--no-headers", "--skip", "2")
        self.assertEqual([r[:2] for r in read], [(1, "a;b"), (2, "")])

    def test_ragged_rows_by_policy(self):
        self.file("r.csv", "a,b\n1,2\n3\n4,5\n")
        self.sluice("load", "r.csv", "--to", "x.db:t", code=1)
        self.assertEqual(self.load("r.csv", "--ragged", "pad"), [(1, 2), (3, None), (4, 5)])
        r = self.sluice("load", "r.csv", "--to", "x.db:t", "--ragged", "skip", code=3)
        self.assertIn("1 quarantined", r.message)
        self.assertEqual(rows(self.dir / "x.db"), [(1, 2), (4, 5)])

    def test_the_command_line_wins_over_the_environment(self):
        example = SOURCE / "configs" / "crime-top.json"
        for args, env, province in (((), {}, "GP"), ((), {"PROVINCE": "WC"}, "WC"),
                                    (("--set", "PROVINCE=EC"), {"PROVINCE": "WC"}, "EC")):
            out = self.sluice("run", example, *args, env={**self.env, **env}).out
            self.assertEqual({json.loads(line)["province"] for line in out.splitlines()}, {province})
        out = self.sluice("pipe", "input name=who", "--input", "who=Ada").out
        self.assertEqual(json.loads(out), "Ada")


class Load(Case):
    def test_load_reads_all_formats_and_gives_each_the_options_that_it_knows(self):
        self.file("b.csv", "a;b\n1;2\n")
        xml = self.file("a.xml", "<r><i><a>1</a></i></r>")
        for words, stdin, out in (
            (["b.csv", "a.xml", "-d", ";", "--path", "r.i"], None, '{"a":"1","b":"2"}\n{"a":"1"}\n'),
            (["-", "--from", "tsv"], b"a\tb\n1\t2\n", '{"a":"1","b":"2"}\n'),
            (["-", "--from", "xml", "--path", "r.i"], xml.read_bytes(), '{"a":"1"}\n'),
            (["-", "--from", "ndjson"], b'{"a":1}\n', '{"a":1}\n'),
        ):
            with self.subTest(words=words):
                self.assertEqual(self.sluice("load", *words, "--to", "-", stdin=stdin).out.decode(), out)

    def test_each_mode_keeps_or_replaces_as_it_says(self):
        self.file("a.csv", "id,v\n1,one\n2,two\n")
        self.file("b.csv", "id,v\n2,zwei\n3,drei\n")
        expected = {"append": [(1, "one"), (2, "two"), (2, "zwei"), (3, "drei")], "replace": [(2, "zwei"), (3, "drei")],
                    "upsert": [(1, "one"), (2, "zwei"), (3, "drei")], "ignore": [(1, "one"), (2, "two"), (3, "drei")]}
        for mode, result in expected.items():
            key = ("--key", "id") if mode in ("upsert", "ignore") else ()
            self.sluice("load", "a.csv", "--to", f"{mode}.db:t")
            self.sluice("load", "b.csv", "--to", f"{mode}.db:t", "--mode", mode, *key)
            self.assertEqual(rows(self.dir / f"{mode}.db"), result, mode)

    def test_types_by_evidence_or_by_request(self):
        self.file("t.csv", "i,r,t,z,big\n1,1.5,x,01,12345678901234567890\n2,2,y,02,1\n")
        self.sluice("load", "t.csv", "--to", "x.db:t")
        self.assertEqual(rows(self.dir / "x.db"),
                         [(1, 1.5, "x", "01", "12345678901234567890"), (2, 2.0, "y", "02", "1")])
        self.sluice("load", "t.csv", "--to", "x.db:t", "--type", "i=TEXT")
        self.assertEqual(rows(self.dir / "x.db", "SELECT i FROM t"), [("1",), ("2",)])

    def test_other_tables_are_left_alone(self):
        self.file("a.csv", "id\n1\n")
        self.sluice("load", "a.csv", "--to", "x.db:a")
        self.sluice("load", "a.csv", "--to", "x.db:b c")
        self.assertEqual(rows(self.dir / "x.db", 'SELECT (SELECT id FROM a), (SELECT id FROM "b c")'), [(1, 1)])

    def test_nothing_is_left_behind(self):
        self.sluice("load", CRIME, "--to", "x.db:t", "--to", "x.csv")
        self.assertEqual(self.names(), ["x.csv", "x.db"])


class Report(Case):
    def report(self, *args, code=0):
        self.sluice(*args, "--report", "r.json", code=code)
        return json.loads((self.dir / "r.json").read_text())

    def test_the_sum_balances(self):
        for pool in pools((1, 2)):
            r = self.report("pipe", f"csv url={CRIME} | filter rule.field=province rule.op=eq rule.value=GP", "--to", "x.csv", *pool)
            items = r["items"]
            self.assertTrue(r["balanced"])
            self.assertEqual(items["in"], 2000)
            self.assertEqual(items["in"], items["out"] + items["filtered"] + items["quarantined"])
            self.assertEqual(r["bytes"], CRIME.stat().st_size)
            self.assertEqual(r["sinks"], [{"to": "x.csv", "rows": items["out"], "committed": True}])

    def test_quarantined_items_count(self):
        self.file("r.csv", "a,b\n1,2\n3\n4,5\n")
        report = self.report("load", "r.csv", "--to", "x.csv", "--ragged", "skip", code=3)
        self.assertEqual((report["status"], report["exit_code"]), ("done", 3))
        items = report["items"]
        self.assertEqual((items["in"], items["out"], items["quarantined"]), (3, 2, 1))

    def test_a_failure_is_reported(self):
        self.file("r.csv", "a,b\n1,2\n3\n")
        r = self.report("load", "r.csv", "--to", "x.csv", code=1)
        self.assertEqual((r["status"], r["exit_code"]), ("failed", 1))
        self.assertIn("r.csv:3", r["error"])
        self.assertFalse(r["sinks"][0]["committed"])

    def test_pools_are_named(self):
        for args, pool in (((), "threads"), (("--threads=false",), "processes"), (("--parallel=false",), "inline")):
            r = self.report("load", STATIONS, "--to", "x.csv", "-j", "2", *args)
            self.assertEqual(r["pool"], pool)

    def test_verbose_prints_it(self):
        r = self.sluice("load", STATIONS, "--to", "x.csv", "-v")
        self.assertIn('"balanced": true', r.message)


if __name__ == "__main__":
    unittest.main()
