#!/usr/bin/env python3
"""Settings: all that a row of src/options/settings.def promises, for every row there is.

    SLUICE=build/dev/sluice test_settings.py"""

import json
import re
import sys

from program import SOURCE, Case, main

sys.path.insert(0, str(SOURCE / "docs"))
from generate_options import column, rows  # noqa: E402

MODULES = [{"type": "itembuilder", "conf": {"attrs": {"key": "a", "value": "1"}}}]
STEPS = "itembuilder attrs.key=a attrs.value=1"
# By kind or type, what is wrong with it.
WRONG = {"SWITCH": "maybe", "COUNT": "some", "SIZE": "12 apples", "CHOICE": "either", "FOLDER": "", "FOLDERS": "",
         "BOOL": "maybe", "INT": "some", "SECONDS": "soon"}


class Row:
    def __init__(self, row, name, kind, columns):
        self.row, self.name, self.kind, self.columns = row, name, kind, columns
        flag = re.search(r'FLAG\("([\w-]+)", (\S+), (\w+), (?:NULL|"(.*?)")\)', columns)
        self.flag, self.letter, self.arg, self.value = flag.groups() if flag else (None,) * 4
        self.help, self.accepts, self.zero = (column(columns, c) for c in ("HELP", "ACCEPTS", "DEFAULT_ZERO"))
        self.default = "0" if self.zero else column(columns, "DEFAULT")
        self.hidden, self.callers = (bool(re.search(rf"\b{c}\b", columns)) for c in ("HIDDEN", "CALLER"))
        limits = column(columns, "LIMITS")
        self.limits = [n.strip() for n in limits.split(",")] if limits else None
        self.of_http = row.startswith("HTTP")

    @property
    def key(self):
        return f"http.{self.name}" if self.of_http else self.name

    @property
    def commands(self):
        return ("run", "load", "pipe", "check", "plan") if self.row == "READING" else ("run", "load", "pipe")


ROWS = [Row(*row) for row in rows()]


class Settings(Case):
    def each(self, wanted):
        found = [r for r in ROWS if wanted(r)]
        self.assertGreater(len(found), 2)
        for r in found:
            with self.subTest(row=r.row, setting=r.name, flag=r.flag):
                yield r

    def definition(self, r, value):
        own = {"http": {r.name: value}} if r.of_http else {r.name: value}
        return self.file("d.json", json.dumps({**own, "modules": MODULES}))

    def test_flags_are_in_the_help_and_in_completion(self):
        helps = {c: self.sluice(c, "--help").out.decode() for c in ("run", "load", "pipe", "check", "plan", "convert")}
        for r in self.each(lambda r: r.flag):
            for command, text in helps.items():
                shown = not r.hidden and command in r.commands
                self.assertEqual(f"--{r.flag} " in re.sub(r"[\[\n]", " ", text), shown, command)
                offered = self.sluice("complete", command, f"--{r.flag}").out.decode()
                self.assertEqual(f"--{r.flag}\t" in offered, shown, command)

    def test_the_help_says_what_the_row_says(self):
        text = re.sub(r"\s+", " ", self.sluice("run", "--help").out.decode())
        for r in self.each(lambda r: r.flag and not r.hidden):
            letter = "" if r.letter == "0" else f"-{r.letter[1]}, "
            value = "" if r.arg == "FLAG" else f"[={r.value}]" if r.arg == "OPTIONAL" else f" {r.value}"
            zero = f": {r.zero}" if r.zero else ""
            default = "" if r.arg == "FLAG" or r.default is None else f" (default {r.default}{zero})"
            self.assertIn(f"{letter}--{r.flag}{value} {r.help}{default}", text)

    def test_the_schema_says_what_the_row_says(self):
        schema = json.loads(self.sluice("schema").out)["$defs"]
        top, http = schema["pipeline"]["properties"], schema["http"]["else"]["properties"]
        for r in self.each(lambda r: r.row != "ALSO"):
            here = (http if r.of_http else top).get(r.name)
            self.assertEqual(here is None, r.callers)
            if here:
                self.assertIn(r.help, here["description"])
                self.assertEqual(here.get("default"), r.default and (json.loads(r.default) if re.fullmatch(r"\d+|true|false", r.default) else r.default))
            if here and r.kind in ("COUNT", "INT") and r.limits:
                self.assertEqual([here["minimum"], here["maximum"]], [int(n) for n in r.limits])

    def test_defaults_are_accepted_from_flags_and_definitions(self):
        for r in self.each(lambda r: r.default and r.row != "ALSO"):
            if r.flag:
                self.sluice("pipe", STEPS, "-q", f"--{r.flag}" if r.arg == "FLAG" else f"--{r.flag}={r.default}")
            if not r.callers:
                self.sluice("run", self.definition(r, r.default), "-q")

    def test_what_is_wrong_is_refused_wherever_it_is_said(self):
        for r in self.each(lambda r: r.kind in WRONG):
            if r.flag and r.arg != "FLAG":
                self.assertIn(r.name, self.sluice("pipe", STEPS, f"--{r.flag}={WRONG[r.kind]}", code=2).message)
            if not r.callers:
                self.assertIn(r.name, self.sluice("run", self.definition(r, WRONG[r.kind]), code=2).message)

    def test_messages_name_the_limits(self):
        for r in self.each(lambda r: r.kind == "COUNT"):
            least, most = map(int, r.limits)
            for n in (least, min(most, 1024)):
                self.sluice("pipe", STEPS, "-q", "--parallel=false", f"--{r.flag}={n}")
            for n in (least - 1, most + 1):
                message = self.sluice("pipe", STEPS, f"--{r.flag}={n}", code=2).message
                self.assertIn(f"'{r.name}' must be {least} to {most}{f' (0: {r.zero})' if r.zero else ''}, got '{n}'", message)

    def test_what_the_caller_alone_says_no_definition_can(self):
        for r in self.each(lambda r: r.callers):
            self.assertIn("is for whoever runs a definition to say", self.sluice("run", self.definition(r, "true"), code=2).message)

    def test_names_that_are_nearly_right(self):
        for r in self.each(lambda r: len(r.name) > 4 and r.help and not r.of_http and r.row != "ALSO"):
            wrong = r.name[:-1]
            message = self.sluice("run", self.file("d.json", json.dumps({wrong: 1, "modules": MODULES})), code=2).message
            self.assertEqual(f"did you mean '{r.name}'?" in message, not r.callers, message)


if __name__ == "__main__":
    main()
