#!/usr/bin/env python3
"""An input without any record never replaces data: whatever it is that came empty, over tables and files, on every pool; unless it is
asked for, or only a filter kept nothing, or there is nothing to lose. And --min-rows."""

import contextlib
import json
import sqlite3

import program
import test_failures
from program import pools

DATA = "n,s\n1,x\n2,y\n"
ROWS = [(1, "x"), (2, "y")]
FILES = {"x.csv": "n,s\n1,x\n2,y\n", "x.tsv": "n\ts\n1\tx\n2\ty\n", "x.jsonl": '{"n":"1","s":"x"}\n{"n":"2","s":"y"}\n',
         "x.json": '[{"n":"1","s":"x"},\n{"n":"2","s":"y"}]\n'}
TARGETS = ["x.db:t", *FILES]

# Name and content of what has no record, and how it is read.
EMPTY = [
    ("empty.csv", "", ()),
    ("header.csv", "n,s\n", ()),
    ("comments.csv", "# a\n# b\n", ("--comment", "#")),
    ("skipped.csv", DATA, ("--skip", "7")),
    ("blank.csv", "\n\n\n", ()),
    ("ragged.csv", "n,s\n1,2,3\n4\n", ("--ragged", "skip")),
    ("empty.tsv", "n\ts\n", ()),
    ("list.json", "[]", ()),
    ("path.json", '{"a": {"b": []}}', ("--path", "a.b")),
    ("empty.jsonl", "", ()),
    ("blank.jsonl", "\n \n", ()),
    ("empty.txt", "", ()),
    ("none.xml", "<r><a/></r>", ("--path", "r.b")),
    ("none.html", "<html><body><p>x</body></html>", ("--path", "html.body.table")),
]

# Definitions whose sources have no record.
SOURCES = [
    {"type": "xpathfetchpage", "url": "none.html", "xpath": "//table//tr"},
    {"type": "fetchtable", "url": "table.html"},
    {"type": "fetchtable", "url": "list.json"},
    {"type": "fetchtable", "url": "features.geojson"},
    {"type": "fetchpage", "url": "none.html", "start": "<table>"},
    {"type": "fetch", "url": "none.rss"},
    {"type": "fetchtable", "url": "none.sqlite", "table": "t"},
]


class Empty(program.Case):
    def setUp(self):
        super().setUp()
        self.file("data.csv", DATA)
        for name, content, _ in EMPTY:
            self.file(name, content)
        self.file("table.html", "<table><tr><th>n<th>s</table>")
        self.file("features.geojson", '{"type": "FeatureCollection", "features": []}')
        self.file("none.rss", "<rss version='2.0'><channel><title>t</title></channel></rss>")
        with contextlib.closing(sqlite3.connect(self.dir / "none.sqlite")) as db:
            db.execute("CREATE TABLE t (n)")

    def fill(self):
        for name, content in FILES.items():
            self.file(name, content)
        self.sluice("load", "data.csv", "--to", "x.db:t", "-q")

    def table(self, query="SELECT * FROM t ORDER BY rowid", name="x.db"):
        with contextlib.closing(sqlite3.connect(self.dir / name)) as db:
            return db.execute(query).fetchall()

    def check_kept(self):
        self.assertEqual(self.table(), ROWS)
        for name, content in FILES.items():
            self.assertEqual((self.dir / name).read_text(), content)
        self.assertEqual([n for n in self.names() if "sluice-" in n], [])

    def refused(self, *args, code=1):
        r = self.sluice(*args, code=code)
        self.assertEqual(r.message.count("\n"), 0, r.message)
        self.check_kept()
        return r.message

    def definition(self, name, source, sinks=TARGETS, **more):
        self.file(name, json.dumps({"sources": [source], "sinks": sinks, **more}))
        return name


