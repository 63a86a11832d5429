"""What the tests of the command line share: running the program, a private folder, the pools to compare.

The program is $SLUICE. Standard library only."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(p for p in (SOURCE / "configs").glob("*.json") if not p.name.endswith(".schema.json"))
PROGRAM = shutil.which(os.environ.get("SLUICE", "sluice")) or ""
PROGRAM = PROGRAM and os.path.abspath(PROGRAM)  # tests run in folders of their own
INLINE = ("--parallel=false",)
TIMEOUT = 300


def pools(workers=(1, 2, 3, 8)):
    """The arguments of every pool: inline first, which the others must equal."""
    yield INLINE
    for n in workers:
        yield ("-j", str(n))
        yield ("--threads=false", "-j", str(n))


class Result:
    """How a run ended: code, out and err (bytes), and the peak resident memory of the largest process, in bytes."""

    def __init__(self, code, out, err, peak):
        self.code, self.out, self.err, self.peak = code, out, err, peak

    @property
    def message(self):
        return self.err.decode("utf-8", "replace").strip()


def limits(sizes):
    """Runs in the child: RLIMIT_* by name."""
    for name, value in sizes.items():
        resource.setrlimit(getattr(resource, name), (value, value))


def run(*args, stdin=None, stdout=None, cwd=None, env=None, rlimits=None):
    """One run of the program. STDIN: bytes; STDOUT: a file object instead of a pipe."""
    words = [PROGRAM, *map(str, args)]
    with tempfile.TemporaryFile() as err:
        p = subprocess.Popen(
            words,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=err,
            cwd=cwd,
            env=env,
            preexec_fn=(lambda: limits(rlimits)) if rlimits else None,
        )
        timer = threading.Timer(TIMEOUT, p.kill)
        timer.start()
        out, usage = drain(p, stdin)
        timer.cancel()
        err.seek(0)
        return Result(p.returncode, out, err.read(), usage.ru_maxrss * 1024)


def feed(p, data):
    try:
        p.stdin.write(data)
        p.stdin.close()
    except BrokenPipeError:
        pass


def drain(p, stdin):
    """All the output, then the end with what it used (wait4, which subprocess does not offer)."""
    feeder = None
    if stdin is not None:
        feeder = threading.Thread(target=feed, args=(p, stdin))
        feeder.start()
    out = p.stdout.read() if p.stdout else b""
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if feeder:
        feeder.join()
    for f in (p.stdout, p.stdin):
        if f and not f.closed:
            try:
                f.close()
            except BrokenPipeError:
                pass
    return out, usage


class Case(unittest.TestCase):
    """A test with a folder of its own; spilled data goes into its `spill`."""

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.spill = self.dir / "spill"
        self.spill.mkdir()
        self.env = dict(os.environ, TMPDIR=str(self.spill))
        self.addCleanup(shutil.rmtree, self.dir, True)

    def file(self, name, data):
        path = self.dir / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def sluice(self, *args, code=0, **more):
        r = run(*args, cwd=self.dir, env=more.pop("env", self.env), **more)
        if code is not None and r.code != code:
            self.fail(f"sluice {' '.join(map(str, args))} ended with {r.code}, not {code}: {r.message}")
        return r

    def names(self):
        """Every file in the folder, for tests that nothing is left behind."""
        return sorted(str(p.relative_to(self.dir)) for p in self.dir.rglob("*") if p.is_file())


def main():
    if not PROGRAM:
        sys.exit("set SLUICE to the program")
    unittest.main(verbosity=2)
