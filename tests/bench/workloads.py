"""What is measured: for each task sluice's command line and those of the peers that can do it."""
import os
import shlex
from dataclasses import dataclass, field

from measure import Command

HERE = os.path.dirname(os.path.abspath(__file__))
COLUMNS = "id date time station crime province lat lon incidents amount description status".split()
TYPES = {"id": "BIGINT", "lat": "DOUBLE", "lon": "DOUBLE", "incidents": "BIGINT", "amount": "DOUBLE"}
SQLITE = {"id": "INTEGER", "lat": "REAL", "lon": "REAL", "incidents": "INTEGER", "amount": "REAL"}
TABLE = "CREATE TABLE t(%s)" % ", ".join(f"{name} {SQLITE.get(name, 'TEXT')}" for name in COLUMNS)
UNSAFE = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"  # what its users set for speed; sluice keeps its safety


@dataclass
class Against:
    """A bar: sluice must be FACTOR times as fast as the fastest of these peers."""
    rivals: list  # of names
    factor: float = 1.0


@dataclass
class Workload:
    name: str  # "W2"
    title: str
    commands: list  # of Command; the first is sluice's
    ordered: bool = False  # the order of records is part of the answer
    bars: list = field(default_factory=list)  # of Against
    rounds: int = 0  # at least: short runs and ratios near their bars want more


