"""Medians into tables, bars into verdicts, both into docs/performance.md."""
import os
import platform
import subprocess
import time
from dataclasses import dataclass

from measure import paired

MEMORY = 128  # MiB
GROWTH = 1.1  # of the peak, from the smaller table to the larger
SCALING = {"W9": 1.6, "W11": 1.7, "W14": 1.7}  # two workers against one
GATHERING = {"W4b", "W5"}  # hold what they sort or join


@dataclass
class Bar:
    text: str
    measured: str
    met: bool


def first_line(path, key):
    with open(path) as file:
        for line in file:
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    return "unknown"


def machine(cores, filesystem):
    memory = int(first_line("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    system = first_line_of_release()
    return (f"{first_line('/proc/cpuinfo', 'model name')}, {len(cores)} cores used of {os.cpu_count()}, {memory:.0f} GiB; "
            f"{system}, Linux {platform.release()}; files on {filesystem}")


def first_line_of_release():
    with open("/etc/os-release") as file:
        for line in file:
            if line.startswith("PRETTY_NAME="):
                return line.split("=", 1)[1].strip().strip('"')
    return platform.system()


def filesystem_of(path):
    done = subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def seconds(x):
    return f"{x * 1000:.1f} ms" if x < 0.1 else f"{x:.3f} s"


def table(workload, wrong):
    """One workload's table. WRONG: {command name: what differs}."""
    ours = workload.commands[0].median("wall") if workload.commands[0].first else None
    lines = ["| | wall | least to most | cpu | peak MiB | times sluice's | records |", "|---|---|---|---|---|---|---|"]
    for c in workload.commands:
        if not c.first:
            lines.append(f"| {c.name} | {c.failed} | | | | | |")
            continue
        walls = [run.wall for run in c.runs] or [c.first.wall]
        ratio = f"{c.median('wall') / ours:.2f}" if ours else ""
        once = "" if c.runs else " (once)"
        records = "reference" if c is workload.commands[0] else "**differ**" if c.name in wrong else "same"
        lines.append(f"| {c.name} | {seconds(c.median('wall'))}{once} | {min(walls):.3f} to {max(walls):.3f} | {c.median('cpu'):.3f} | "
                     f"{c.median('peak'):.0f} | {ratio} | {records} |")
    return lines


def fastest(workload, rivals):
    done = [c for c in workload.commands[1:] if c.first and c.name in rivals]
    return min(done, key=lambda c: c.median("wall"), default=None)


def whom_of(rivals):
    if rivals == ["sqlite3"]:
        return "sqlite3's .import"
    return rivals[0] if len(rivals) == 1 else "the fastest of " + ", ".join(rivals)


def speed_bar(workload, against):
    ours, rival = workload.commands[0], fastest(workload, against.rivals)
    much = "at least as fast" if against.factor == 1 else f"at least {against.factor:g} times as fast"
    whom = whom_of(against.rivals)
    text = f"{workload.name}: {much} as {whom}"
    if not ours.first:
        return Bar(text, ours.failed, False)
    if not rival:
        return Bar(text, "no such peer is installed", False)
    ratio = rival.median("wall") / ours.median("wall")
    return Bar(text, f"{ratio:.2f} times {rival.name}", ratio >= against.factor)


def scaling_bars(workload, least):
    by_name = {c.name: c for c in workload.commands}
    for one, two in (("1 thread", "2 threads"), ("1 process", "2 processes")):
        a, b = by_name[one], by_name[two]
        text = f"{workload.name}: {two} at least {least} times as fast as {one}"
        ratio, limit = paired(a, b), paired(by_name["inline"], by_name["two inline at once"])
        if ratio is None:
            yield Bar(text, a.failed or b.failed or "no round has both", False)
            continue
        limit = f"{2 * limit:.2f}" if limit else "failed"
        yield Bar(text, f"{ratio:.2f} times; two runs that share nothing: {limit}", ratio >= least)


def memory_bars(workloads, larger, labels):
    small = {name: w.commands[0] for name, w in workloads.items() if name not in GATHERING and w.commands[0].first}
    if small:
        name, most = max(((n, c.median("peak")) for n, c in small.items()), key=lambda x: x[1])
        yield Bar(f"peak memory below {MEMORY} MiB on all but the full sort and the join", f"at most {most:.0f} MiB ({name})",
                  most < MEMORY)
    for name, big in larger.items():
        if name in small:
            a, b = small[name].median("peak"), big.median("peak") if big.first else float("inf")
            yield Bar(f"{name}: no more memory for {labels[1]} records than for {labels[0]}", big.failed or f"{a:.0f} and {b:.0f} MiB",
                      b <= a * GROWTH and b < MEMORY)


def record_bar(wrong):
    named = [f"{workload}: {name}: {what}" for workload, names in wrong.items() for name, what in names.items()]
    return Bar("sluice's records are those of every peer, and the same bytes on every pool", "; ".join(named) or "they are", not named)


def bars(workloads, larger, labels, wrong):
    made = [speed_bar(w, against) for w in workloads.values() for against in w.bars]
    for name, least in SCALING.items():
        if name in workloads:
            made += scaling_bars(workloads[name], least)
    return made + list(memory_bars(workloads, larger, labels)) + [record_bar(wrong)]


def bar_table(made):
    return ["| bar | measured | |", "|---|---|---|", *(f"| {b.text} | {b.measured} | {'met' if b.met else '**missed**'} |" for b in made)]


INTRO = """# Performance

Written by `tests/bench/run`; do not edit, run it again.

{machine}. {date}.

| | version |
|---|---|
{versions}

The table of crimes has 12 columns; a fifth of the descriptions are quoted and one record in two hundred has a newline inside
(`tests/bench/generate.py`). {label} records are {csv:.0f} MB as CSV and {jsonl:.0f} MB as JSON Lines; the text of W8 has as many lines,
{txt:.0f} MB. The feed of W10 is {feed:.0f} MB long, the 400 of W11 are {feeds:.0f} MB together; half of the entries have their HTML escaped, the others in CDATA.

Times are of whole processes, from start to end, pinned to {cores} cores with {workers} workers; input in the page cache; medians of
{rounds} rounds in which every program runs once, after a warm-up; of 15 where two workers are compared with one, and there the
ratio is the median of those of each round. What two workers can gain at most on a machine whose cores share caches and memory with others is
seen from two inline runs at once. A program whose warm-up took more than 3 seconds, and more than
{slow:g} times as long as the fastest and twice as long as its bar allows, is not run again (*once*). Peak memory is that of the largest process as the kernel counts it, but never less than
the {floor:.0f} MiB of the runner, from which it starts. Other programs of the machine used {others:.2f} cores meanwhile (median over
all runs): compare the ratios, not the times.

What is compared: sluice syncs every file to the disk (fsync) before it takes its name, and a SQLite load is there whole or not at
all, also after a crash; the peers do neither, and `sqlite3` runs with its journal and syncing off. DuckDB gets the columns' types and is not made to guess; run
*unordered* it may write records in any order. Polars is started by node. xmlstarlet copies dates as they
stand; sluice and feedparser read them and give them in UTC. mawk reads lines, not CSV, so it appears only where that
gives the right records on this data.
"""


def write(path, facts, workloads, made, wrong):
    """The whole document."""
    lines = [INTRO.format(**facts), "## Bars", "", *bar_table(made)]
    for workload in workloads.values():
        lines += ["", f"## {workload.name}: {workload.title}", "", *table(workload, wrong.get(workload.name, {}))]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "w") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(path + ".part", path)


def today():
    return time.strftime("%Y-%m-%d")
