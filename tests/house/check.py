#!/usr/bin/env python3
"""What docs/architecture.md says of the house, held against the house.

    tests/house/check.py [--objects BUILD] [--write]

Rooms are the targets of CMakeLists.txt, families the folders within a room. Prints what breaks a rule and ends with 1 if anything does:

  - an include, or a symbol that the linker would have to find, leads into a room that is not seen;
  - more than one header of a family is included from outside of it (its door), or a file that a pipe shares stands outside a family;
  - files of different folders need each other, or more than two of one folder do;
  - an object of the library has a variable that can change;
  - a source of more than 80 lines does not begin with what it does and why it does so, or a header with its name; a header's
    guard is not made of its path, or a line of it is too long;
  - the map of the page is not that of the files.

--objects looks into the objects of a build as well; --write puts the map into the page."""

import argparse
import collections
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
MAP = re.compile(r"(<!-- map -->\n```\n).*?(```\n<!-- end of map -->\n)", re.S)
WIDTH = 118
SHORT = 80  # lines of a source that need no introduction
WIDEST = 132  # of a header, also where the formatter is off
# Sections of what can change; a library that must be started once in a process has a pthread_once_t, NAME_once.
CHANGES = re.compile(r"\.(t?data|t?bss)(\.(?!rel\.ro)\S+)?")
# They name what their .def lists, wherever it stands.
LISTS = ("src/plan/registry.c",)
# A pipe is what these rooms are made of: a file at their top is one.
OF_PIPES = ("operators", "sources")


class Room:
    def __init__(self, name, folder, seen):
        self.name, self.folder, self.sees = name, folder, [*seen, name]


def rooms():
    text = (ROOT / "CMakeLists.txt").read_text()
    found = re.findall(r"^sluice_room\((\w+) ([\w/]+)(?: SEES ([\w ]+?))?(?:\s+USES [^)]*)?\)", text, re.M)
    return {name: Room(name, folder, seen.split()) for name, folder, seen in found}


class File:
    """One unit: a source with the header of its name, or either alone."""

    def __init__(self, stem):
        self.stem, self.needs = stem, {}  # needs: unit -> the include
        self.paths = []

    @property
    def room(self):
        return self.stem.split("/")[0]

    @property
    def folder(self):
        return self.stem.rsplit("/", 1)[0]

    @property
    def name(self):
        return self.stem.rsplit("/", 1)[1]

    def has(self, words):
        return any(words in path.read_text() for path in self.paths)

    @property
    def family(self):
        return self.folder if "/" in self.folder else None


def files(all_rooms):
    """stem, as it is included -> File"""
    units, texts = {}, {}
    for room in all_rooms.values():
        for path in sorted((ROOT / room.folder).rglob("*.[ch]")):
            name = f"{room.name}/{path.relative_to(ROOT / room.folder)}"
            unit = units.setdefault(name[:-2], File(name[:-2]))
            unit.paths.append(path)
            texts[name] = path.read_text()
    for name, text in texts.items():
        for included in re.findall(r'^#include "([^"]+)\.h"', text, re.M):
            if included in units and included != name[:-2]:
                units[name[:-2]].needs.setdefault(included, f"{name} includes {included}.h")
    return units


def circles(units):
    """Sets of units that need each other, by Tarjan's algorithm."""
    index, low, stack, found = {}, {}, [], []

    def visit(stem):
        index[stem] = low[stem] = len(index)
        stack.append(stem)
        for other in units[stem].needs:
            if other not in index:
                visit(other)
                low[stem] = min(low[stem], low[other])
            elif other in stack:
                low[stem] = min(low[stem], index[other])
        if low[stem] == index[stem]:
            at = stack.index(stem)
            ring = stack[at:]
            del stack[at:]
            if len(ring) > 1:
                found.append(sorted(ring))

    for stem in units:
        if stem not in index:
            visit(stem)
    return found


def doors(units):
    """family -> headers that others include"""
    found = collections.defaultdict(dict)
    for unit in units.values():
        for other, what in unit.needs.items():
            family = units[other].family
            if family and not (unit.folder + "/").startswith(family + "/"):
                found[family].setdefault(other, what)
    return found


def pipes():
    return set(re.findall(r"^X\((\w+)\)", (ROOT / "src/plan/registry.def").read_text(), re.M))


def check_sources(all_rooms, units):
    for unit in units.values():
        for other, what in unit.needs.items():
            if units[other].room not in all_rooms[unit.room].sees:
                yield f"{what}, but {unit.room} does not see {units[other].room}"
        if unit.room in OF_PIPES and not unit.family and unit.name not in pipes():
            yield f"{unit.paths[0].relative_to(ROOT)} is no pipe: what pipes share stands in a folder"
    for family, opened in doors(units).items():
        if len(opened) > 1:
            yield f"{family} has more than one door: {'; '.join(opened.values())}"
    for ring in circles(units):
        if len({units[s].folder for s in ring}) > 1 or len(ring) > 2:
            yield f"these need each other: {', '.join(ring)}"


