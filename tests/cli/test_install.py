#!/usr/bin/env python3
"""What `cmake --install` puts into a folder can be used from there, wherever the folder is moved: by C programs, through pkg-config and CMake, over
the shared library and over the archive.

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
EXAMPLES = SOURCE / "docs" / "api"
CRIME_TOP = SOURCE / "configs" / "crime-top.json"

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
    ("pipes",),
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

    def link(self, folder, package="sluice", name="pull"):
        """The line of the comment of an example, run by a shell in a folder that has nothing but the example; returns the program."""
        example = EXAMPLES / f"{name}.c"
        line = re.search(r"^ \*     (cc .*)$", example.read_text(), re.M).group(1)
        self.assertIn("pkg-config --cflags --libs sluice", line)
        line = line.replace("--libs sluice", f"--libs {package}")
        sanitizers = cached("SLUICE_SANITIZE")
        if sanitizers:
            line += f" -fsanitize={sanitizers}"
        pc = next(folder.rglob("sluice.pc")).parent
        work = Path(tempfile.mkdtemp(dir=self.dir))
        shutil.copy(example, work)
        # An eval, as pkg-config quotes blanks for one.
        self.done("bash", "-c", f'eval "{line}"', cwd=work, env={**os.environ, "PKG_CONFIG_PATH": str(pc)})
        return work / name

    def expect_works(self, program, shared):
        self.assertRegex(self.done(program, CRIME_TOP, "GP", cwd=program.parent), r"\A(?s:GP\n.*  together +\d+\n)\Z")
        needs = self.done("objdump", "-p", program)
        (self.assertRegex if shared else self.assertNotRegex)(needs, r"NEEDED +libsluice\.so\.\d+\n")

    def test_the_lines_of_the_examples_link(self):
        self.installed(self.dir / "usr")
        for name in ("pull", "push", "callback", "embed_in_a_server"):
            for package in "sluice", "sluice-static":
                with self.subTest(name, package=package):
                    program = self.link(self.dir / "usr", package, name)
                    if name == "pull":
                        self.expect_works(program, package == "sluice")

    def test_the_archive_alone_links(self):
        self.installed(self.dir / "usr")
        for file in (self.dir / "usr").rglob("libsluice.so*"):
            file.unlink()
        self.expect_works(self.link(self.dir / "usr", "--static sluice"), False)

    def test_the_folder_may_be_staged_and_moved(self):
        self.installed("/opt/sluice", DESTDIR=str(self.dir / "stage"))
        moved = self.dir / "elsewhere"
        (self.dir / "stage" / "opt" / "sluice").rename(moved)
        self.expect_works(self.link(moved), True)
        self.expect_works(self.link(moved, "sluice-static"), False)
        for kind in "sluice", "static":
            self.expect_works(self.build(moved, kind), kind == "sluice")
        for file in moved.rglob("sluice*.pc"):
            self.assertNotIn("/usr/local", file.read_text())
        program = moved / "bin" / "sluice"
        if program.exists():
            self.assertRegex(self.done(program, "--version"), r"^sluice \d")

    def build(self, prefix, kind):
        """A project of two lines over sluice::KIND, found below PREFIX; returns its program."""
        work = Path(tempfile.mkdtemp(dir=self.dir))
        shutil.copy(EXAMPLES / "pull.c", work)
        (work / "CMakeLists.txt").write_text(f"""cmake_minimum_required(VERSION 3.25)
project(host C)
find_package(sluice REQUIRED)
add_executable(pull pull.c)
target_link_libraries(pull sluice::{kind})
""")
        sanitizers = cached("SLUICE_SANITIZE")
        flags = [f"-DCMAKE_C_FLAGS=-fsanitize={sanitizers}"] if sanitizers else []
        self.done("cmake", "-S", work, "-B", work / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", *flags)
        self.done("cmake", "--build", work / "build")
        return work / "build" / "pull"

    def test_the_cmake_package_has_both_libraries(self):
        self.installed(self.dir / "usr")
        for kind in "sluice", "static":
            with self.subTest(kind):
                self.expect_works(self.build(self.dir / "usr", kind), kind == "sluice")

    def test_the_shared_library_exports_what_the_header_declares(self):
        self.installed(self.dir / "usr")
        library = next((self.dir / "usr").rglob("libsluice.so"))
        header = (SOURCE / "src" / "sluice.h").read_text()
        code = re.sub(r"/\*.*?\*/|^#.*?$|\bstatic .*?;", "", header, flags=re.S | re.M)
        declared = set(re.findall(r"(\bsl_\w+)\([^()]*(?:\([^()]*\)[^()]*)*\);", code))
        symbols = re.findall(r"^\w+ ([A-Z]) (\w+)", self.done("nm", "-D", "--defined-only", "--with-symbol-versions", library), re.M)
        self.assertEqual({name for kind, name in symbols if kind != "A"}, declared)
        self.assertGreater(len(declared), 50)
        self.assertRegex(self.done("objdump", "-p", library), r"SONAME +libsluice\.so\.\d+\n")

    def test_a_program_over_the_shared_library_opens_what_it_needs(self):
        self.installed(self.dir / "usr")
        program = self.link(self.dir / "usr")
        definition = self.written_answer()
        self.assertIn("together                      42\n", self.done(program, definition, "GP"))
        next((self.dir / "usr").rglob("sluice-luajit.so")).unlink()
        p = subprocess.run([program, definition, "GP"], capture_output=True, text=True, check=False)
        self.assertEqual(p.returncode, 1, p.stderr)
        self.assertIn("LuaJIT is needed here and cannot be opened", p.stderr)

    def written_answer(self):
        """A definition that needs Lua."""
        definition = self.dir / "pipeline.json"
        item = {"type": "itembuilder", "conf": {"attrs": {"key": "n", "value": 40}}}
        definition.write_text(json.dumps([item, {"type": "udf", "conf": {"lua": "{incidents = item.n + 2}"}}]))
        return definition

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
        program = self.link(self.dir / "usr", "sluice-static")
        shutil.rmtree(next((self.dir / "usr").rglob("sluice-curl.so")).parent)
        self.assertIn("together                      42\n", self.done(program, self.written_answer(), "GP"))

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