class Replace(Empty):
    def test_nothing_read_replaces_nothing(self):
        self.fill()
        for name, _, args in EMPTY:
            for to in TARGETS:
                message = self.refused("load", name, *args, "--to", to)
                for part in (f"'{to}' holds records", name, "--allow-empty"):
                    self.assertIn(part, message)

    def test_sources_of_definitions_replace_nothing_when_empty(self):
        self.fill()
        for source in SOURCES:
            for to in TARGETS:
                message = self.refused("run", self.definition("d.json", source, [to]))
                self.assertIn(f"'{to}' holds records", message)

    def test_it_is_the_same_on_every_pool(self):
        self.fill()
        for pool in pools((2,)):
            for name, args in (("header.csv", ()), ("list.json", ()), ("none.xml", ("--path", "r.b"))):
                self.refused("load", name, *args, *pool, "--to", "x.csv", "--to", "x.db:t")

    def test_the_message_tells_what_came(self):
        self.fill()
        self.assertIn("'header.csv' (4 bytes)", self.refused("load", "header.csv", "--to", "x.db:t"))
        self.assertIn("2 sources (4 bytes)", self.refused("load", "header.csv", "empty.csv", "--to", "x.db:t"))
        self.assertIn("2 left out", self.refused("load", "ragged.csv", "--ragged", "skip", "--to", "x.db:t"))
        self.assertIn("'stdin' (0 bytes)", self.refused("load", "-", "--to", "x.csv"))

    def test_what_is_made_of_nothing_replaces_nothing(self):
        """A sum over no records is one row, but no result to put in the place of others."""
        self.fill()
        for to in TARGETS:
            self.refused("pipe", "csv url=header.csv | count", "--to", to)

    def test_what_items_lead_to_is_what_counts(self):
        """A list of addresses is not what is loaded: the files are."""
        self.fill()
        self.file("urls.csv", "url\nheader.csv\nempty.csv\n")
        for pool in pools((2,)):
            self.refused("pipe", "csv url=urls.csv | csv url.subkey=url", *pool, "--to", "x.db:t")
            self.refused("pipe", "csv url=urls.csv | sort rule.field=url | csv url.subkey=url | count", *pool, "--to", "x.csv")
        self.file("urls.csv", "url\nheader.csv\ndata.csv\n")
        self.sluice("pipe", "csv url=urls.csv | csv url.subkey=url", "--to", "x.db:t", "-q")
        self.check_kept()
        self.sluice("pipe", "csv url=urls.csv | filter rule.field=url rule.op=is rule.value=x | csv url.subkey=url", "--to", "x.db:t", "-q")
        self.assertEqual(self.table(), [])

    def test_a_table_that_is_looked_up_in_is_no_input(self):
        self.fill()
        d = {"modules": [{"id": "a", "type": "csv", "conf": {"url": "header.csv"}}, {"id": "b", "type": "csv", "conf": {"url": "data.csv"}},
                         {"id": "j", "type": "join", "conf": {"join_key": "n", "other_join_key": "n"}}],
             "wires": [["a", "j"], ["b", "j", "other"]], "sinks": ["x.db:t"]}
        self.file("d.json", json.dumps(d))
        self.refused("run", "d.json")
        d["modules"][0]["conf"]["url"], d["modules"][1]["conf"]["url"] = "data.csv", "header.csv"
        self.file("d.json", json.dumps(d))
        self.sluice("run", "d.json", "-q")

    def test_one_target_that_would_lose_something_is_enough(self):
        self.fill()
        self.refused("load", "header.csv", "--to", "new.csv", "--to", "new.db:t", "--to", "x.json")
        self.assertFalse((self.dir / "new.csv").exists() or (self.dir / "new.db").exists())

    def test_allow_empty_replaces_with_nothing(self):
        for source in ("header.csv", "empty.csv"):
            self.fill()
            for to in TARGETS:
                self.sluice("load", source, "--to", to, "--allow-empty", "-q")
            self.assertEqual(self.table(), [])
            self.assertEqual((self.dir / "x.jsonl").read_text(), "")
            self.assertEqual((self.dir / "x.json").read_text(), "[]\n")
        self.fill()
        self.sluice("run", self.definition("d.json", {"url": "header.csv"}, allow_empty=True), "-q")
        self.assertEqual(self.table(), [])
        self.assertEqual((self.dir / "x.csv").read_text(), "n,s\n")

    def test_a_target_of_another_kind_counts_as_full(self):
        """Any file that is there counts, also one of another kind; what is quoted in a header is one line."""
        for content in ('{"a": 1}\n{"a": 2}\n', "a\n\x00\xff", '"a\nb",c\n1,2\n', "a\r1"):
            self.file("x.csv", content.encode("latin-1"))
            self.sluice("load", "header.csv", "--to", "x.csv", code=1)
            self.assertEqual((self.dir / "x.csv").read_bytes(), content.encode("latin-1"))
        self.file("d.csv", "1,2\n")
        self.file("d.json", json.dumps({"sources": [{"url": "header.csv"}], "sinks": [{"to": "d.csv", "header": False}]}))
        self.sluice("run", "d.json", code=1)

    def test_an_object_without_fields_is_nothing(self):
        """{} is what some servers answer when they have nothing: a record, but no row."""
        self.fill()
        for content in ("{}", "[{}]", '[{}, {"n": 1}]'):
            self.file("object.json", content)
            for to in ("x.db:t", "x.csv", "x.tsv"):
                if "n" not in content or not to.startswith("x.db"):
                    self.refused("load", "object.json", "--to", to)
        self.file("object.json", '[{"n": 1}, {}]')
        self.sluice("load", "object.json", "--to", "new.csv", "-q")
        self.assertEqual((self.dir / "new.csv").read_text(), 'n\n1\n""\n')

    def test_a_target_is_looked_into_beyond_a_long_header(self):
        self.file("x.csv", '"' + "h" * 200000 + '"\n1\n')
        self.sluice("load", "header.csv", "--to", "x.csv", code=1)


