#!/usr/bin/env python3
"""The mistakes that newcomers make: each message says what is wrong and what to do.

    SLUICE=build/dev/sluice test_mistakes.py"""

import bz2
import gzip
import io
import lzma
import os
import shutil
import sqlite3
import tarfile
import unittest
import zipfile

from program import SOURCE, Case, main

DATA = SOURCE / "data"
TO = ("--to", "x.db:t")


def zipped(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name in names:
            z.writestr(name, "a,b\n1,2\n")
    return out.getvalue()


def tarred(name):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        info = tarfile.TarInfo(name)
        info.size = 8
        t.addfile(info, io.BytesIO(b"a,b\n1,2\n"))
    return out.getvalue()


FOREIGN = {
    "a.zip": (zipped("crime.csv"), "this is a zip archive; unpack it first: unzip -p FILE | sluice load - --from csv"),
    "a.xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "this is an Excel workbook; save the sheet you want as CSV"),
    "a.ods": (b"PK\3\4\x14\0\0\0\0\0" + b"\0" * 20 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "this is an OpenDocument file"),
    "a.tar": (tarred("crime.csv"), "this is a tar archive; unpack it first: tar -xOf FILE NAME"),
    "a.tar.gz": (gzip.compress(tarred("crime.csv")), "this is a tar archive"),
    "a.csv.xz": (lzma.compress(b"a,b\n1,2\n"), "this is a file packed by xz; unpack it first: xz -dc FILE"),
    "a.csv.bz2": (bz2.compress(b"a,b\n1,2\n"), "this is a file packed by bzip2; unpack it first: bzip2 -dc FILE"),
    "a.7z": (b"7z\xbc\xaf\x27\x1c\0\4" + b"x" * 30, "this is a 7z archive"),
    "a.rar": (b"Rar!\x1a\x07\x00" + b"x" * 30, "this is a rar archive"),
    "a.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 30, "this is an old office file (.xls, .doc); save the sheet"),
    "a.parquet": (b"PAR1" + b"x" * 30 + b"PAR1", "this is a Parquet file"),
    "a.pdf": (b"%PDF-1.4\n%x\n", "this is a PDF document"),
}


class Mistakes(Case):
    def setUp(self):
        super().setUp()
        for name in ("crime.csv", "crime.json", "crime.jsonl"):
            shutil.copy(DATA / name, self.dir)
        (self.dir / "folder").mkdir()

    def says(self, text, *args, code=2, **more):
        with self.subTest(args=args):
            r = self.sluice(*args, code=code, **more)
            self.assertIn(text, r.message)
            self.assertEqual(len(r.message.splitlines()), 1, r.message)
            self.assertFalse((self.dir / "x.db").exists())

    def test_foreign_files_are_recognised(self):
        for name, (data, text) in FOREIGN.items():
            self.file(name, data)
            self.says(text, "load", name, *TO, code=1)
            self.says(text, "load", "-", *TO, code=1, stdin=data)
            self.says(text, "load", "-", "--from", "jsonl", *TO, code=1, stdin=data)
            self.file("data.csv", data)
            self.says(text, "load", "data.csv", *TO, code=1)
            self.says(text, "pipe", "fetchdata url=data.csv type=json", code=1)
            self.says(text, "load", name, *TO, "--threads=false", code=1)

    def test_a_database_is_read_by_another_pipe(self):
        with sqlite3.connect(self.dir / "a.db") as db:
            db.execute("CREATE TABLE t(a)")
        db.close()
        self.says("this is a SQLite database; fetchtable reads it: sluice pipe 'fetchtable url=FILE table=NAME'", "load", "a.db", *TO,
                  code=1)

    def test_json_and_xml_are_recognised_in_the_place_of_csv(self):
        for data, name in (((DATA / "crime.json").read_bytes(), "json"), ((DATA / "crime.jsonl").read_bytes(), "jsonl"),
                           (b'[{"a": 1}]', "json"), (b'\xef\xbb\xbf [ [1, 2] ]', "json"), (b'{\n "a": 1\n}\n', "json")):
            text = f"this is JSON, not csv: --from {name} reads it (fetchdata with type={name} in steps)"
            self.says(text, "load", "-", *TO, code=1, stdin=data)
        self.says("this is XML, not csv", "load", "-", *TO, code=1, stdin=b'<?xml version="1.0"?><a/>')
        self.sluice("load", "-", "--from", "jsonl", "--to", "y.db:t", stdin=(DATA / "crime.jsonl").read_bytes())

    def test_what_only_looks_a_little_like_it_is_loaded(self):
        for data in (b"{a},[b]\n1,2\n", b"[a],b\n1,2\n", b"PK,b\n1,2\n", b"<a>,b\n1,2\n", b"BZ,b\n1,2\n", b"Obj,b\n1,2\n"):
            self.sluice("load", "-", "--to", "y.db:t", "-q", stdin=data)

    def test_a_misspelt_definition_has_a_suggestion(self):
        for command in ("run", "check", "plan", "convert"):
            self.says(f"cannot open 'nope.json': No such file or directory; it was looked for in '{self.dir}'", command, "nope.json")
            self.file("crime-top.json", "[]")
            self.says("cannot open 'crime-topp.json': No such file or directory, did you mean 'crime-top.json'?", command,
                      "crime-topp.json")
            self.says(f"there is no folder '{self.dir}/configs'", command, "configs/x.json")
            self.says("'crime.csv' is data, not a definition; sluice load crime.csv --to out.db:table loads it", command, "crime.csv")
            self.says("which definition?", command)

    def test_sources_that_cannot_be_read_have_a_suggestion(self):
        self.says("did you mean 'crime.csv'?", "load", "crme.csv", *TO, code=1)
        self.says("'folder' is a folder; name its files, as in 'folder/*.csv'", "load", "folder", *TO, code=1)
        self.says("'folder/' is a folder; name its files, as in 'folder/*.csv'", "load", "folder/", *TO, code=1)
        self.says("no file matches 'folder/*.csv'", "load", "folder/*.csv", *TO, code=1)
        self.says("it has a blank in it; write %20 in its place", "load", "http://127.0.0.1:9/a b.csv", *TO, code=1)
        self.says("it has to look like https://host/path", "load", "https:/example.org/x.csv", *TO, code=1)
        self.says("a web address begins with https://", "load", "example.org/x.csv", *TO, code=1)
        self.says("urls begin with http://, https:// or file://", "load", "s3://bucket/x.csv", *TO, code=1)
        self.says("--from is one of csv tsv json jsonl xml html feed text, not 'excel'", "load", "crime.csv", "--from", "excel", *TO)
        self.says("no 'values' in keys: about, value", "load", "crime.json", "--path", "values.items", *TO, code=1)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_a_file_that_may_not_be_read_is_named(self):
        self.file("secret.csv", "a\n1\n").chmod(0)
        self.says("cannot open 'secret.csv': Permission denied", "load", "secret.csv", *TO, code=1)

    def test_sinks_that_cannot_be_have_a_suggestion(self):
        self.says("where to? add --to out.db:table", "load", "crime.csv")
        self.says("where to? sluice load SOURCE... --to x.db:t", "load", "crime.csv", "x.db:t")
        self.says("what to load? sluice load SOURCE... --to out.db:table", "load", *TO)
        for target in ("x", "x.xlsx", "postgres://host/db", "x.db:", "folder"):
            self.says(f"'{target}' names no kind of output: use -, x.csv", "load", "crime.csv", "--to", target)
        for target in ("nofolder/x.db:t", "nofolder/x.csv"):
            self.says("there is no folder 'nofolder", "load", "crime.csv", "--to", target, code=1)

    def test_misspelt_options_have_a_suggestion(self):
        self.says("unknown option --modee, did you mean --mode?", "load", "crime.csv", *TO, "--modee", "append")
        self.says("unknown option -o, did you mean --to?", "load", "crime.csv", "-o", "x.csv")
        self.says("did you mean 'append'?", "load", "crime.csv", *TO, "--mode", "apend")
        self.says("mode upsert needs a key", "load", "crime.csv", *TO, "--mode", "upsert")
        self.says("must be one of INTEGER, REAL, NUMERIC, TEXT, BLOB", "load", "crime.csv", *TO, "--type", "id=STRING")
        self.says("the key column 'nosuch' is in no item", "load", "crime.csv", *TO, "--mode", "upsert", "--key", "nosuch", code=1)

    def test_misspelt_commands_have_a_suggestion(self):
        self.says("unknown command 'lod', did you mean 'load'?", "lod", "crime.csv", *TO)
        self.says("unknown command 'crime.csv'; to load a file: sluice load crime.csv --to out.db:table", "crime.csv")
        self.says("unknown pipe 'nosuch'; `sluice pipes` lists them", "pipes", "nosuch")
        self.says("unknown pipe 'fliter', did you mean 'filter'?", "pipes", "fliter")

    def test_misspelt_steps_have_a_suggestion(self):
        self.says("give the steps as one quoted text", "pipe", "csv", "url=crime.csv")
        self.says("unknown pipe 'fliter', did you mean 'filter'?", "pipe", "csv url=crime.csv | fliter province")
        self.says("unknown key 'province', expected one of: rule, lua", "pipe", "csv url=crime.csv | filter province=GP")
        self.says('the quote " is not closed', "pipe", 'csv url="crime.csv | count')
        self.says("the name of a pipe is missing here", "pipe", "csv url=crime.csv || count")
        self.says("key 'count' must be a whole number, got 'ten'", "pipe", "csv url=crime.csv | truncate ten")
        self.says("== compares", "pipe", "csv url=crime.csv | filter lua=\"province = 'GP'\"")


if __name__ == "__main__":
    main()
