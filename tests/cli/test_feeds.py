#!/usr/bin/env python3
"""Feeds in the encodings that they really come in: declared in the XML declaration, by a mark, not at all, or wrongly."""

import json
import unittest

from program import Case

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

    def test_declared_encodings(self):
        for encoding, text in TEXTS.items():
            with self.subTest(encoding=encoding):
                items = self.items(feed(text, encoding).encode(encoding))
                self.assertEqual([i["title"] for i in items], [text, "plain"])
                self.assertNotIn("bozo", items[0])

    def test_a_mark_says_it(self):
        self.assertEqual(self.items(feed("新闻").encode("utf-16"))[0]["title"], "新闻")
        self.assertEqual(self.items(feed("新闻").encode("utf-8-sig"))[0]["title"], "新闻")

    def test_bytes_that_are_no_text_are_replaced_and_the_item_is_marked(self):
        first, second = self.items(feed("X", "utf-8").encode().replace(b"X", b"a\xffb"))
        self.assertEqual((first["title"], first["bozo"]), ("a\ufffdb", True))
        self.assertIn("0xff", first["bozo_reason"])
        self.assertEqual((second["title"], "bozo" in second), ("plain", False))


if __name__ == "__main__":
    unittest.main()
