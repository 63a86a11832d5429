#!/usr/bin/env python3
"""Makes docs/pipes.md of what the program says about its pipes. Standard library only.

    SLUICE=build/dev/sluice docs/generate_pipes_md.py            writes docs/pipes.md
    SLUICE=build/dev/sluice docs/generate_pipes_md.py --check    fails when docs/pipes.md is not current
"""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE / "pipes.md"

INTRODUCTION = """# Pipes

<!-- Made by docs/generate_pipes_md.py from `sluice pipes --json`; do not edit. -->

Every pipe with its conf. The form of a definition, call options (`field`, `assign`, `emit`, `count`) and values that depend on
the item are in [pipeline-format.md](pipeline-format.md). `sluice pipes NAME` shows the same in a terminal.
"""

KINDS = [
    ("source", "Sources", "make items."),
    ("processor", "Processors", "take one item at a time."),
    ("operator", "Operators", "take the stream."),
    ("splitter", "Splitters", "give a stream to several readers."),
]


def pipes():
    program = os.environ.get("SLUICE", "sluice")
    return json.loads(subprocess.run([program, "pipes", "--json"], check=True, stdout=subprocess.PIPE).stdout)


def cell(text):
    """As it may stand in a table: | means a new cell there."""
    return text.replace("|", "\\|").replace("\n", " ")


def option_rows(options, prefix=""):
    for option in options:
        names = f"`{prefix}{option['name']}`" + (f" (or `{option['alias']}`)" if "alias" in option else "")
        yield f"| {names} | {cell(option['usage'])} | {cell(option.get('help', ''))} |"
        yield from option_rows(option.get("rule", []), f"{prefix}{option['name']}.")


def options_table(options):
    if not options:
        return []
    return ["| key | value | meaning |", "|---|---|---|", *option_rows(options), ""]


def call_line(pipe):
    """What a processor looks at and where its result goes, when the definition does not say."""
    facts = []
    if "field" in pipe:
        facts.append(f"field `{pipe['field']}`")
    if pipe.get("cast", "pass") != "pass":
        facts.append(f"read as {pipe['cast']}")
    if "assign" in pipe:
        facts.append(f"result under `{pipe['assign']}`")
    if pipe.get("main"):
        facts.append(f"main key `{pipe['main']}`")
    if pipe["second_stream"]:
        facts.append("second stream on the port `other`")
    if pipe["more_streams"]:
        facts.append("further streams on `_OTHER` ports")
    return ["Defaults: " + "; ".join(facts) + ".", ""] if facts else []


def command(example):
    """The example as a shell takes it: a definition up to END, or steps in the quotes that they have no need of."""
    if example.startswith("{"):
        return f"sluice run /dev/stdin <<'END'\n{example}\nEND"
    quote = '"' if "'" in example else "'"
    return f"sluice pipe {quote}{example}{quote}"


def section(pipe):
    yield f"### {pipe['name']}"
    yield ""
    yield pipe["summary"][0].upper() + pipe["summary"][1:].rstrip(".") + "."
    yield ""
    if pipe.get("details"):
        yield pipe["details"]
        yield ""
    yield from options_table(pipe["options"])
    yield from call_line(pipe)
    if pipe.get("example"):
        yield "```sh"
        yield command(pipe["example"])
        yield "```"
        yield ""


def document(described):
    yield INTRODUCTION
    for kind, title, what in KINDS:
        chosen = [p for p in described if p["kind"] == kind]
        if not chosen:
            continue
        yield f"## {title}"
        yield ""
        yield f"{title} {what} " + ", ".join(f"[{p['name']}](#{p['name']})" for p in chosen) + "."
        yield ""
        for pipe in chosen:
            yield from section(pipe)


def main():
    text = "\n".join(document(pipes())).rstrip("\n") + "\n"
    if "--check" not in sys.argv:
        TARGET.write_text(text, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        sys.exit("docs/pipes.md is not current: run SLUICE=... docs/generate_pipes_md.py")


if __name__ == "__main__":
    main()
