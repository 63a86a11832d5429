#!/usr/bin/env python3
"""A record may have 64 MiB in every format: one just below is read as it is, one above is a message with its place."""

from program import Case, main

LIMIT = 64 << 20
POOLS = [["--parallel=false"], ["-j2", "--threads=false", "--unit", "64M"]]


def lines(n):
    return b"1\n", b"x" * n, b"\n2\n"


FORMATS = {  # source, what is around a record of n bytes, items, where the record begins
    "csv": ("csv url=in", lambda n: (b"a\n", *lines(n)), 3, ":3"),
    "quoted": ("csv url=in", lambda n: (b'a\n1\n"', b"x\n" * ((n - 2) // 2), b'"\n2\n'), 3, ":3"),
    "tsv": ("csv url=in delimiter='\\t' quote=\"'\"", lambda n: (b"a\tb\n1\t2\n1\t", b"x" * (n - 2), b"\n2\t3\n"), 3, ":3"),
    "text": ("fetchtext url=in", lines, 3, ":2"),
    "jsonl": ("fetchdata url=in type=jsonl", lambda n: (b'{"a":1}\n{"a":"', b"x" * (n - 8), b'"}\n{"a":2}\n'), 3, ":2:1"),
    "json": ("fetchdata url=in type=json", lambda n: (b'[{"a":1},\n{"a":"', b"x" * (n - 8), b'"},\n{"a":2}]\n'), 3, ":2:1"),
    "number": ("fetchdata url=in type=json", lambda n: (b'[{"a":1},\n{"a":', b"7" * (n - 6), b'},\n{"a":2}]\n'), 3, ":2:1"),
    "path": ("fetchdata url=in type=json path=r", lambda n: (b'{"r":[{"a":1},\n{"a":"', b"x" * (n - 8), b'"},\n{"a":2}]}\n'), 3, ":2:1"),
    "xml": ("fetchdata url=in type=xml path=r.i", lambda n: (b"<r><i>1</i>\n<i>", b"x" * (n - 7), b"</i>\n<i>2</i></r>"), 3, ":2:1"),
    "attribute": ("fetchdata url=in type=xml path=r.i", lambda n: (b'<r><i a="1"/>\n<i a="', b"x" * (n - 9), b'"/>\n<i a="2"/></r>'), 3, ":2:1"),
    "rss": ("fetch url=in", lambda n: (b'<rss version="2.0"><channel>\n<item><title>', b"x" * (n - 28), b"</title></item>\n<item><title>2</title></item></channel></rss>"), 2, ":2"),
    "atom": ("fetch url=in", lambda n: (b'<feed xmlns="http://www.w3.org/2005/Atom">\n<entry><title>', b"x" * (n - 30), b"</title></entry>\n<entry><title>2</title></entry></feed>"), 2, ":2"),
    "html": ("xpathfetchpage url=in xpath=//p", lambda n: (b"<p>", b"x" * (n - 7), b"</p>"), 1, ""),
    "page": ("fetchdata url=in type=html", lambda n: (b"<p>", b"x" * (n - 7), b"</p>"), None, ""),
}


class Limits(Case):
    def test_a_record_has_the_same_limit_in_every_format(self):
        for name, (source, parts, items, place) in FORMATS.items():
            for n in (LIMIT - 100, LIMIT + 100):
                self.file("in", b"".join(parts(n)))
                for pool in POOLS:
                    with self.subTest(format=name, above=n - LIMIT, pool=pool):
                        r = self.sluice("pipe", source + " | count", "-q", *pool, code=int(n > LIMIT))
                        if n < LIMIT:
                            self.assertTrue(items is None or r.out.decode() == '{"count":%d}\n' % items, r.out)
                        else:
                            self.assertIn("larger than 64 MiB" if not place else "longer than 64 MiB", r.message)
                            self.assertIn(f"in{place}: step 1", r.message)
                            self.assertEqual(len(r.message.splitlines()), 1, r.message)

    def test_a_record_within_the_limit_goes_everywhere(self):
        """Through workers, a sort and into every sink."""
        big = b"x" * (LIMIT - 100)
        self.file("in.jsonl", b'{"a":"y"}\n{"a":"' + big + b'"}\n')
        for pool in POOLS:
            r = self.sluice("pipe", "fetchdata url=in.jsonl | sort a", "-q", *pool, "--to", "-", "--to", "x.csv", "--to", "x.db:t")
            self.assertTrue(r.out == b'{"a":"' + big + b'"}\n{"a":"y"}\n')
            self.assertTrue((self.dir / "x.csv").read_bytes() == b"a\n" + big + b"\ny\n")
            r = self.sluice("pipe", "fetchtable url=x.db table=t | truncate 1", "-q")
            self.assertTrue(r.out == b'{"a":"' + big + b'"}\n')


if __name__ == "__main__":
    main()