class Tasks:
    """Makes workloads for one size of the table."""

    def __init__(self, sluice, peers, data, out, label, workers):
        self.sluice, self.peers, self.label, self.workers = sluice, peers, label, workers
        self.data, self.out = data, out
        self.csv = f"{data}/crime-{label}.csv"
        self.stations = f"{data}/stations.csv"

    # ---- sluice

    def result(self, task, who, suffix="csv"):
        return f"{self.out}/{task}.{who.replace(' ', '-')}.{suffix}"

    def definition(self, task, source=None, workers=None, options=(), who="sluice"):
        out = self.result(task, who)
        argv = [self.sluice, "run", f"{HERE}/pipelines/{task}.json", "--set", f"SOURCE={source or self.csv}",
                "--set", f"STATIONS={self.stations}", "--set", f"OUT={out}", "-j", str(workers or self.workers), "-q", *options]
        return Command(who, argv, out)

    def load(self, task, source):
        out = self.result(task, "sluice", "db")
        return Command("sluice", [self.sluice, "load", source, "--to", f"{out}:t", "-j", str(self.workers), "-q"], out)

    # ---- peers: those that are not installed are left out

    def have(self, *commands):
        names = {"DuckDB unordered": "DuckDB"}
        return [c for c in commands if self.peers.versions.get(names.get(c.name, c.name))]

    def duckdb(self, task, query, unordered=False):
        name = "DuckDB unordered" if unordered else "DuckDB"
        out = self.result(task, name)
        free = ["SET preserve_insertion_order=false"] if unordered else []
        return Command(name, self.peers.duckdb(self.workers, *free, f"COPY ({query}) TO '{out}' (HEADER)"), out)

    def polars(self, task, source=None, *more):
        out = self.result(task, "Polars")
        return Command("Polars", self.peers.polars(task, source or self.csv, out, *more), out,
                       env={"POLARS_MAX_THREADS": str(self.workers)})

    def miller(self, task, *words):
        return Command("Miller", ["mlr", *words], self.result(task, "Miller"), to_stdout=True,
                       env={"GOMAXPROCS": str(self.workers)})

    def mawk(self, task, program):
        return Command("mawk", ["mawk", "-F,", "-v", "OFS=,", program, self.csv], self.result(task, "mawk"), to_stdout=True)

    def python(self, task, what, source, suffix="db"):
        out = self.result(task, "Python", suffix)
        return Command("Python", self.peers.python(what, source, out), out)

    def as_text(self, path=None):
        return f"""read_csv('{path or self.csv}', header=true, all_varchar=true, delim=',', quote='"', escape='"')"""

    def types(self):
        return "{%s}" % ", ".join(f"'{name}': '{TYPES.get(name, 'VARCHAR')}'" for name in COLUMNS)

    def typed(self):
        return f"""read_csv('{self.csv}', header=true, columns={self.types()}, delim=',', quote='"', escape='"')"""

    # ---- tasks

    def parse(self):
        query = f"FROM {self.as_text()}"
        peers = self.have(self.duckdb("csv", query), self.duckdb("csv", query, unordered=True), self.polars("csv"),
                          self.miller("csv", "--csv", "cat", self.csv))
        return Workload("W1", "CSV to CSV, every field read and written", [self.definition("csv"), *peers],
                        bars=[Against(["DuckDB", "DuckDB unordered", "Polars", "Miller"])])

    def filter(self):
        peers = self.have(
            self.duckdb("filter", f"SELECT id, date, station, incidents FROM {self.as_text()} WHERE province = 'GP'"),
            self.polars("filter"),
            self.miller("filter", "--csv", "filter", '$province == "GP"', "then", "cut", "-o", "-f", "id,date,station,incidents",
                        self.csv),
            self.mawk("filter", 'NR == 1 || $6 == "GP" { print $1, $2, $4, $9 }'))
        return Workload("W2", "keep one province, 4 of 12 columns, CSV to CSV", [self.definition("filter"), *peers],
                        bars=[Against(["DuckDB", "Polars", "Miller", "mawk"])])

    def group(self):
        peers = self.have(
            self.duckdb("group", "SELECT province, crime, count(*) AS n, sum(incidents) AS total "
                                 f"FROM {self.typed()} GROUP BY province, crime"),
            self.polars("group"),
            self.miller("group", "--csv", "stats1", "-a", "count,sum", "-f", "incidents", "-g", "province,crime", "then", "rename",
                        "incidents_count,n,incidents_sum,total", self.csv),
            self.mawk("group", 'NR > 1 && NF > 10 { k = $6 "," $5; n[k]++; t[k] += $9 } '
                               'END { print "province,crime,n,total"; for (k in n) print k, n[k], t[k] }'))
        return Workload("W3", "count and sum by province and crime, 243 groups", [self.definition("group"), *peers],
                        bars=[Against(["DuckDB", "Polars", "Miller", "mawk"])])

    def top(self):
        peers = self.have(
            self.duckdb("top", f"FROM {self.typed()} ORDER BY incidents DESC, id LIMIT 5"),
            self.polars("top"),
            self.miller("top", "--csv", "sort", "-nr", "incidents", "-nf", "id", "then", "head", "-n", "5", self.csv))
        return Workload("W4a", "the 5 records with most incidents", [self.definition("top"), *peers], ordered=True,
                        bars=[Against(["DuckDB", "Polars", "Miller", "mawk"])])

    def sort(self):
        peers = self.have(
            self.duckdb("sort", f"FROM {self.typed()} ORDER BY incidents DESC, id"),
            self.polars("sort"),
            self.miller("sort", "--csv", "sort", "-nr", "incidents", "-nf", "id", self.csv))
        return Workload("W4b", "all records sorted by two numbers, CSV to CSV", [self.definition("sort"), *peers], ordered=True,
                        bars=[Against(["DuckDB", "Polars", "Miller", "mawk"])])

    def join(self):
        more = ["code", "district", "population"]
        query = (f"SELECT c.*, {', '.join('s.' + name for name in more)} FROM {self.as_text()} c "
                 f"JOIN {self.as_text(self.stations)} s USING (station)")
        peers = self.have(
            self.duckdb("join", query), self.duckdb("join", query, unordered=True),
            self.polars("join", None, self.stations),
            self.miller("join", "--csv", "join", "-j", "station", "-f", self.stations, "then", "cut", "-o", "-f",
                        ",".join(COLUMNS + more), self.csv))
        return Workload("W5", "inner join with 1,200 stations, CSV to CSV", [self.definition("join"), *peers],
                        bars=[Against(["DuckDB", "DuckDB unordered", "Polars", "Miller", "mawk"])])

    def load_csv(self):
        out = self.result("load", "sqlite3", "db")
        sqlite3 = Command("sqlite3", ["sqlite3", out, UNSAFE, TABLE, f".import --csv --skip 1 {self.csv} t"], out)
        return Workload("W6", "CSV into a SQLite table of 12 typed columns",
                        [self.load("load", self.csv), *self.have(sqlite3, self.python("load", "load_csv", self.csv))], ordered=True,
                        bars=[Against(["sqlite3"], 3.0)])

    def load_json(self):
        source = f"{self.data}/crime-{self.label}.json"
        out = self.result("array", "sqlite3", "db")
        cells = ", ".join(f"value->>'{name}'" for name in COLUMNS)
        sqlite3 = Command("sqlite3", ["sqlite3", out, UNSAFE, TABLE,
                                      f"INSERT INTO t SELECT {cells} FROM json_each(readfile('{source}'))"], out)
        return Workload("W7a", "JSON array into a SQLite table of 12 typed columns",
                        [self.load("array", source), *self.have(sqlite3, self.python("array", "load_json", source))], ordered=True)

    def copy(self):
        source = f"{self.data}/crime-{self.label}.jsonl"
        query = f"FROM read_json('{source}', format='newline_delimited', columns={self.types()})"
        peers = self.have(
            self.duckdb("copy", query), self.duckdb("copy", query, unordered=True), self.polars("copy", source),
            self.miller("copy", "--ijsonl", "--ocsv", "cat", source))
        return Workload("W7b", "JSON Lines to CSV", [self.definition("copy", source), *peers],
                        bars=[Against(["DuckDB", "DuckDB unordered"])])

    def words(self):
        source = f"{self.data}/text-{self.label}.txt"
        # What stands between the words of this text is blanks, commas and full stops; searching for words by a regular expression takes longer.
        lines = f"read_csv('{source}', header=false, columns={{'line': 'VARCHAR'}}, delim='\x01', quote='', escape='')"
        words = f"SELECT unnest(string_split(translate(lower(line), ',.', '  '), ' ')) AS content FROM {lines}"
        query = f"SELECT content, count(*) AS n FROM ({words}) WHERE content <> '' GROUP BY content ORDER BY n DESC, content LIMIT 20"
        count = ('BEGIN { RS = "[^A-Za-z]+" } NF { n[tolower($0)]++ } END { print "content,n"; for (k = 0; k < 20; k++) { best = ""; '
                 'for (w in n) if (best == "" || n[w] > n[best] || n[w] == n[best] && w < best) best = w; '
                 'if (best == "") break; print best "," n[best]; delete n[best] } }')
        peers = self.have(self.duckdb("words", query), self.polars("words", source),
                          Command("mawk", ["mawk", count, source], self.result("words", "mawk"), to_stdout=True),
                          self.python("words", "words", source, "csv"))
        return Workload("W8", "the 20 most frequent words of a text", [self.definition("words", source), *peers], ordered=True,
                        bars=[Against(["DuckDB", "Polars", "mawk"])])

    def scaling(self, variant):
        """Two workers against one, on threads and in processes; and inline, which must give the same bytes, alone and twice at
        once: what this machine gives two programs that share nothing. VARIANT makes a command of a name, workers, options."""
        inline = variant("inline", 1, "--parallel=false")
        twin = variant("two inline at once", 1, "--parallel=false")
        twin.also = self.result("scaling", "twin")
        one, other = shlex.join(twin.argv), shlex.join([word.replace(twin.out, twin.also) for word in twin.argv])
        twin.argv = ["sh", "-c", f"{one} & {other}; status=$?; wait $! && exit $status"]
        return [variant("2 threads", 2), variant("1 thread", 1), variant("2 processes", 2, "--threads=false"),
                variant("1 process", 1, "--threads=false"), inline, twin]

    def transform(self):
        def variant(who, workers, *options):
            return self.definition("transform", workers=workers, options=options, who=who)
        return Workload("W9", "3 regular expressions, a slug and a hash of each record, CSV to CSV", self.scaling(variant),
                        ordered=True, rounds=15)

    def feedparser(self, source):
        out = self.result("feed", "feedparser")
        return Command("feedparser", self.peers.python("feed", source, out), out, env={"PYTHONPATH": self.peers.packages})

    def xmlstarlet(self, source):
        columns = [word for path in ("title", "link", "pubDate") for word in ("-o", "\t", "-v", path)][2:]
        argv = ["xmlstarlet", "sel", "-T", "-t", "-o", "title\tlink\tpublished", "-n", "-m", "//item", *columns, "-n", source]
        return Command("xmlstarlet", argv, self.result("feed", "xmlstarlet", "tsv"), to_stdout=True)

    def feed(self):
        source = f"{self.data}/feed-20m.xml"
        return Workload("W10", "title, link and date of one RSS feed of 20 MB, to CSV", [
            self.definition("feed", source), *self.have(self.feedparser(source), self.xmlstarlet(source))], ordered=True,
            bars=[Against(["xmlstarlet"]), Against(["feedparser"], 5.0)])

    def feeds(self):
        """Many short files of several kinds."""
        source = f"{self.data}/feeds/*.xml"
        def variant(who, workers, *options):
            return self.definition("feed", source, workers, options, who)
        return Workload("W11", "the same of 400 feeds of 100 to 200 kB: RSS, Atom and RDF", [
            *self.scaling(variant), *self.have(self.feedparser(source))], ordered=True, rounds=15)

    def udf(self):
        """A function in Lua against the same function in Python."""
        def variant(who, workers, *options):
            return self.definition("udf", workers=workers, options=options, who=who)
        return Workload("W14", "a function that makes 3 fields of 5, CSV to CSV", [
            *self.scaling(variant), *self.have(self.python("udf", "udf", self.csv, "csv"))], ordered=True,
            bars=[Against(["Python"], 10.0)], rounds=15)

    def start(self):
        tiny = Tasks(self.sluice, self.peers, self.data, self.out, "20", self.workers)
        source, out = tiny.csv, self.result("start", "sqlite3")
        tasks = [
            tiny.definition("filter"),
            tiny.duckdb("start", f"SELECT id, date, station, incidents FROM {tiny.as_text()} WHERE province = 'GP'"),
            tiny.miller("start", "--csv", "filter", '$province == "GP"', "then", "cut", "-o", "-f", "id,date,station,incidents",
                        source),
            tiny.mawk("start", 'NR == 1 || $6 == "GP" { print $1, $2, $4, $9 }'),
            Command("sqlite3", ["sqlite3", ":memory:", "-csv", "-header", f".import --csv {source} t",
                                "SELECT id, date, station, incidents FROM t WHERE province = 'GP'"], out, to_stdout=True)]
        return Workload("W0", "W2 on 20 records: the time a start takes", [tasks[0], *self.have(*tasks[1:])], rounds=21)

    def all(self):
        return {w.name: w for w in (self.start(), self.parse(), self.filter(), self.group(), self.top(), self.sort(), self.join(),
                                    self.load_csv(), self.load_json(), self.copy(), self.words(), self.transform(), self.feed(),
                                    self.feeds(), self.udf())}

    def growth(self):
        """sluice alone, on the larger table: what should need no more memory for it."""
        copy = self.definition("copy", f"{self.data}/crime-{self.label}.jsonl")
        return {"W1": self.definition("csv"), "W2": self.definition("filter"), "W3": self.definition("group"), "W4a": self.definition("top"),
                "W6": self.load("load", self.csv), "W7b": copy, "W9": self.definition("transform")}
