#!/usr/bin/env python3
"""Feeds in the encodings that they really come in: declared in the XML declaration, by a mark, not at all, or wrongly."""

import gzip
import json
import unittest

from program import Case, pools

TEXTS = {"windows-1251": "Новости города", "koi8-r": "Новости города", "windows-1252": "café – €", "iso-8859-1": "café",
         "gb2312": "新闻", "shift_jis": "ニュース表", "utf-8": "naïve 新闻", "utf-16": "新闻 é"}


def feed(title, encoding=None):
    declared = f' encoding="{encoding}"' if encoding else ""
    return (f'<?xml version="1.0"{declared}?>\n<rss version="2.0"><channel>'
            f"<item><title>{title}</title></item>\n<item><title>plain</title></item></channel></rss>\n")


class Feeds(Case):
    def items(self, data):
        (self.dir / "feed.xml").write_bytes(data)
        r = self.sluice("pipe", f"fetch url={self.dir / 'feed.xml'}", "--format", "jsonl", "-q")
        return [json.loads(line) for line in r.out.splitlines()]

    def test_declared_encodings_are_decoded(self):
        for encoding, text in TEXTS.items():
            with self.subTest(encoding=encoding):
                items = self.items(feed(text, encoding).encode(encoding))
                self.assertEqual([i["title"] for i in items], [text, "plain"])
                self.assertNotIn("bozo", items[0])

    def test_a_mark_goes_before_the_declaration(self):
        self.assertEqual(self.items(feed("新闻").encode("utf-16"))[0]["title"], "新闻")
        self.assertEqual(self.items(feed("新闻").encode("utf-8-sig"))[0]["title"], "新闻")

    def test_bytes_that_are_no_text_are_replaced_and_the_item_is_marked(self):
        first, second = self.items(feed("X", "utf-8").encode().replace(b"X", b"a\xffb"))
        self.assertEqual((first["title"], first["bozo"]), ("a\ufffdb", True))
        self.assertIn("0xff", first["bozo_reason"])
        self.assertEqual((second["title"], "bozo" in second), ("plain", False))


class Collections(Case):
    """Files of every size, and what is wrong with one of them, wherever it is read."""

    def setUp(self):
        super().setUp()
        for n in range(12):
            data = feed(f"title {n}", "utf-8").replace("</channel>", "<item><title>more</title></item>\n" * (n * n * 20) + "</channel>")
            self.file(f"{n:02}.xml", gzip.compress(data.encode()) if n % 4 == 3 else data)

    def outcomes(self):
        for pool in pools(workers=(1, 2, 5)):
            for unit in ("100", "4k", "1M"):
                r = self.sluice("pipe", "fetch url=*.xml", "--format", "jsonl", "-q", "--unit", unit, *pool, code=None)
                yield (pool, unit), (r.code, r.message, r.out)

    def test_a_collection_gives_the_same_bytes_on_every_pool(self):
        (_, first), *others = self.outcomes()
        self.assertEqual((first[0], first[2].count(b"\n")), (0, 24 + 20 * sum(n * n for n in range(12))))
        for how, outcome in others:
            self.assertEqual(outcome, first, how)

    def test_a_collection_gives_the_same_error_on_every_pool(self):
        self.file("06.xml", feed("title 6", "utf-8")[:-20])
        self.file("09.xml", "<html/>")
        (_, first), *others = self.outcomes()
        said = "sluice: 06.xml:3: step 1 (fetch): the feed ends inside an item that begins in this line: it was cut off"
        self.assertEqual(first[:2], (1, said))
        for how, outcome in others:
            self.assertEqual(outcome[:2], first[:2], how)


GOOD = "<item><title>good</title></item>\n"
TORN = "<item><title>a < b & c</title></item>\n"


class Recovered(Case):
    """Items that had to be mended are counted where they are read, whoever reads them."""

    def setUp(self):
        super().setUp()
        for name, items in (("a", [GOOD, TORN, GOOD, TORN]), ("b", [GOOD] * 5), ("c", [TORN] * 3)):
            self.file(f"{name}.xml", f'<rss version="2.0"><channel>{"".join(items * 20)}</channel></rss>')
        self.file("names.csv", "name\na.xml\nb.xml\nc.xml\n")

    def reports(self, *words):
        """The report and what was said on standard error, of every pool with units of many sizes."""
        for pool in pools(workers=(1, 2, 3)):
            for unit in ("64", "1k", "1M"):
                r = self.sluice(*words, "--to", "out.jsonl", "--report", "r.json", "--unit", unit, *pool)
                report = json.loads((self.dir / "r.json").read_text())
                marked = [json.loads(line).get("bozo") for line in (self.dir / "out.jsonl").read_text().splitlines()]
                with self.subTest(pool=pool, unit=unit):
                    yield report, r.message, marked.count(True)

    def test_every_source_tells_its_own(self):
        job = {"sources": [{"type": "fetch", "url": "a.xml"}, {"type": "fetch", "url": "b.xml"}, {"type": "fetch", "url": "c.xml"}],
               "modules": []}
        self.file("job.json", json.dumps(job))
        for report, said, marked in self.reports("run", "job.json"):
            branches = report["stages"][0]["branches"]
            self.assertEqual([b["recovered"] for b in branches], [40, 0, 60])
            self.assertEqual((report["items"]["recovered"], report["items"]["in"], marked), (100, 240, 100))
            self.assertIn(", 100 recovered;", said)

    def test_mended_items_of_a_collection_are_counted(self):
        for report, said, marked in self.reports("pipe", "fetch url=?.xml | sort rule.field=title"):
            self.assertEqual(report["stages"][0]["branches"][0]["recovered"], 100)
            self.assertEqual((report["items"]["recovered"], marked), (100, 100))

    def test_without_mended_items_nothing_is_said(self):
        for report, said, marked in self.reports("pipe", "fetch url=b.xml"):
            self.assertEqual((report["items"]["recovered"], marked), (0, 0))
            self.assertNotIn("recovered", said)

    def test_mended_items_fetched_for_items_are_counted(self):
        for report, said, marked in self.reports("pipe", "csv url=names.csv | fetch url.subkey=name"):
            branch = report["stages"][0]["branches"][0]
            self.assertEqual((branch["recovered"], branch["steps"][0]["recovered"]), (0, 100))
            self.assertEqual((report["items"]["recovered"], marked), (100, 100))
            self.assertIn(", 100 recovered;", said)

    def test_mended_items_of_a_subpipe_are_counted(self):
        inner = {"modules": [{"type": "fetch", "conf": {"url": {"subkey": "name"}}}]}
        self.file("pipe_inner.json", json.dumps(inner))
        outer = {"modules": [{"type": "csv", "conf": {"url": "names.csv"}}, {"type": "loop", "embed": {"type": "pipe:inner"}}]}
        self.file("outer.json", json.dumps(outer))
        for report, said, marked in self.reports("run", "outer.json"):
            step = report["stages"][0]["branches"][0]["steps"][0]
            self.assertEqual((step["recovered"], report["items"]["recovered"], marked), (100, 100, 100))


if __name__ == "__main__":
    unittest.main()