class Fine(Empty):
    """Where nothing is lost, or what is lost was meant."""

    def test_new_targets_are_made_empty(self):
        for name, _, args in EMPTY:
            if name != "ragged.csv":
                for to in ("new.csv", "new.jsonl", "new.json"):
                    self.sluice("load", name, *args, "--to", to, "-q")
                    (self.dir / to).unlink()
        self.sluice("load", "header.csv", *[w for to in TARGETS for w in ("--to", to)], "-q")
        self.assertEqual(self.table(), [])
        self.assertEqual((self.dir / "x.csv").read_text(), "n,s\n")
        self.assertEqual((self.dir / "x.json").read_text(), "[]\n")

    def test_targets_without_records_are_replaced(self):
        for content in ("", "n,s\n", '"n\nm",s\n', "n\r\n", "\n\nn\n\n"):
            self.file("x.csv", content)
            self.sluice("load", "header.csv", "--to", "x.csv", "-q")
        for content in ("", "[]", " [\n]\n", "null"):
            self.file("x.json", content)
            self.sluice("load", "header.csv", "--to", "x.json", "-q")
        self.file("x.jsonl", "\n\n")
        self.sluice("load", "header.csv", "--to", "x.jsonl", "-q")
        for _ in range(2):
            self.sluice("load", "header.csv", "--to", "x.db:t", "-q")

    def test_other_tables_of_the_database_are_not_at_stake(self):
        self.fill()
        self.sluice("load", "header.csv", "--to", "x.db:other", "-q")
        self.assertEqual(self.table(), ROWS)
        self.assertEqual(self.table("SELECT * FROM other"), [])

    def test_a_filter_that_keeps_nothing_replaces(self):
        self.fill()
        for to in TARGETS:
            self.sluice("pipe", "csv url=data.csv | filter rule.field=s rule.op=is rule.value=z", "--to", to, "-q")
        self.assertEqual(self.table(), [])
        self.assertEqual((self.dir / "x.csv").read_text(), "n,s\n")

    def test_one_full_source_of_several_is_enough(self):
        self.fill()
        self.sluice("load", "header.csv", "data.csv", "empty.csv", "--to", "x.db:t", "--to", "x.csv", "-q")
        self.check_kept()

    def test_modes_that_take_nothing_away_are_not_asked(self):
        self.fill()
        for mode in (("append",), ("upsert", "--key", "n"), ("ignore", "--key", "n")):
            for name, _, args in EMPTY:
                if name != "ragged.csv":
                    self.sluice("load", name, *args, "--to", "x.db:t", "--mode", *mode, "-q")
        self.assertEqual(self.table(), ROWS)

    def test_items_that_come_from_no_source_replace(self):
        self.fill()
        self.file("d.json", '{"modules": [{"type": "itembuilder", "conf": {"attrs": {"key": "n", "value": 1}}}], "sinks": ["x.csv"]}')
        self.sluice("run", "d.json", "-q")
        self.assertEqual((self.dir / "x.csv").read_text(), "n\n1\n")

    def test_standard_output_is_never_at_stake(self):
        self.assertEqual(self.sluice("load", "header.csv", "--to", "-", "-f", "csv", "-q").out, b"n,s\n")


