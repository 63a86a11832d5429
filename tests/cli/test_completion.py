#!/usr/bin/env python3
"""Completion of the command line: what `sluice complete` offers is what the program takes, and the shells show it.

    SLUICE=build/dev/sluice BUILD_DIR=build/dev test_completion.py"""

import os
import re
import shutil
import subprocess
import unittest

from program import PROGRAM, SOURCE, Case, run
from test_command_line import described

SCRIPTS = {shell: SOURCE / "src" / "cli" / f"complete.{shell}" for shell in ("bash", "zsh", "fish")}
INSTALLED = {
    "bash": "share/bash-completion/completions/sluice",
    "zsh": "share/zsh/site-functions/_sluice",
    "fish": "share/fish/vendor_completions.d/sluice.fish",
}


def lines(*words):
    return run("complete", *words).out.decode().splitlines()


def offered(*words):
    """The candidates without what they mean, and without what is for the shell."""
    return [line.partition("\t")[0] for line in lines(*words) if not line.startswith("@")]


def commands():
    return re.findall(r"^  (?!sluice)([a-z]+) +[A-Z]", run("--help").out.decode(), re.M)


def paths(options, before=""):
    for option in options:
        if "rule" in option:
            yield from paths(option["rule"], f"{before}{option['name']}.")
        else:
            yield before + option["name"], option


class Candidates(Case):
    def test_commands_are_offered(self):
        self.assertGreater(len(commands()), 8)
        self.assertEqual(offered(""), [*commands(), "help"])
        self.assertEqual(offered("help", ""), [*commands(), "help"])
        self.assertEqual(offered("con"), ["convert"])
        self.assertEqual(offered("--v"), ["--version"])
        self.assertEqual(offered("nonsense", ""), [])

    def test_options_are_those_of_the_help(self):
        for command in commands():
            shown = re.findall(r"^  (?:-.,|   ) (--[a-z-]+)", run(command, "--help").out.decode(), re.M)
            self.assertEqual(sorted(offered(command, "--")), sorted(shown), command)
            self.assertIn("--help", shown)
        self.assertIn("-j", offered("run", "-"))
        self.assertEqual(lines("run", "--lim"), ["--limit\tstop after N items (default 0: all)"])

    def test_the_value_of_an_option_is_not_taken_for_a_word(self):
        self.assertEqual(lines("run", "--report", ""), ["@files"])
        self.assertEqual(lines("run", "--report", "x", ""), ["@definitions"])
        self.assertEqual(lines("run", "-qj", "4", ""), ["@definitions"])
        self.assertEqual(lines("run", "-j4", ""), ["@definitions"])
        self.assertEqual(lines("run", "--cache-dir", ""), ["@folders"])
        self.assertEqual(lines("run", "--", "-"), ["@definitions"])
        self.assertEqual(lines("run", "--limit", "-"), [])
        self.assertEqual(lines("load", ""), ["@files"])
        self.assertEqual(lines("check", ""), ["@definitions"])
        self.assertEqual(offered("cache", "p"), ["prune"])
        for words, expected in (
            (["--parallel=f"], ["--parallel=false"]),
            (["--parallel", "=", "f"], ["false"]),
            (["--parallel", "="], ["true", "false"]),
            (["--format", "=", "j"], ["jsonl", "json"]),
            (["--format=js"], ["--format=jsonl", "--format=json"]),
        ):
            self.assertEqual(offered("run", *words), expected, words)

    def test_choices_are_taken_by_the_program_and_told_in_the_help(self):
        table = self.file("t.csv", "id,a\n1,x\n")
        told = dict(line.split("\t") for line in lines("load", "--"))
        for option in ("mode", "nested", "quotes", "ragged", "from", "format"):
            values = offered("load", f"--{option}", "")
            self.assertGreater(len(values), 1, option)
            for value in values:
                self.assertIn(value, told[f"--{option}"], option)
                key = ["--key", "id"] if value in ("upsert", "ignore") else []
                to = "-" if option == "format" else "x.db:t"
                r = self.sluice("load", table, "--to", to, *key, f"--{option}", value, code=None)
                self.assertNotEqual(r.code, 2, r.message)
        for option in ("parallel", "threads", "ordered"):
            for value in offered("run", f"--{option}", "=", ""):
                self.sluice("pipe", "forever | truncate 1", f"--{option}={value}")

    def test_pipes_are_offered(self):
        names = [pipe["name"] for pipe in described(self)]
        self.assertEqual(offered("pipes", ""), names)
        for text in ("", "'", '"'):
            self.assertEqual(offered("pipe", text), names)
        self.assertEqual(offered("pipe", "csv url=a|"), [f"csv url=a|{name}" for name in names])
        self.assertEqual(offered("pipe", "'csv url=\"a | b\" | trun"), ['csv url="a | b" | truncate'])
        self.assertEqual(lines("pipe", "csv")[0], "@open")

    def test_keys_of_every_pipe_are_offered(self):
        for pipe in described(self):
            head = f"forever | {pipe['name']} "
            keys = [key for key in offered("pipe", head) if "@" not in key]
            self.assertEqual(keys, [f"{head}{path}=" for path, _ in paths(pipe["options"])])
            for path, option in paths(pipe["options"]):
                values = option.get("values", ["true", "false"] if option["type"] == "bool" else [])
                if values and "http" not in path:
                    self.assertEqual(offered("pipe", f"{head}{path}="), [f"{head}{path}={value}" for value in values])
        self.assertEqual(offered("pipe", "truncate count="), [])

    def test_keys_in_lists_and_call_options_are_offered(self):
        self.assertEqual(offered("pipe", "filter rule.1.op=is"), ["filter rule.1.op=is", "filter rule.1.op=isnot"])
        self.assertEqual(offered("pipe", "hash @e"), ["hash @emit="])
        self.assertEqual(offered("pipe", "loop @e"), ["loop @embed=", "loop @emit="])
        self.assertEqual(offered("pipe", "sort @"), [])
        self.assertEqual(offered("pipe", "nosuchpipe "), [])


