#!/usr/bin/env python3
"""Puts what the program can be told into the pages that list it, between marks: the options of its commands, as --help has them, into the
manual page; the settings, by the rows of src/options/settings.def, into the pages on definitions and on operations. Standard library only.

    SLUICE=build/dev/sluice docs/generate_options.py            writes
    SLUICE=build/dev/sluice docs/generate_options.py --check    fails when a page is not current
"""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROWS = HERE.parent / "src" / "options" / "settings.def"
ROW = re.compile(r"^(\w+)\((\w+), (\S+), (.*?)\)(?: /\*[^\n]*)?$\n(?=\w|\n|#)", re.M | re.S)
OPTION = re.compile(r"  (?:-(\w), |    )--([\w-]+)(.*)")
HELP = 29  # the column in which --help explains an option

# ---- the manual page ----------------------------------------------------------------------------------------------------


def helped(*words):
    program = os.environ.get("SLUICE", "sluice")
    return subprocess.run([program, *words, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout


def groups(command):
    """The options of COMMAND, groups of [letter, name, what follows it, help]; --help, which all have, is none of them."""
    found = [[]]
    for line in helped(command).partition("\noptions:\n")[2].splitlines():
        left, text = (line[:HELP], line[HELP:]) if line[HELP - 1 : HELP] == " " else (line, "")
        if not line:
            found.append([])
        elif left.strip():
            found[-1].append([*OPTION.fullmatch(left.rstrip()).groups(), text])
        else:
            found[-1][-1][3] = f"{found[-1][-1][3]} {text}".strip()
    shown = ([o for o in group if o[1] != "help"] for group in found)
    return [tuple(map(tuple, group)) for group in shown if group]


def roff(text):
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


def manual():
    takers = {}
    for command in re.findall(r"^  (?!sluice)([a-z]+) +[A-Z]", helped(), re.M):
        for group in groups(command):
            takers.setdefault(group, []).append(command)
    before = None
    for group, commands in takers.items():
        if commands != before:
            yield f".SS Of {', '.join(commands)}"
        before = commands
        for letter, name, value, text in group:
            short = f'\\-{letter} ", " ' if letter else ""
            more = f' "\\fI{roff(value)}\\fR"' if value else ""
            yield f".TP\n.BR {short}\\-\\-{roff(name)}{more}\n{roff(text)}."


# ---- the settings -------------------------------------------------------------------------------------------------------


def column(columns, name):
    """The arguments of a column, as one text; None: the row has no such column."""
    found = re.search(rf'\b{name}\(((?:"(?:[^"\\]|\\.)*"|[^()"])*)\)', columns)
    return found and found.group(1).replace('"', "")


def rows():
    """(row, name, kind or type or value, columns) of each setting."""
    return ROW.findall(ROWS.read_text().partition("\n\n#undef")[0] + "\n\n")


def settings(wanted):
    """A line of a table for each of the WANTED rows."""
    also = {}
    for row, name, _, columns in rows():
        if row == "ALSO":
            also.setdefault(name, []).append(column(columns, "FLAG").split(",")[0])
    yield from ("| key | meaning | default | flag |", "|---|---|---|---|")
    for row, name, kind, columns in rows():
        text, flag, zero = (column(columns, c) for c in ("HELP", "FLAG", "DEFAULT_ZERO"))
        if row not in wanted or not text or re.search(r"\bCALLER\b", columns):
            continue
        if kind in ("COUNT", "INT"):
            text += "; {} to {}".format(*column(columns, "LIMITS").split(", "))
        flags = [] if not flag or re.search(r"\bHIDDEN\b", columns) else [flag.split(",")[0], *also.get(name, [])]
        default = f"0: {zero}" if zero else column(columns, "DEFAULT") or ""
        yield f"| `{name}` | {text} | {default} | {', '.join(f'`--{f}`' for f in flags or also.get(name, []))} |"


PAGES = [
    (HERE / "man" / "sluice.1", '.\\" options\n', '.\\" end of options\n', manual),
    (HERE / "pipeline-format.md", "<!-- settings -->\n", "<!-- end of settings -->\n", lambda: settings(("READING", "SETTING", "NETWORK", "KEY"))),
    (HERE / "operations.md", "<!-- keys of http -->\n", "<!-- end of keys -->\n", lambda: settings(("HTTP", "HTTP_KEY"))),
]


def main():
    stale = False
    for page, begin, end, lines in PAGES:
        old = page.read_text()
        head, _, rest = old.partition(begin)
        new = head + begin + "".join(line + "\n" for line in lines()) + end + rest.partition(end)[2]
        if new != old and "--check" in sys.argv:
            print(f"{page} is not current: docs/generate_options.py writes it")
            stale = True
        elif new != old:
            page.write_text(new)
    return stale


if __name__ == "__main__":
    sys.exit(main())
