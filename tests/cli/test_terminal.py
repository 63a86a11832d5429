#!/usr/bin/env python3
"""What somebody sees who sits at a terminal: the progress line at every width, out of the way of everything else.

    SLUICE=build/dev/sluice test_terminal.py"""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

from program import PROGRAM, SOURCE, Case, main

DATA = SOURCE / "data"
CRIME, STATIONS = DATA / "crime.csv", DATA / "stations.csv"
SLOWLY = ("--unit", "5000", "--stall", "20000", "-j", "2")
DRAWN = re.compile("\r([^\r\n\x1b]+)\x1b\\[J\r")


class Screen:
    """What a terminal of WIDTH columns makes of some output: lines, and whether one was broken for want of room."""

    def __init__(self, width):
        self.width, self.lines, self.y, self.x, self.broken = width, [""], 0, 0, False

    def put(self, char):
        if self.x == self.width:
            self.broken, self.x = True, 0
            self.down()
        line = self.lines[self.y].ljust(self.x)
        self.lines[self.y] = line[:self.x] + char + line[self.x + 1:]
        self.x += 1

    def down(self):
        self.y += 1
        if self.y == len(self.lines):
            self.lines.append("")

    def show(self, text):
        for part in re.findall("\x1b\\[[JK]|.", text, re.S):
            if part == "\r":
                self.x = 0
            elif part == "\n":
                self.down()
            elif part[0] == "\x1b":
                self.lines[self.y:] = [self.lines[self.y][:self.x]]
            else:
                self.put(part)
        return [line.rstrip() for line in self.lines]


