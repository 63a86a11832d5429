"""The programs sluice is measured against: where they are, what version they have, how to get them."""
import glob
import os
import platform
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = {"sqlite3": "sqlite3", "mawk": "mawk", "Miller": "miller", "xmlstarlet": "xmlstarlet"}  # of Debian
COMMANDS = {"sqlite3": "sqlite3", "mawk": "mawk", "Miller": "mlr", "xmlstarlet": "xmlstarlet"}
MODULES = {"DuckDB": "@duckdb/node-api", "Polars": "nodejs-polars"}  # of npm
PYTHON = "/usr/bin/python3"
NAMES = ["DuckDB", "Polars", "Miller", "mawk", "sqlite3", "xmlstarlet", "Python", "feedparser"]
POLARS = "nodejs-polars-linux-" + {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()) + "-gnu"


def output(*argv, **env):
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, env={**os.environ, **env})
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout.strip() or done.stderr.strip()).split("\n")[0]


class Peers:
    """What is installed. FOLDER holds node_modules and python; BUILT gets the small program that runs DuckDB."""

    def __init__(self, folder, built):
        self.modules = os.path.join(folder, "node_modules")
        self.packages = os.path.join(os.path.abspath(folder), "python")
        self.duckdb_run = os.path.join(built, "duckdb_run")
        self.versions = {}
        for name, command in COMMANDS.items():
            if shutil.which(command):
                flag = ["-W", "version"] if name == "mawk" else ["--version"]
                self.versions[name] = output(command, *flag)
        self.versions["Python"] = output(PYTHON, "--version")
        if os.path.isdir(f"{self.packages}/feedparser"):
            version = output(PYTHON, "-c", "import feedparser; print(feedparser.__version__)", PYTHONPATH=self.packages)
            self.versions["feedparser"] = f"feedparser {version}"
        if self.find_duckdb():
            self.versions["DuckDB"] = self.module_version("@duckdb/node-bindings")
        if shutil.which("node") and all(os.path.isdir(f"{self.modules}/{part}") for part in ("nodejs-polars", POLARS)):
            self.versions["Polars"] = f"nodejs-polars {self.module_version('nodejs-polars')}, node {output('node', '--version')}"

    def find_duckdb(self):
        found = glob.glob(f"{self.modules}/@duckdb/node-bindings-*/libduckdb.so")
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if not found or not compiler:
            return False
        folder = os.path.dirname(os.path.abspath(found[0]))
        os.makedirs(os.path.dirname(self.duckdb_run), exist_ok=True)
        build = [compiler, "-O2", f"{HERE}/duckdb_run.c", "-o", self.duckdb_run, f"-L{folder}", "-lduckdb", f"-Wl,-rpath,{folder}"]
        return subprocess.run(build, stdin=subprocess.DEVNULL).returncode == 0

    def module_version(self, name):
        return output("node", "-p", f"require('{os.path.abspath(self.modules)}/{name}/package.json').version")

    def missing(self):
        return [name for name in NAMES if not self.versions.get(name)]

    # Command lines. Each is a list of words; where the program writes to its standard output, the runner sends that to a file.

    def duckdb(self, workers, *sql):
        return [self.duckdb_run, str(workers), *sql]

    def polars(self, task, source, out, *more):
        return ["node", f"{HERE}/polars_run.js", os.path.abspath(self.modules), task, source, out, *more]

    def python(self, task, source, out):
        return [PYTHON, f"{HERE}/python_run.py", task, source, out]


def how_to_install(names, folder):
    """Lines for a shell that install the peers NAMES."""
    packages = [PACKAGES[name] for name in names if name in PACKAGES]
    modules = [MODULES[name] for name in names if name in MODULES]
    lines = []
    if modules and not shutil.which("npm"):
        packages += ["nodejs", "npm"]
    if "feedparser" in names and "pip" not in output(PYTHON, "-m", "pip", "--version"):
        packages += ["python3-pip"]
    if packages:
        lines.append("apt-get install -y --no-install-recommends " + " ".join(packages))
    if modules:
        lines.append(f"npm install --prefix {os.path.relpath(folder)} " + " ".join(modules))
    if "Polars" in names:  # its compiled part is optional, and npm leaves it out where it asks for a newer node
        package = os.path.join(os.path.abspath(folder), "node_modules/nodejs-polars/package.json")
        lines.append(f"npm install --prefix {os.path.relpath(folder)} {POLARS}@$(node -p \"require('{package}').version\")")
    if "feedparser" in names:
        lines.append(f"{PYTHON} -m pip install --target {os.path.relpath(folder)}/python feedparser")
    return lines


def install(names, folder):
    os.makedirs(folder, exist_ok=True)
    for line in how_to_install(names, folder):
        print("$", line, flush=True)
        subprocess.run(line, shell=True, check=True)