class Shells(Case):
    def setUp(self):
        super().setUp()
        (self.dir / "sluice").symlink_to(shutil.which(PROGRAM))
        self.env["PATH"] = f"{self.dir}:{os.environ['PATH']}"
        for name in ("one.json", "two.csv"):
            self.file(name, "")

    def shell(self, *words):
        r = subprocess.run(words, cwd=self.dir, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual((r.returncode, r.stderr), (0, ""), words)
        return r.stdout.splitlines()

    def bash(self, *words):
        """What the function leaves in COMPREPLY; compopt works in a completion only."""
        text = 'source "$1"; shift; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; printf "%s\\n" "${COMPREPLY[@]}"'
        return self.shell("bash", "-c", text, "bash", SCRIPTS["bash"], "sluice", *words)

    def test_bash_completes(self):
        self.assertEqual(self.bash("conv"), ["convert"])
        self.assertEqual(self.bash("run", "--mem"), ["--memory"])
        self.assertEqual(self.bash("run", "--parallel", "=", "f"), ["false"])
        self.assertEqual(self.bash("run", "o"), ["one.json"])
        self.assertEqual(self.bash("run", "t"), [""])
        self.assertEqual(self.bash("load", "--to", "t"), ["two.csv"])
        self.assertEqual(self.bash("run", "--cache-dir", "sp"), ["spill"])
        self.assertEqual(self.bash("pipe", "'csv url=x | filt"), ["csv url=x | filter"])

    @unittest.skipUnless(shutil.which("fish"), "no fish here")
    def test_fish_completes(self):
        def complete(line):
            text = f'source {SCRIPTS["fish"]}; complete -C "{line}"'
            return [found.partition("\t")[0] for found in self.shell("fish", "--no-config", "-c", text)]

        self.assertEqual(complete("sluice conv"), ["convert"])
        self.assertEqual(complete("sluice run --parallel=f"), ["--parallel=false"])
        self.assertEqual(complete("sluice run o"), ["one.json"])
        self.assertEqual(complete("sluice load --to t"), ["two.csv"])
        self.assertEqual(complete("sluice pipe 'csv url=x | filt"), ["csv url=x | filter"])

    @unittest.skipUnless(shutil.which("zsh"), "no zsh here")
    def test_zsh_completes(self):
        """With a compadd that shows what it is given, as zsh has no other way to complete without a terminal."""
        (self.dir / "_sluice").write_bytes(SCRIPTS["zsh"].read_bytes())
        text = """
            fpath=("$PWD" $fpath)
            autoload -Uz _sluice
            compadd() { print -l -- $found }
            compset() { PREFIX=${PREFIX#*=} }
            _files() { print -- files "$@" }
            complete_of() { words=("$@"); CURRENT=$#; PREFIX=${words[-1]#\\'}; _sluice }
            complete_of sluice conv
            complete_of sluice run --parallel=f
            complete_of sluice run o
            complete_of sluice pipe "'csv url=x | filt" """
        self.assertEqual(self.shell("zsh", "-f", "-c", text), ["convert", "false", "files -g *.json", "csv url=x | filter"])

    def test_scripts_are_installed_where_the_shells_look(self):
        prefix = self.dir / "prefix"
        self.shell("cmake", "--install", os.environ["BUILD_DIR"], "--prefix", str(prefix))
        for shell, place in INSTALLED.items():
            self.assertEqual((prefix / place).read_bytes(), SCRIPTS[shell].read_bytes())
        self.assertTrue((prefix / "share" / "sluice" / "pipeline.schema.json").is_file())
        self.assertTrue((prefix / "share" / "man" / "man1" / "sluice.1").is_file())


if __name__ == "__main__":
    unittest.main()