class Terminal(Case):
    def start(self, width, *args, **more):
        ours, theirs = pty.openpty()
        self.resize(ours, width)
        streams = {"stdin": subprocess.DEVNULL, "stdout": theirs, "stderr": theirs, **more}
        p = subprocess.Popen([PROGRAM, *map(str, args)], cwd=self.dir, env=self.env, **streams)
        os.close(theirs)
        return p, ours

    def resize(self, terminal, width):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))

    def seen(self, width, *args, code=0, **more):
        """All that is written to a terminal of WIDTH columns."""
        p, ours = self.start(width, *args, **more)
        timer = threading.Timer(120, p.kill)
        timer.start()
        out = b""
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while data := os.read(ours, 65536):
                out += data
        os.close(ours)
        timer.cancel()
        self.assertEqual(p.wait(), code, out)
        return out.decode()

    def test_the_line_fits_at_every_width(self):
        for width in (*range(20, 131, 11), 80, 300):
            with self.subTest(width=width):
                text = self.seen(width, "load", CRIME, "--to", "x.csv", *SLOWLY)
                drawn = DRAWN.findall(text)
                self.assertGreater(len(drawn), 1)
                self.assertLess(max(map(len, drawn)), width)
                self.assertTrue(all(re.match(r"[0-9,]+ items", line) for line in drawn), drawn)
                self.assertIn("2,000 items in, 2,000 out", text)
        self.assertRegex("\n".join(drawn), r"[0-9,]+ items  \d+ kB  .*B/s  .* s  \[[= ]{24}\]  .*%  .* left")

    def test_what_tells_least_is_left_out_first(self):
        words = lambda width: DRAWN.findall(self.seen(width, "load", CRIME, "--to", "x.csv", *SLOWLY))[1]
        self.assertRegex(words(80), r"^[0-9,]+ items  .*B/s  .*\[[= ]{6,24}\] .*%  .* left$")
        self.assertRegex(words(40), r"^[0-9,]+ items .*%  .* left$")
        self.assertRegex(words(20), r"^[0-9,]+ items( .*%)?$")

    def test_the_terminal_may_change_its_width(self):
        """The input goes on for as long as the line takes to follow, so that a slow machine sees every width as well."""
        p, ours = self.start(120, "load", "-", "--from", "csv", "--to", "x.csv", "--unit", "1000", stdin=subprocess.PIPE)
        p.stdin.write(b"id,name\n")
        for width, longest, least in ((120, 119, 30), (30, 29, 8), (60, 59, 30), (25, 24, 8)):
            self.resize(ours, width)
            seen, until = b"", time.monotonic() + 60
            while not any(least <= len(line) <= longest for line in DRAWN.findall(seen.decode())):
                self.assertLess(time.monotonic(), until, f"no line for {width} columns: {seen[-200:]}")
                p.stdin.write(b"1,some name that takes a little room\n" * 100)
                p.stdin.flush()
                if select.select([ours], [], [], 0.02)[0]:
                    seen += os.read(ours, 65536)
        p.stdin.close()
        with contextlib.suppress(OSError):
            while os.read(ours, 65536):
                continue
        os.close(ours)
        self.assertEqual(p.wait(), 0)

    def test_a_table_stands_alone(self):
        for args in (("load", STATIONS, "--to", "-", "--unit", "200", "--stall", "20000", "-j", "2"),
                     ("pipe", f"csv url={CRIME} | sort id | truncate 5", *SLOWLY)):
            for width in (80, 200):
                with self.subTest(args=args, width=width):
                    text = self.seen(width, *args)
                    lines = Screen(width).show(text)
                    table = self.sluice(*args, "--format", "table", "-q").out.decode().splitlines()
                    if width == 200:
                        self.assertEqual(lines[:len(table)], [line.rstrip() for line in table])
                        self.assertRegex(lines[len(table)], r"^[0-9,]+ items in, ")
                    self.assertNotIn(" items  ", "\n".join(lines))

    def test_the_line_is_there_while_a_sort_or_a_fold_reads(self):
        for steps in ("sort id", "aggregate by=province ops.0.op=count", "tail 5", "uniq province", "count"):
            with self.subTest(steps=steps):
                text = self.seen(80, "pipe", f"csv url={CRIME} | {steps}", "--to", "x.jsonl", *SLOWLY)
                self.assertGreater(len(DRAWN.findall(text)), 2)

    def test_the_line_says_that_a_commit_goes_on(self):
        self.assertIn("committing", self.seen(80, "load", CRIME, "--to", "x.db:t", *SLOWLY))

    def test_messages_stand_alone(self):
        self.file("bad.csv", CRIME.read_bytes() + b"1,2\n")
        lines = Screen(200).show(self.seen(200, "load", "bad.csv", "--to", "x.csv", *SLOWLY, code=1))
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r"^sluice: bad.csv:[0-9]+: ")
        p, ours = self.start(200, "load", CRIME, "--to", "x.csv", "--unit", "1000", "--stall", "50000", "-j", "2")
        out = b""
        while b"\x1b[J" not in out:
            out += os.read(ours, 65536)
        p.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):
            while data := os.read(ours, 65536):
                out += data
        os.close(ours)
        self.assertEqual(p.wait(), 130)
        self.assertNotIn(" items  ", "\n".join(Screen(200).show(out.decode())))

    @staticmethod
    def drain(fd):
        while os.read(fd, 65536):
            continue
        os.close(fd)

    def test_a_pipe_on_the_same_terminal_hides_the_line(self):
        """Where standard output is read by a program, that may write to the terminal too, the line does not come back."""
        reader, writer = os.pipe()
        sink = threading.Thread(target=self.drain, args=(reader,))
        sink.start()
        p, ours = self.start(100, "pipe", f"csv url={CRIME}", *SLOWLY, stdout=writer)
        os.close(writer)
        text = b""
        with contextlib.suppress(OSError):
            while data := os.read(ours, 65536):
                text += data
        os.close(ours)
        self.assertEqual(p.wait(), 0)
        sink.join()
        self.assertLessEqual(len(DRAWN.findall(text.decode())), 2)

    def test_a_file_leaves_the_line_alone(self):
        with open(self.dir / "out.jsonl", "wb") as out:
            text = self.seen(100, "pipe", f"csv url={CRIME}", *SLOWLY, stdout=out)
        self.assertGreater(len(DRAWN.findall(text)), 3)

    def test_quiet_shows_nothing(self):
        self.assertEqual(self.seen(80, "load", CRIME, "--to", "x.csv", *SLOWLY, "-q"), "")


if __name__ == "__main__":
    main()
