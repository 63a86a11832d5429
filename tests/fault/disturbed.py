"""One run of a job with something that fails in it, and the judgement on what came of it."""

import ctypes
import os
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

import jobs

# As in shim.c.
CLASSES = (
    "memory open read write sync rename remove truncate close stat lock control start pair poll send receive map folder wait any"
).split()
EVERYWHERE, COORDINATOR, WORKERS = range(3)
ONCE, ON, BY_TURNS = range(3)
HOWS = ("once", "on", "by turns")
NOTES_SIZE = 16384
TIMEOUT = 20
LINGER = 2  # seconds that workers may outlive their coordinator

# What a run may come to. The first three are right.
OK, FAILED, KILLED = "ok", "clean failure", "killed"
CRASH, LIBRARY, HANG, NO_WORK, MIX, LITTER, MESSAGE, CODE, ORPHAN, VISIBLE = (
    "crash in our code",
    "crash in a library",
    "hang",
    "rc 0 without the work",
    "mix of old and new",
    "left behind",
    "no clear message",
    "wrong exit code",
    "worker outlives",
    "interruption shows",
)
GOOD = (OK, FAILED, KILLED)
LISTED = (LIBRARY,)
FAULTS = (CRASH, HANG, NO_WORK, MIX, LITTER, MESSAGE, CODE, ORPHAN, VISIBLE)
FAILURE_CODES = (1, 75)
DONE_BUT = "is replaced, but"  # the disk would not say whether a power failure leaves it so

PASSED_OVER = ("libc.so.6", "ld-linux-x86-64.so.2", "libpthread.so.0")  # and the shim


def adopt_orphans():
    """Workers whose coordinator was killed become children of this process, which can then wait for them."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


class Fault:
    """CLASS_, AT, HOW, WHERE as in shim.c. WHAT: an errno, 0 for a short transfer, -N for signal N."""

    def __init__(self, class_="any", at=0, how=ONCE, what=0, where=EVERYWHERE):
        self.class_, self.at, self.how, self.what, self.where = class_, at, how, what, where

    def __str__(self):
        what = signal.Signals(-self.what).name if self.what < 0 else os.strerror(self.what) if self.what else "short"
        place = ("", " in the coordinator", " in workers")[self.where]
        return f"{self.class_} {self.at}{place}, {HOWS[self.how]}: {what}"

    def text(self):
        return f"{CLASSES.index(self.class_)} {self.at} {self.how} {self.what} {self.where}"


class Notes:
    """What the shim wrote."""

    def __init__(self, data):
        n = len(CLASSES)
        numbers = struct.unpack_from(f"<{3 * n + 3}Q", data)
        self.calls = [dict(zip(CLASSES, numbers[i * n :])) for i in range(3)]
        self.fired, self.crash, self.crash_place = numbers[3 * n :]
        text = data[8 * len(numbers) :]
        self.stack = text[: text.index(0)].decode("utf-8", "replace").splitlines()

    def crashed_in(self):
        """The object of the first frame that is neither the shim's nor the C library's."""
        for frame in self.stack:
            name = os.path.basename(frame.rsplit("+", 1)[0])
            if name not in PASSED_OVER and "shim" not in name:
                return name
        return "unknown"


class Outcome:
    def __init__(self, kind, detail, code, notes):
        self.kind, self.detail, self.code, self.notes = kind, detail, code, notes


class Bench:
    """A folder for the runs of one thread, one after another."""

    def __init__(self, folder, inputs, program, shim, reader):
        self.program, self.shim, self.reader = program, shim, reader
        self.impatient = jobs.is_impatient(program)
        self.folder, self.work, self.spill = folder, folder / "work", folder / "spill"
        self.notes, self.errors = folder / "notes", folder / "stderr"
        folder.mkdir()
        (folder / "in").symlink_to(inputs)

    def clear(self):
        for folder in (self.work, self.spill):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        (self.work / "in").symlink_to(self.folder / "in")

    def left(self, job):
        """What lies there and should not."""
        names = [p.name for p in self.work.iterdir() if p.name not in ("in", *job.outputs)]
        return sorted(names + [str(p.relative_to(self.spill)) for p in self.spill.rglob("*") if not p.is_dir()])

    def state(self, job):
        return tuple(self.reader.content(self.work / name) for name in job.outputs)

    def prepared(self, job):
        self.clear()
        job.put_old(self.work)

    def start(self, job, pool, fault=None, limit=None):
        env = jobs.environment(self.spill)
        if fault:
            self.notes.write_bytes(bytes(NOTES_SIZE))
            env.update(LD_PRELOAD=str(self.shim), SLUICE_FAULT=fault.text(), SLUICE_FAULT_NOTES=str(self.notes))
        words = jobs.command(self.program, job, pool, self.impatient)
        if limit:
            words = ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *words]
        with open(self.errors, "wb") as errors:
            return subprocess.Popen(
                words, cwd=self.work, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
            )

    def end(self, process):
        """(exit code or None for a hang, whether workers outlived it)"""
        try:
            code = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            signal_group(process.pid, signal.SIGABRT)
            time.sleep(0.2)
            signal_group(process.pid, signal.SIGKILL)
            process.wait()
            reap(process.pid, LINGER)
            return None, False
        left = reap(process.pid, LINGER)
        if left:
            signal_group(process.pid, signal.SIGKILL)
            reap(process.pid, LINGER)
        return code, left

    def message(self):
        return self.errors.read_text("utf-8", "replace").strip()

    def read_notes(self):
        return Notes(self.notes.read_bytes())


def signal_group(group, number):
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        pass


def reap(group, seconds):
    """Waits for all of a group. True: some live on."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            pid, _ = os.waitpid(-group, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            if time.monotonic() > deadline:
                return True
            time.sleep(0.005)