def check_heads():
    """What a file says of itself before anything else. Those of tests are known by their names alone."""
    for path in sorted(p for top in ("src", "sinks", "workers", "tests") for p in (ROOT / top).rglob("*.[ch]")):
        text, shown = path.read_text(), path.relative_to(ROOT)
        if path.suffix == ".c":
            if text.count("\n") > SHORT and not text.startswith("/*"):
                yield f"{shown} does not begin with what it does and why it does so"
            continue
        name = f"tests_{path.name}" if shown.parts[0] == "tests" else str(shown).removeprefix("src/")
        guard = re.sub(r"\W", "_", name).upper()
        if max(map(len, text.splitlines())) > WIDEST:
            yield f"{shown} has a line over {WIDEST}"
        if not text.startswith(f"/* {path.name}: "):
            yield f"{shown} does not begin with its name and what it is for"
        if not re.search(rf"^#ifndef ((?:SL_)?{guard})\n#define \1$", text, re.M):
            yield f"{shown} has another guard than SL_{guard}"


# ---- objects --------------------------------------------------------------------------------------------------------------------


def objects(build, all_rooms):
    """(room, object) of every room's objects in the folder of a build."""
    for room in all_rooms.values():
        for path in sorted((build / "CMakeFiles" / f"sl_{room.name}.dir").rglob("*.o")):
            if (ROOT / source_of(path)).exists():  # else it is left of an older build
                yield room, path


def source_of(path):
    return str(path).split(".dir/", 1)[1].removesuffix(".o")


def symbols(found):
    """(room, source, kind as nm has it, section, name) of each symbol of the objects FOUND."""
    of = {str(path): (room, source_of(path)) for room, path in found}
    listing = subprocess.run(["nm", "--format=sysv", *of], check=True, stdout=subprocess.PIPE, text=True).stdout
    room = source = None
    for line in listing.splitlines():
        part = [p.strip() for p in line.split("|")]
        if len(part) == 7:
            yield room, source, part[2], part[6], part[0]
        elif "from " in line:
            room, source = of[line.split("from ", 1)[1].rstrip(":")]


def check_objects(build, all_rooms):
    defined, needed = {}, []
    found = list(objects(build, all_rooms))
    if not found:
        yield f"there are no objects in {build}"
        return
    for room, short, kind, section, name in symbols(found):
        if kind == "U":
            needed.append((room, short, name))
        elif kind.isupper():
            defined[name] = (room, short)
        if CHANGES.fullmatch(section) and not name.startswith(".") and not name.endswith("_once"):
            yield f"{short} has a variable that can change: {name}"
    for room, short, name in needed:
        there = defined.get(name)
        if there and short not in LISTS and there[0].name not in room.sees:
            yield f"{short} uses {name} of {there[1]}, but {room.name} does not see {there[0].name}"


# ---- the map --------------------------------------------------------------------------------------------------------------------


def lines_of(head, words):
    """HEAD, and behind it WORDS in as many lines as they need."""
    line, out = head, []
    for word in words:
        if len(line) + 1 + len(word) > WIDTH:
            out.append(line.rstrip())
            line = " " * len(head)
        line += " " + word
    return [*out, line.rstrip()]


def drawn(all_rooms, units):
    """A line a room and a line a family: their files, without suffix. A family's door comes first, in brackets; pipes have a star."""
    opened, known, out = doors(units), pipes(), []

    def shown(unit):
        marked = unit.room in OF_PIPES and unit.name in known and unit.has(f"const sl_pipe sl_pipe_{unit.name} =")
        return unit.name + "*" if marked else f"[{unit.name}]" if unit.stem in opened.get(unit.folder, ()) else unit.name

    for room in all_rooms.values():
        folders = collections.defaultdict(list)
        for unit in units.values():
            if unit.room == room.name:
                folders[unit.folder].append(unit)
        for folder in sorted(folders):
            here = sorted(folders[folder], key=lambda u: (u.stem not in opened.get(folder, ()), u.name))
            head = room.folder if folder == room.name else "    " + folder.split("/", 1)[1] + "/"
            out += lines_of(f"{head:16}", map(shown, here))
    return "".join(line + "\n" for line in out)


def check_map(all_rooms, units, write):
    page = PAGE.read_text()
    if not MAP.search(page):
        yield f"{PAGE.relative_to(ROOT)} has no map"
    new = MAP.sub(lambda m: m.group(1) + drawn(all_rooms, units) + m.group(2), page)
    if new != page and write:
        PAGE.write_text(new)
    elif new != page:
        yield f"the map in {PAGE.relative_to(ROOT)} is not that of the files: tests/house/check.py --write"


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--objects", type=Path, metavar="BUILD")
    args.add_argument("--write", action="store_true")
    args = args.parse_args()
    all_rooms = rooms()
    units = files(all_rooms)
    broken = [*check_sources(all_rooms, units), *check_heads(), *check_map(all_rooms, units, args.write)]
    if args.objects:
        broken += check_objects(args.objects, all_rooms)
    print("\n".join(broken) or f"{len(all_rooms)} rooms, {len(units)} files: every rule holds")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