class Pages(Empty):
    """A web page where data was expected: a login form, saved as x.csv by whoever fetched it."""

    PAGES = ["<!DOCTYPE html>\n<html><body>Please log in</body></html>\n", "\ufeff<html lang='en'>\n<body>\n</html>", "<HTML>\nx\n",
             "<!-- from cache -->\n\n<!doctype html>\n<p>x\n", "<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD'>\n<html></html>"]

    def test_web_pages_in_files_are_refused(self):
        self.fill()
        for page in self.PAGES:
            for name in ("page.csv", "page.tsv", "page.json", "page.jsonl"):
                self.file(name, page)
                for to in ("x.db:t", "new.csv"):
                    message = self.refused("load", name, "--to", to)
                    for part in (name, "web page", "was expected"):
                        self.assertIn(part, message)
            self.file("page", page)
            self.assertIn("web page", self.refused("load", "page", "--from", "csv", "--to", "x.csv"))
            self.assertIn("web page", self.refused("pipe", "fetchtable url=page widths=5", "--to", "x.csv"))

    def test_web_pages_are_refused_on_every_pool(self):
        self.fill()
        self.file("page.csv", self.PAGES[0])
        for pool in pools((2,)):
            self.assertIn("web page", self.refused("load", "data.csv", "page.csv", *pool, "--to", "x.db:t"))

    def test_web_pages_as_xml_are_refused(self):
        self.fill()
        self.file("page.xml", "<html xmlns='http://www.w3.org/1999/xhtml'><body><p>x</p></body></html>")
        self.assertIn("page.xml:1:1: step 1 (fetchdata): this is a web page", self.refused("load", "page.xml", "--to", "x.db:t"))
        self.sluice("load", "page.xml", "--path", "html.body.p", "--to", "new.csv", "-q")

    def test_what_only_looks_a_little_like_a_page_is_loaded(self):
        for content in ("<html>,b\n1,2\n", "html\n1\n", "<b>,c\n1,2\n", "a,b\n<html>,2\n", "<htmlx\n1\n"):
            self.file("page.csv", content)
            if not content.startswith("<html>"):
                self.sluice("load", "page.csv", "--to", "new.csv", "-q")
        self.file("page.txt", self.PAGES[0])
        self.sluice("load", "page.txt", "--to", "new.csv", "-q")