# ---- judgement ------------------------------------------------------------------------------------------------------------------


class Known:
    """States of a job: before, after one undisturbed run, after another on top."""

    def __init__(self, bench, job):
        bench.prepared(job)
        self.old = bench.state(job)
        self.new = self.after_run(bench, job)
        self.again = self.after_run(bench, job)

    @staticmethod
    def after_run(bench, job):
        code, _ = bench.end(bench.start(job, "inline"))
        if code != 0 or bench.left(job):
            raise SystemExit(f"{job.name}: an undisturbed run ended with {code}: {bench.message()} {bench.left(job)}")
        return bench.state(job)

    def is_between(self, job, state):
        """Outputs that are not committed together are new one after another, in their order."""
        parts = range(len(state) + 1)
        return not job.together and any(state == self.new[:n] + self.old[n:] for n in parts)

    def whole(self, job, state):
        return state in (self.old, self.new) or self.is_between(job, state)


def lines_of_failure(message):
    return [line for line in message.splitlines() if line.startswith("sluice: ") and not line.startswith(("sluice: warning:", "sluice: left out:"))]


def unclear(message, fault):
    """Why MESSAGE does not say what happened; None if it does."""
    lines = lines_of_failure(message)
    if len(lines) != 1 or len(message.splitlines()) != len([x for x in message.splitlines() if x.startswith("sluice: ")]):
        return f"not one message but {message!r}"
    text = lines[0][len("sluice: ") :]
    if len(text) < 8 or "without giving a reason" in text:
        return f"the message is {text!r}"
    if fault and fault.class_ == "memory" and "memory" not in text.lower():
        return f"memory failed, but the message is {text!r}"
    return None


def crash_or_hang(program, code, notes):
    if notes and notes.crash and code is not None:
        inside = notes.crashed_in()
        kind = CRASH if inside in (program.name, "unknown") else LIBRARY
        where = ("", "coordinator", "worker")[notes.crash_place]
        return kind, f"signal {notes.crash} in the {where}, in {inside}: {' < '.join(notes.stack[:14])}"
    if code is None:
        return HANG, " < ".join(notes.stack[:14]) if notes else ""
    return None


