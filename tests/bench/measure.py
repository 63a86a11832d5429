"""Runs commands and takes their time: whole processes, in rounds so that what drifts meets all of them alike."""
import os
import signal
import statistics
import time
from dataclasses import dataclass, field


@dataclass
class Run:
    wall: float  # seconds from its start to its end
    cpu: float  # seconds, user and system, with all children it waited for
    peak: float  # MiB of resident memory of the largest process; not less than this program has, before exec
    others: float  # cores that the rest of the machine used meanwhile
    round: int = 0  # in which it was


@dataclass
class Command:
    name: str
    argv: list
    out: str  # the file it makes; removed before each run
    also: str = ""  # and another one
    to_stdout: bool = False  # it writes its standard output, which goes to `out`
    env: dict = field(default_factory=dict)
    runs: list = field(default_factory=list)
    first: Run = None  # the warm-up
    failed: str = ""

    def median(self, what):
        runs = self.runs or [self.first]
        return statistics.median(getattr(run, what) for run in runs)


def busy_seconds():
    """Core seconds this machine has been busy since it was started."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def spawn(command, log):
    """Starts the command in a session of its own; its id."""
    written = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    out = command.out if command.to_stdout else os.devnull
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, out, written, 0o666),
             (os.POSIX_SPAWN_OPEN, 2, log, written, 0o666)]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **command.env}
    return os.posix_spawnp(command.argv[0], command.argv, environment, file_actions=files, setsid=True)


def reap(pid, limit):
    """Waits for a child, LIMIT seconds at most; then its whole session is ended. Returns (status, usage)."""
    def expired(*_):
        os.killpg(pid, signal.SIGKILL)
    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        _, status, usage = os.wait4(pid, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return status, usage


def once(command, limit):
    """One run; None and command.failed set where it did not end well."""
    for path in (command.out, command.also):
        if os.path.exists(path):
            os.remove(path)
    log = command.out + ".log"
    busy, start = busy_seconds(), time.monotonic()
    status, usage = reap(spawn(command, log), limit)
    wall = time.monotonic() - start
    cpu = usage.ru_utime + usage.ru_stime
    others = max(0.0, busy_seconds() - busy - cpu) / wall
    code = os.waitstatus_to_exitcode(status)
    if code:
        with open(log, errors="replace") as file:
            command.failed = f"stopped after {limit} s" if code == -signal.SIGKILL else f"exit {code}: {file.read(300).strip()}"
        return None
    return Run(wall, cpu, usage.ru_maxrss / 1024, others)


class Patience:
    """Waits for a quiet machine, SECONDS at most over all waits."""

    def __init__(self, seconds):
        self.left = seconds

    def wait(self):
        """Until others have used less than a tenth of a core for a second."""
        while self.left > 0:
            before = busy_seconds()
            time.sleep(1)
            self.left -= 1
            if busy_seconds() - before < 0.1:
                return


def interleaved(commands, rounds, limit, patience, slow):
    """Warms every command up, then runs ROUNDS rounds of all, every other one backwards. One whose warm-up took more than 3 seconds and SLOW times the
    fastest is not run again: its warm-up counts. A run in which others used a quarter of a core is done again after a wait, as
    long as there is PATIENCE."""
    for command in commands:
        command.first = once(command, limit)
    well = [command for command in commands if command.first]
    fastest = min((command.first.wall for command in well), default=0)
    often = [command for command in well if command.first.wall <= max(slow * fastest, 3.0)]
    for number in range(rounds):
        for command in often[::-1 if number % 2 else 1]:
            run = once(command, limit)
            if run and run.others > 0.25 and patience.left > 0:
                patience.wait()
                run = once(command, limit)
            if run:
                run.round = number
                command.runs.append(run)


def paired(one, other):
    """How many times OTHER's wall time ONE took, round by round, so that a machine that slows down meets both; the median. None where
    one of them failed."""
    if not one.first or not other.first:
        return None
    by_round = {run.round: run.wall for run in other.runs or [other.first]}
    ratios = [run.wall / by_round[run.round] for run in one.runs or [one.first] if run.round in by_round]
    return statistics.median(ratios) if ratios else None
