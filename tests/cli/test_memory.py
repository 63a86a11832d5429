#!/usr/bin/env python3
"""What gathers stays within --memory and gives the same result as without it; what does not gather needs little whatever the size.

SLUICE_MB is the size of the input (default 160), SLUICE_CAP the memory setting (default 32M): a fifth of it."""

import hashlib
import os
import random

import program

MB = int(os.environ.get("SLUICE_MB", "160"))
CAP = os.environ.get("SLUICE_CAP", "32M")
CAP_BYTES = int(CAP[:-1]) << 20
PLAIN = 128 << 20
POOLS = (program.INLINE, ("-j", "2"), ("-j", "8"), ("--threads=false", "-j", "2"))
FEWER = POOLS[1::2]  # as many groups as rows: several spills and two sorts
SANITIZED = bool(os.environ.get("SLUICE_SANITIZED"))  # whose memory says nothing


def make_input(path):
    """Rows with many different keys, text and numbers. Returns how many."""
    r = random.Random(5)
    words = ["".join(r.choice("abcdefghij") for _ in range(r.randint(3, 11))) for _ in range(2000)]
    rows = size = 0
    with open(path, "w") as f:
        f.write("id,key,group,n,x,text\n")
        while size < MB << 20:
            block = []
            for _ in range(1000):
                rows += 1
                text = " ".join(r.choice(words) for _ in range(12))
                block.append(f"{rows},{r.getrandbits(60):015x},g{r.randrange(1 << 17)},{r.randrange(1000)},{r.random():.6f},{text}\n")
            text = "".join(block)
            f.write(text)
            size += len(text)
    return rows


class Memory(program.Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = program.tempfile.TemporaryDirectory(prefix="sluice-memory-")
        cls.input = program.Path(cls.folder.name) / "in.csv"
        cls.rows = make_input(cls.input)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def digest(self, name):
        with open(self.dir / name, "rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()

    def define(self, text):
        """A pipeline whose input is IN."""
        return text.replace("IN", str(self.input))

    def bounded(self, steps, pools=POOLS, to="out.csv"):
        """STEPS with the cap on every pool: the bytes of a run without it, and at most a quarter more memory than the cap."""
        args = ("pipe", self.define(steps)) if isinstance(steps, str) else ("run", steps[0])
        self.sluice(*args, "--to", to, "-q", *program.INLINE, "--memory", "4G")
        want = self.digest(to)
        for pool in pools:
            r = self.sluice(*args, "--to", to, "-q", *pool, "--memory", CAP)
            self.assertEqual(self.digest(to), want, f"{steps} {pool}")
            if not SANITIZED:
                self.assertLessEqual(r.peak, CAP_BYTES + CAP_BYTES // 4, f"{steps} {pool}: {r.peak / 2**20:.1f} MiB")
        self.assertEqual(list(self.spill.iterdir()), [])

    def test_sort_stays_within_memory(self):
        self.bounded("csv url=IN | sort rule.field=key")

    def test_sort_by_few_values_stays_within_memory(self):
        self.bounded("csv url=IN | sort rule.0.field=n rule.0.type=int rule.0.dir=desc rule.1.field=text")

    def test_sort_of_changed_items_stays_within_memory(self):
        self.bounded("csv url=IN | hash @field=key @assign=h | sort rule.field=h")

    def test_a_large_top_stays_within_memory(self):
        self.bounded("csv url=IN | sort rule.field=key | truncate 300000")

    def test_reverse_stays_within_memory(self):
        self.bounded("csv url=IN | reverse")

    def test_aggregate_stays_within_memory(self):
        self.bounded("csv url=IN | aggregate by=group ops.0.op=count ops.1.op=sum ops.1.field=x ops.2.op=max ops.2.field=text")

    def test_aggregate_of_many_groups_stays_within_memory(self):
        self.bounded("csv url=IN | aggregate by=key ops.0.op=count ops.1.op=first ops.1.field=id", FEWER)

    def test_count_by_key_stays_within_memory(self):
        self.bounded("csv url=IN | count key", FEWER, to="out.jsonl")

    def test_sum_by_key_stays_within_memory(self):
        self.bounded("csv url=IN | sum n group_key=key", FEWER, to="out.jsonl")

    def test_uniq_stays_within_memory(self):
        self.bounded("csv url=IN | uniq key limit=100000000")

    def test_tail_stays_within_memory(self):
        self.bounded("csv url=IN | tail 700000")

    def test_join_with_a_large_table_stays_within_memory(self):
        self.file(
            "join.json",
            self.define(
                """{"modules": [{"id": "a", "type": "csv", "conf": {"url": "IN"}}, {"id": "b", "type": "csv", "conf": {"url": "IN"}},
                {"id": "some", "type": "truncate", "conf": {"count": 60000}},
                {"id": "j", "type": "join", "conf": {"join_key": "key"}}],
                "wires": [["a", "some"], ["some", "j"], ["b", "j", "other"]]}"""
            ),
        )
        self.bounded(("join.json",))

    def test_split_stays_within_memory(self):
        self.file(
            "split.json",
            self.define(
                """{"modules": [{"id": "a", "type": "csv", "conf": {"url": "IN"}}, {"id": "s", "type": "split"},
                {"id": "last", "type": "tail", "conf": {"count": 10}}, {"id": "u", "type": "union"}],
                "wires": [["a", "s"], ["s", "last"], ["last", "u"], ["s", "u", "_OTHER"]]}"""
            ),
        )
        self.bounded(("split.json",))

    def test_what_does_not_gather_needs_little_memory(self):
        for steps, to in (
            ("csv url=IN", "out.jsonl"),
            ("csv url=IN | filter rule.field=n rule.op=greater rule.value=10", "out.csv"),
            ("csv url=IN | sort rule.field=key | truncate 5", "out.csv"),
            ("csv url=IN | count", "out.jsonl"),
            ("csv url=IN", "out.db:t"),
        ):
            for pool in (("-j", "2"), ("--threads=false", "-j", "2")):
                r = self.sluice("pipe", self.define(steps), "--to", to, "-q", *pool)
                if not SANITIZED:
                    self.assertLessEqual(r.peak, PLAIN, f"{steps} {pool}: {r.peak / 2**20:.1f} MiB")

    def test_large_sums_count_as_memory(self):
        self.file("in.csv", "k,x\n" + "".join(f"{i},1e60000\n" for i in range(3000)))
        for pool in POOLS[:2]:
            r = self.sluice("pipe", "csv url=in.csv | aggregate by=k ops.0.op=sum ops.0.field=x | truncate 1", "-S", "4M", "-q", *pool)
            self.assertTrue(r.out == b'{"k":"0","sum_x":1' + b"0" * 60000 + b"}\n")
            if not SANITIZED:
                self.assertLess(r.peak, 90 << 20)


if __name__ == "__main__":
    program.main()