class Answers(Empty):
    """What servers send instead of data."""

    def setUp(self):
        super().setUp()
        self.fill()
        self.env["no_proxy"] = "127.0.0.1"
        server = self.enterContext(test_failures.Server(self.dir))
        self.url = server.url

    def test_an_answer_without_content_replaces_nothing(self):
        for form in ("csv", "json", "jsonl", "text"):
            for status in (204, 205):
                url = self.url(f"status/{status}")
                for to in TARGETS:
                    self.assertIn(f"none in '{url}' (0 bytes)", self.refused("load", url, "--from", form, "--to", to))
                self.sluice("load", url, "--from", form, "--to", "x.db:t", "--mode", "append", "-q")
                self.sluice("load", url, "data.csv", "--from", "csv", "--to", "x.db:t", "-q")
        self.check_kept()
        for pipe in ("fetchdata type=xml", "fetch", "fetchpage", "xpathfetchpage", "fetchtable type=html"):
            self.refused("pipe", f"{pipe} url={self.url('status/204')}", "--to", "x.csv")
        for pool in pools((2,)):
            self.refused("load", self.url("status/204"), "--from", "json", *pool, "--to", "x.db:t")

    def test_an_empty_answer_replaces_nothing(self):
        self.file("nothing", "")
        for form in ("csv", "jsonl", "text"):
            self.refused("load", self.url("nothing"), "--from", form, "--to", "x.db:t")

    def test_a_page_is_refused_whatever_the_server_calls_it(self):
        for name in ("page.csv", "page.json", "page.bin", "page.html"):
            self.file(name, Pages.PAGES[0])
            for form in ("csv", "json"):
                self.assertIn("web page", self.refused("load", self.url(name), "--from", form, "--to", "x.db:t"))
        self.assertIn("web page", self.refused("load", self.url("page.csv"), "--to", "x.db:t"))


class LeastRows(Empty):
    def test_fewer_rows_than_asked_for_commit_nothing(self):
        self.fill()
        for pool in pools((2,)):
            for to in TARGETS:
                message = self.refused("load", "data.csv", "--to", to, "--min-rows", "3", *pool)
                for part in (f"'{to}' would get 2 rows", "at least 3"):
                    self.assertIn(part, message)
        self.refused("load", "data.csv", "--to", "x.db:t", "--mode", "append", "--min-rows", "3")
        self.refused("load", "data.csv", "--to", "new.csv", "--to", "new.db:t", "--min-rows", "3")
        self.assertFalse((self.dir / "new.csv").exists() or (self.dir / "new.db").exists())

    def test_what_a_filter_leaves_counts(self):
        self.fill()
        pipe = "csv url=data.csv | filter rule.field=s rule.op=is rule.value=x"
        self.refused("pipe", pipe, "--to", "x.db:t", "--min-rows", "2")
        self.sluice("pipe", pipe, "--to", "x.db:t", "--min-rows", "1", "-q")

    def test_as_many_rows_as_asked_for_commit(self):
        for n in ("0", "1", "2"):
            self.sluice("load", "data.csv", "--to", "x.db:t", "--to", "x.csv", "--min-rows", n, "-q")
        self.sluice("load", "empty.csv", "--to", "new.csv", "--min-rows", "0", "-q")
        self.sluice("load", "empty.csv", "--to", "new.csv", "--min-rows", "1", code=1)

    def test_standard_output_has_been_written_by_then(self):
        r = self.sluice("load", "data.csv", "--to", "-", "-f", "csv", "--min-rows", "3", code=1)
        self.assertEqual(r.out.decode(), DATA)

    def test_a_definition_may_ask_for_rows(self):
        self.fill()
        self.refused("run", self.definition("d.json", {"url": "data.csv"}, min_rows=3))
        self.sluice("run", "d.json", "--min-rows", "2", "-q")

    def test_a_bad_number_of_rows_is_refused(self):
        for n in ("-1", "x", ""):
            self.assertIn("min_rows", self.sluice("load", "data.csv", "--to", "x.csv", "--min-rows", n, code=2).message)


if __name__ == "__main__":
    program.main()
