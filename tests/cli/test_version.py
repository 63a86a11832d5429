#!/usr/bin/env python3
"""The version is the one that the last tag v* of the checkout says; files without a checkout have one as well.

    SLUICE=build/dev/sluice BUILD_DIR=build/dev test_version.py"""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from program import SOURCE, Case, main

BUILD = Path(os.environ.get("BUILD_DIR", SOURCE / "build" / "dev"))
LISTS = """cmake_minimum_required(VERSION 3.25)
include(cmake/version.cmake)
project(tree VERSION ${SLUICE_VERSION_NUMBER} LANGUAGES NONE)
message(STATUS "version ${SLUICE_VERSION}, numbers ${PROJECT_VERSION}")
"""
FALLBACK = re.search(r"^set\(SLUICE_VERSION ([\d.]+)\)$", (SOURCE / "cmake" / "version.cmake").read_text(), re.M).group(1)


class Version(Case):
    """Trees that have nothing but what decides the version."""

    def setUp(self):
        super().setUp()
        self.env = {k: v for k, v in self.env.items() if not k.startswith("GIT_")}
        self.env.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull, GIT_AUTHOR_NAME="t", GIT_AUTHOR_EMAIL="t@t",
                        GIT_COMMITTER_NAME="t", GIT_COMMITTER_EMAIL="t@t")
        self.tree = self.copy(self.dir / "tree")

    def copy(self, tree):
        (tree / "cmake").mkdir(parents=True)
        for name in (".gitattributes", "cmake/version.cmake", "cmake/version.txt"):
            shutil.copy(SOURCE / name, tree / name)
        (tree / "CMakeLists.txt").write_text(LISTS)
        return tree

    def done(self, *words, cwd):
        p = subprocess.run(words, cwd=cwd, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(p.returncode, 0, p.stdout)
        return p.stdout

    def git(self, *words):
        return self.done("git", *words, cwd=self.tree)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "work")

    def checkout(self, tag):
        self.git("init", "-q")
        self.commit()
        self.git("tag", tag)

    def found(self, tree):
        said = self.done("cmake", "-S", tree, "-B", tree / "build", "-G", "Ninja", cwd=self.dir).decode()
        return re.search(r"version (\S+), numbers (\S+)", said).groups()

    @unittest.skipUnless(shutil.which("git"), "there is no git")
    def test_a_tag_is_the_version_and_later_commits_say_how_far_they_are(self):
        self.checkout("v7.8.9")
        self.assertEqual(self.found(self.tree), ("7.8.9", "7.8.9"))
        self.commit()
        self.git("tag", "unrelated")
        version, numbers = self.found(self.tree)
        self.assertRegex(version, r"^7\.8\.9-1-g[0-9a-f]+$")
        self.assertEqual(numbers, "7.8.9")

    @unittest.skipUnless(shutil.which("git"), "there is no git")
    def test_a_build_notices_a_new_commit(self):
        self.checkout("v7.8.9")
        self.found(self.tree)
        self.commit()
        self.assertIn(b"version 7.8.9-1-g", self.done("cmake", "--build", self.tree / "build", cwd=self.dir))

    @unittest.skipUnless(shutil.which("git"), "there is no git")
    def test_an_archive_of_a_tag_has_its_version(self):
        self.checkout("v7.8.9")
        self.git("archive", "--prefix=unpacked/", "-o", str(self.dir / "a.tar"), "HEAD")
        self.done("tar", "-xf", "a.tar", cwd=self.dir)
        self.assertEqual(self.found(self.dir / "unpacked"), ("7.8.9", "7.8.9"))

    @unittest.skipUnless(shutil.which("git"), "there is no git")
    def test_a_copy_within_another_checkout_does_not_have_the_version_of_that(self):
        self.checkout("v7.8.9")
        self.assertEqual(self.found(self.copy(self.tree / "vendor")), (FALLBACK, FALLBACK))

    @unittest.skipUnless(shutil.which("git"), "there is no git")
    def test_a_checkout_without_a_tag_has_the_version_of_its_files(self):
        self.checkout("victory")
        self.assertEqual(self.found(self.tree), (FALLBACK, FALLBACK))

    def test_files_without_git_have_a_version(self):
        self.env["PATH"] = str(self.dir)
        for program in ("cmake", "ninja"):
            (self.dir / program).symlink_to(shutil.which(program))
        self.assertEqual(self.found(self.tree), (FALLBACK, FALLBACK))

    def test_program_package_and_header_agree(self):
        version = re.fullmatch(r"sluice (\S+)\n", self.sluice("--version").out.decode()).group(1)
        self.assertIn(f"Version: {version}\n", (BUILD / "sluice.pc").read_text())
        numbers = re.findall(r"^#define SL_VERSION_\w+ (\d+)$", (BUILD / "sluice_version.h").read_text(), re.M)
        self.assertEqual(re.match(r"\d+\.\d+\.\d+", version).group(), ".".join(numbers))


if __name__ == "__main__":
    main()