def judge(bench, job, known, fault, process):
    """The outcome of a run that had FAULT in it; FAULT None: only few descriptors."""
    code, orphans = bench.end(process)
    notes = bench.read_notes() if fault else None
    kind, detail = verdict(bench, job, known, fault, code, orphans, notes)
    return Outcome(kind, detail, code, notes)


def verdict(bench, job, known, fault, code, orphans, notes):
    bad = crash_or_hang(bench.program, code, notes)
    if bad:
        return bad
    if orphans:
        return ORPHAN, f"rc {code}"
    if code < 0:
        return CRASH, f"died of signal {-code}"
    state, message = bench.state(job), bench.message()
    if code == 0 and state != known.new:
        return NO_WORK, f"the output is {'the old' if state == known.old else 'neither the old nor the new'} one {message}"
    if code != 0 and state == known.new and DONE_BUT in message:
        return FAILED, message
    if code != 0 and state != known.old:
        if not known.is_between(job, state) or state == known.new:
            return MIX, f"rc {code}, but the output is {'the new' if state == known.new else 'not the old'} one; {message}"
    if [name for name in bench.left(job) if not may_leave(fault, name)]:
        return LITTER, f"rc {code}: {bench.left(job)} {message}"
    if code == 0:
        return OK, message
    return failure(fault, code, message)


def may_leave(fault, name):
    """What cannot be removed is left; and a journal that cannot be played back must stay, for what it holds is the old state."""
    if fault is None:
        return False
    if fault.class_ == "lock" and name.endswith(".lock"):
        return True  # it is somebody else's who seems to hold it
    return fault.class_ == "remove" or (fault.how == ON and fault.class_ != "memory" and name.endswith("-journal"))


def failure(fault, code, message):
    if fault and fault.what in (0, 4):
        return VISIBLE, f"rc {code}: {message}"
    if code not in FAILURE_CODES:
        return CODE, f"rc {code}: {message}"
    bad = unclear(message, fault)
    return (MESSAGE, f"rc {code}: {bad}") if bad else (FAILED, message)


def judge_killed(bench, job, known, process, pool):
    """After SIGKILL: old or new, and the next run works and sweeps what was left."""
    code, orphans = bench.end(process)
    if code is None:
        return Outcome(HANG, "", code, None)
    if orphans:
        return Outcome(ORPHAN, f"rc {code}", code, None)
    state = bench.state(job)
    if not known.whole(job, state) or (code == 0 and state != known.new):
        return Outcome(MIX, f"rc {code}, after the kill the output is neither the old nor the new one", code, None)
    left = bench.left(job)
    again, _ = bench.end(bench.start(job, pool))
    wanted = known.again if state == known.new else known.new
    got = bench.state(job)
    if again != 0 or (got != wanted and job.together):
        return Outcome(NO_WORK, f"the next run ended with {again}: {bench.message()}; before it there were {left}", code, None)
    if bench.left(job):
        return Outcome(LITTER, f"the next run left {bench.left(job)} of {left}", code, None)
    return Outcome(OK if code == 0 else KILLED, "", code, None)


def judge_terminated(bench, job, known, process):
    """After SIGTERM: 143 and the old state, or the run was done already."""
    code, orphans = bench.end(process)
    state, message = bench.state(job), bench.message()
    if code is None:
        return Outcome(HANG, "", code, None)
    if orphans:
        return Outcome(ORPHAN, f"rc {code}", code, None)
    if bench.left(job):
        return Outcome(LITTER, f"rc {code}: {bench.left(job)}", code, None)
    if code == 0:
        return Outcome(OK, "", code, None) if state == known.new else Outcome(NO_WORK, message, code, None)
    if code not in (143, -signal.SIGTERM):
        return Outcome(CODE, f"rc {code}: {message}", code, None)
    if state != known.old:
        return Outcome(MIX, f"rc {code}, the output is {'the new' if state == known.new else 'neither the old nor the new'} one", code, None)
    return Outcome(KILLED, message, code, None)
