#!/usr/bin/env python3
"""What `cmake --install` puts into a folder can be used from there: by pkg-config, wherever the folder is moved, and by a C program.

    BUILD_DIR=build/dev test_install.py"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build" / "dev"))
EXAMPLE = SOURCE / "docs" / "api-example.c"

# What needs each library that is opened on demand, and what that one is called.
FOREIGN = {"curl": "lib(curl|ssl|crypto)", "xml2": "libxml2", "icu": "libicu", "luajit": "libluajit"}
ON_DEMAND = {
    "curl": ("pipe", "csv url=http://127.0.0.1:1/x.csv", "--retry", "0"),
    "icu": ("pipe", "itembuilder attrs.key=content attrs.value=1 | currencyformat"),
    "luajit": ("pipe", "itembuilder attrs.key=a attrs.value=1 | udf lua='1'"),
    "xml2": ("pipe", f"fetchdata url={SOURCE}/data/stations.xml"),
}
CRIME = SOURCE / "data" / "crime.csv"
LOCAL = (
    ("--help",),
    ("load", CRIME, "--to", "crime.db:crime"),
    ("check", SOURCE / "configs" / "crime-top.json"),
    ("plan", SOURCE / "configs" / "crime-top.json"),
    ("run", SOURCE / "configs" / "crime-top.json"),
)


def cached(name):
    """A variable of the build."""
    found = re.search(rf"^{name}:\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M)
    return found.group(1) if found else ""


class Install(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="sluice install "))  # a blank in the name is nothing special
        self.addCleanup(shutil.rmtree, self.dir, True)

    def done(self, *words, **more):
        p = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)
        self.assertEqual(p.returncode, 0, p.stdout)
        return p.stdout

    def installed(self, prefix, **env):
        self.done("cmake", "--install", BUILD, "--prefix", prefix, env={**os.environ, **env})

    def link(self, folder):
        """The line of the example's own comment, run by a shell."""
        line = re.search(r"^ \*     (cc .*)$", EXAMPLE.read_text(), re.M).group(1)
        self.assertIn("pkg-config", line)
        sanitizers = cached("SLUICE_SANITIZE")
        if sanitizers:
            line += f" -fsanitize={sanitizers}"
        pc = next(folder.rglob("sluice.pc")).parent
        work = self.dir / "work"
        work.mkdir()
        shutil.copy(EXAMPLE, work)
        # An eval, as pkg-config quotes blanks for one.
        self.done("bash", "-c", f'eval "{line}"', cwd=work, env={**os.environ, "PKG_CONFIG_PATH": str(pc)})
        return self.done(work / "api-example", SOURCE / "configs" / "crime-top.json", SOURCE / "data" / "crime.csv", cwd=work)

    def test_the_line_of_the_example_links(self):
        self.installed(self.dir / "usr")
        self.assertIn("-- from a file", self.link(self.dir / "usr"))

    def test_the_folder_may_be_staged_and_moved(self):
        self.installed("/opt/sluice", DESTDIR=str(self.dir / "stage"))
        moved = self.dir / "elsewhere"
        (self.dir / "stage" / "opt" / "sluice").rename(moved)
        self.assertIn("-- from a file", self.link(moved))
        text = next(moved.rglob("sluice.pc")).read_text()
        self.assertNotIn("/usr/local", text)
        program = moved / "bin" / "sluice"
        if program.exists():
            self.assertRegex(self.done(program, "--version"), r"^sluice \d")

    def test_libraries_are_opened_where_the_folder_has_been_moved_to(self):
        self.installed(self.dir / "usr")
        moved = self.dir / "elsewhere"
        (self.dir / "usr").rename(moved)
        for name, uses in ON_DEMAND.items():
            with self.subTest(name):
                p = self.program(moved, *uses)
                self.assertNotIn("cannot be opened", p.stderr)
                self.assertIn(name, self.opened(moved, *uses))
                file = next(moved.rglob(f"sluice-{name}.so"))
                file.unlink()
                p = self.program(moved, *uses)
                self.assertEqual(p.returncode, 1, p.stderr)
                self.assertRegex(p.stderr, rf"is needed here and cannot be opened: .*; install it, and '{file.name}' .* in '.*/sluice'")
                self.assertIn(str(file.parent), self.real_names(p.stderr))

    def test_check_and_plan_tell_what_a_pipeline_will_miss(self):
        self.installed(self.dir / "usr")
        definition = self.dir / "pipeline.json"
        missed = {
            "curl": {"type": "csv", "conf": {"url": "http://127.0.0.1:1/x.csv"}},
            "xml2": {"type": "fetch", "conf": {"url": "news.xml"}},
            "luajit": {"type": "udf", "conf": {"lua": "1"}},
        }
        for name, pipe in missed.items():
            next((self.dir / "usr").rglob(f"sluice-{name}.so")).unlink()
            definition.write_text(json.dumps([{"type": "input"}, pipe] if name == "luajit" else [pipe]))
            for command in ("check", "plan"):
                with self.subTest(name, command=command):
                    p = self.program(self.dir / "usr", command, definition)
                    self.assertEqual(p.returncode, 1, p.stderr)
                    self.assertRegex(p.stderr, rf"pipeline.json:1:\d+: step \d .*: .* is needed here .*'sluice-{name}.so'")

    def test_what_belongs_to_another_version_is_refused(self):
        self.installed(self.dir / "usr")
        folder = next((self.dir / "usr").rglob("sluice-curl.so")).parent
        shutil.copy(folder / "sluice-luajit.so", folder / "sluice-curl.so")
        p = self.program(self.dir / "usr", *ON_DEMAND["curl"])
        self.assertEqual(p.returncode, 1, p.stderr)
        self.assertRegex(p.stderr, r"libcurl is needed here, but '.*/sluice-curl.so' is of another version of sluice: install")

    def test_a_program_over_the_archive_opens_nothing(self):
        self.installed(self.dir / "usr")
        self.link(self.dir / "usr")
        shutil.rmtree(next((self.dir / "usr").rglob("sluice-curl.so")).parent)
        definition = self.dir / "pipeline.json"
        item = {"type": "itembuilder", "conf": {"attrs": {"key": "n", "value": 40}}}
        definition.write_text(json.dumps([item, {"type": "udf", "conf": {"lua": "{n = item.n + 2}"}}]))
        self.assertIn('{"n":42}', self.done(self.dir / "work" / "api-example", definition, CRIME))

    def test_a_run_over_a_local_file_opens_none(self):
        self.installed(self.dir / "usr")
        for words in LOCAL:
            with self.subTest(" ".join(map(str, words))):
                self.assertEqual(self.opened(self.dir / "usr", *words), set())

    def program(self, prefix, *words, **env):
        program = next(prefix.rglob("bin/sluice"))
        return subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False, env={**os.environ, **env}, cwd=self.dir)

    def opened(self, prefix, *words):
        """The libraries that WORDS have opened, by the loader's own notes."""
        notes = self.dir / "notes"
        notes.mkdir()
        self.program(prefix, *words, LD_DEBUG="files", LD_DEBUG_OUTPUT=str(notes / "of"))
        text = "".join(p.read_text() for p in notes.iterdir())
        shutil.rmtree(notes)
        self.assertIn("libgmp", text)
        return {name for name, library in FOREIGN.items() if re.search(rf"file={library}|sluice-{name}", text)}

    @staticmethod
    def real_names(text):
        return [os.path.realpath(name) for name in re.findall(r"'(/[^']*)'", text)]

    def prefix_of(self, *options):
        build = self.dir / "build"
        self.done("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DSLUICE_TESTS=OFF", *options)
        text = (build / "sluice.pc").read_text()
        shutil.rmtree(build)
        return dict(re.findall(r"^(\w+)=(.*)$", text, re.M))

    def test_the_package_names_other_folders(self):
        found = self.prefix_of("-DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu")
        self.assertEqual(found["prefix"], "${pcfiledir}/../../..")
        self.assertEqual(found["libdir"], "${prefix}/lib/x86_64-linux-gnu")
        found = self.prefix_of("-DCMAKE_INSTALL_LIBDIR=/srv/lib", "-DCMAKE_INSTALL_PREFIX=/srv")
        self.assertEqual((found["prefix"], found["libdir"]), ("/srv", "/srv/lib"))


if __name__ == "__main__":
    if not (BUILD / "CMakeCache.txt").exists():
        sys.exit("set BUILD_DIR to a build")
    unittest.main(verbosity=2)
