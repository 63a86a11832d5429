#!/usr/bin/env python3
"""Makes the tables, texts and feeds that tests/bench/run measures with. Only the standard library; the same bytes wherever it runs.

    generate.py [--out out/bench] [--rows 1m,5m] [--jobs N]

    crime-<rows>.csv, .jsonl     the table of crimes, in every size asked for
    crime-<rows>.json            one array, for the smallest size only
    text-<rows>.txt              as many lines of 25 words, for the smallest size only
    stations.csv                 1,200 police stations, to join with
    crime-20.csv                 the first 20 rows, for the time a start takes
    feed-20m.xml                 one RSS feed of 20 MB
    feeds/000.xml ...            400 feeds of 100 to 200 kB each: RSS 2.0, Atom and RDF by turns

What makes the table hard on readers: a fifth of the descriptions are quoted because of a comma, a quarter of those hold quoted
words as well, and one record in two hundred has a newline inside. One amount in a hundred is empty, two places in a hundred are,
and two stations in a hundred are not among the stations. An entry of a feed has a text of HTML, escaped or in CDATA, and every date is in
a zone of its own; all feeds are well-formed. Files that are there already are left alone.

The table is made in blocks, each from a seed of its own, so that any number of processes may share the work and a short table is
the beginning of a long one.
"""
import argparse
import datetime
import itertools
import json
import multiprocessing
import os
import random
from xml.sax.saxutils import escape

BLOCK = 20_000
CRIME = "id date time station crime province lat lon incidents amount description status".split()
NUMBERS = {"id", "lat", "lon", "incidents", "amount"}
STATION = "station code district population opened".split()
PROVINCES = {"GP": 26, "WC": 19, "KZN": 18, "EC": 12, "LP": 8, "MP": 6, "NW": 5, "FS": 4, "NC": 2}
STATES = "open closed pending referred withdrawn".split()
CRIMES = [
    "Arson", "Assault with intent to do grievous bodily harm", "Attempted murder", "Bank robbery", "Burglary at homes",
    "Burglary at businesses", "Carjacking", "Commercial crime", "Common assault", "Common robbery", "Culpable homicide",
    "Damage to property", "Driving under the influence", "Drug-related crime", "Illegal possession of firearms", "Kidnapping",
    "Murder", "Other theft", "Public violence", "Robbery at homes", "Robbery at businesses", "Robbery of cash in transit",
    "Shoplifting", "Stock-theft", "Theft of motor vehicles", "Theft out of motor vehicles", "Truck hijacking"]
WORDS = """a about after alarm amount and arrested at back bag bakkie before by bystander called camera cash caught cattle clothes
corner damaged delivery dockets door driver entered evening family fence fled found from gate goods guard gun hidden home house
in investigated knife laptop left market men missing money morning near neighbour night nobody of officers on opened over owner
parked phone police property recovered released reported returned road roof safe school scene seen sold station stolen store
street suspect taken taxi the through till tools trailer truck two under unknown van vehicle victim wall was were window with
witness woman yard young""".split()
SYLLABLES = [c + v for c in "b d f g h k l m n p r s t v w z kr mp nd th".split() for v in "a e i o u aa ei oo".split()]
ZONES = ["GMT", "+0200", "-0500", "+0530", "-0800"]
FEEDS = 400
ONE_FEED = 20_000_000  # bytes
NAMESPACES = ('xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
              'xmlns:media="http://search.yahoo.com/mrss/"')
FIRST_DAY = datetime.date(2005, 1, 1)
DAYS = [str(FIRST_DAY + datetime.timedelta(n)) for n in range(16 * 365)]
CLOCK = ["%02d:%02d:%02d" % (s // 3600, s // 60 % 60, s % 60) for s in range(24 * 3600)]


def stations():
    """The rows of stations.csv; names are all different."""
    draw = random.Random("stations")
    names = {}
    while len(names) < 1200:
        name = "".join(draw.choices(SYLLABLES, k=draw.randint(2, 4))).capitalize()
        names[name + draw.choice(["", "", "", " Central", " East", " Hills", " Harbour"])] = None
    return [(name, "S%04d" % n, "District %d" % draw.randint(1, 52), str(int(300 + draw.random() ** 3 * 500_000)),
             "%d-%02d-01" % (draw.randint(1895, 2015), draw.randint(1, 12))) for n, name in enumerate(names)]


NAMES = [row[0] for row in stations()]
WEIGHTS = [1 / (n + 20) for n in range(len(NAMES))]


def description(draw, words):
    hard = draw.random()
    if hard < 0.2:
        words[1] += ","
    if hard < 0.05:
        words[2] = '"%s"' % words[2]
    if hard < 0.005:
        words[0] += "\n"
    return " ".join(words)


def rows(block, count):
    """Rows of a block as tuples of texts; empty where there is no value."""
    draw = random.Random("crime %d" % block)
    pick, chance = draw.choices, draw.random
    first = block * BLOCK + 1
    columns = [
        [str(n) for n in range(first, first + BLOCK)], pick(DAYS, k=BLOCK), pick(CLOCK, k=BLOCK),
        [name if chance() >= 0.02 else "Elsewhere %d" % (chance() * 40) for name in pick(NAMES, WEIGHTS, k=BLOCK)],
        pick(CRIMES, k=BLOCK), pick(list(PROVINCES), list(PROVINCES.values()), k=BLOCK)]
    places = [("%.5f" % (-35 + chance() * 13), "%.5f" % (17 + chance() * 15)) if chance() >= 0.02 else ("", "")
              for _ in range(BLOCK)]
    columns += zip(*places)
    columns += [
        [str(int(chance() ** 3 * 1000)) for _ in range(BLOCK)],
        ["%.2f" % (chance() * chance() * 250_000) if chance() >= 0.01 else "" for _ in range(BLOCK)],
        [description(draw, pick(WORDS, k=5 + int(chance() * 10))) for _ in range(BLOCK)], pick(STATES, k=BLOCK)]
    return list(zip(*columns))[:count]


def csv_cell(text):
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


def csv_line(row):
    return ",".join(map(csv_cell, row)) + "\n"


def json_line(row):
    cells = ((k, (v or "null") if k in NUMBERS else json.dumps(v)) for k, v in zip(CRIME, row))
    return "{" + ", ".join('"%s": %s' % cell for cell in cells) + "}"


def render(job):
    """One block in the forms asked for: {"csv": text, "jsonl": text}."""
    block, count, forms = job
    table = rows(block, count)
    made = {}
    if "csv" in forms:
        made["csv"] = "".join(map(csv_line, table))
    if "jsonl" in forms:
        made["jsonl"] = "".join(json_line(row) + "\n" for row in table)
    return made


def vocabulary():
    """30,000 words, the most frequent first."""
    draw = random.Random("vocabulary")
    words = {}
    while len(words) < 30_000:
        words["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4)))] = None
    return list(words)


def render_text(job):
    """One block of lines, in sentences of ten words."""
    block, count, words, weights = job
    drawn = random.Random("text %d" % block).choices(words, cum_weights=weights, k=count * 25)
    drawn[0::10] = [word.capitalize() for word in drawn[0::10]]
    drawn[4::10] = [word + "," for word in drawn[4::10]]
    drawn[9::10] = [word + "." for word in drawn[9::10]]
    return "".join(" ".join(drawn[n:n + 25]) + "\n" for n in range(0, len(drawn), 25))


class Entry:
    """One entry of a feed, drawn."""

    def __init__(self, draw, place):
        words = draw.choices(WORDS, k=4 + int(draw.random() * 8))
        if draw.random() < 0.2:
            words[1] += " & café"
        self.title = escape(" ".join(words).capitalize())
        self.link = escape(f"https://news.example/{draw.choice(NAMES).replace(' ', '-').lower()}/{place}?from=feed&no={place}")
        self.author = draw.choice(NAMES)
        self.tags = draw.sample(CRIMES, draw.randint(0, 3))
        self.when = datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=int(draw.random() * 1e8))
        self.zone = draw.choice(ZONES)
        said = [" ".join(draw.choices(WORDS, k=12 + int(draw.random() * 40))) for _ in range(draw.randint(1, 4))]
        html = "".join(f'<p class="said">{text.capitalize()}. <a href="{self.link}">More</a></p>\n' for text in said)
        self.summary = escape(said[0][:200])
        self.html = f"<![CDATA[{html}]]>" if draw.random() < 0.5 else escape(html)

    def rfc822(self):
        return self.when.strftime(f"%a, %d %b %Y %H:%M:%S {self.zone}")

    def iso(self):
        zone = "Z" if self.zone == "GMT" else f"{self.zone[:3]}:{self.zone[3:]}"
        return self.when.strftime(f"%Y-%m-%dT%H:%M:%S{zone}")

    def rss(self):
        tags = "".join(f"<category>{tag}</category>" for tag in self.tags)
        return (f"<item>\n<title>{self.title}</title>\n<link>{self.link}</link>\n<description>{self.summary}</description>\n"
                f'<pubDate>{self.rfc822()}</pubDate>\n<guid isPermaLink="false">{self.link}</guid>\n{tags}'
                f"<dc:creator>{self.author}</dc:creator>\n<content:encoded>{self.html}</content:encoded>\n"
                f'<media:thumbnail url="https://news.example/{self.when:%Y/%m}.jpg" width="150" height="84"/>\n</item>\n')

    def atom(self):
        tags = "".join(f'<category term="{tag}"/>' for tag in self.tags)
        return (f'<entry>\n<title>{self.title}</title>\n<link rel="alternate" type="text/html" href="{self.link}"/>\n'
                f"<id>{self.link}</id>\n<published>{self.iso()}</published>\n<updated>{self.iso()}</updated>\n"
                f'<author><name>{self.author}</name></author>\n{tags}<summary>{self.summary}</summary>\n'
                f'<content type="html">{self.html}</content>\n</entry>\n')

    def rdf(self):
        return (f'<item rdf:about="{self.link}">\n<title>{self.title}</title>\n<link>{self.link}</link>\n'
                f"<description>{self.summary}</description>\n<dc:date>{self.iso()}</dc:date>\n<dc:creator>{self.author}</dc:creator>\n"
                f"<content:encoded>{self.html}</content:encoded>\n</item>\n")


CHANNEL = "<title>News</title>\n<link>https://news.example/</link>\n<description>What happened</description>\n"
SHAPES = [  # what writes an entry, what stands before them and behind
    (Entry.rss, f'<rss version="2.0" {NAMESPACES}>\n<channel>\n{CHANNEL}', "</channel>\n</rss>\n"),
    (Entry.atom, '<feed xmlns="http://www.w3.org/2005/Atom">\n<title>News</title>\n<id>https://news.example/</id>\n', "</feed>\n"),
    (Entry.rdf, '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
                f'{NAMESPACES}>\n<channel rdf:about="https://news.example/">\n{CHANNEL}</channel>\n', "</rdf:RDF>\n")]


def write_feed(job):
    """A feed of the shape, of at least so many bytes."""
    path, shape, size = job
    draw, place = random.Random("feed " + os.path.basename(path)), 0
    entry, head, foot = SHAPES[shape]
    with open(path + ".part", "w", encoding="utf-8", newline="") as to:
        written = to.write(f'<?xml version="1.0" encoding="UTF-8"?>\n{head}')
        while written < size:
            place += 1
            written += to.write(entry(Entry(draw, place)))
        to.write(foot)
    os.rename(path + ".part", path)


def feeds(out):
    """What write_feed has to do for the feeds that are missing."""
    os.makedirs(f"{out}/feeds", exist_ok=True)
    draw = random.Random("feeds")
    jobs = [(f"{out}/feeds/{n:03}.xml", n % len(SHAPES), draw.randint(100_000, 200_000)) for n in range(FEEDS)]
    return [job for job in [(f"{out}/feed-20m.xml", 0, ONE_FEED), *jobs] if not os.path.exists(job[0])]


def size_of(label):
    return int(label[:-1]) * {"k": 1_000, "m": 1_000_000}[label[-1]] if label[-1] in "km" else int(label)


def write_table(out, label, forms, pool):
    """Writes crime-LABEL in FORMS, each under another name until it is whole."""
    jobs = [(b, count, forms) for b, count in blocks(size_of(label))]
    files = {form: open(f"{out}/crime-{label}.{form}.part", "w", encoding="utf-8", newline="") for form in forms}
    if "csv" in files:
        files["csv"].write(",".join(CRIME) + "\n")
    for made in pool.imap(render, jobs):
        for form, text in made.items():
            files[form].write(text)
    for file in files.values():
        file.close()
        os.rename(file.name, file.name[:-len(".part")])


def blocks(total):
    """(number, rows) of the blocks that make up a table of so many."""
    return [(b, min(BLOCK, total - b * BLOCK)) for b in range((total + BLOCK - 1) // BLOCK)]


def write_text(out, label, pool):
    words = vocabulary()
    weights = list(itertools.accumulate(1 / (n + 3) for n in range(len(words))))
    with open(f"{out}/text-{label}.txt.part", "w", encoding="utf-8", newline="") as to:
        to.writelines(pool.imap(render_text, [(b, count, words, weights) for b, count in blocks(size_of(label))]))
    os.rename(f"{out}/text-{label}.txt.part", f"{out}/text-{label}.txt")


def write_array(out, label):
    """crime-LABEL.json from crime-LABEL.jsonl."""
    with open(f"{out}/crime-{label}.jsonl", newline="") as lines, open(f"{out}/crime-{label}.json.part", "w", newline="") as to:
        between = "["
        for line in lines:
            to.write(between + line[:-1])
            between = ",\n"
        to.write("]\n")
    os.rename(f"{out}/crime-{label}.json.part", f"{out}/crime-{label}.json")


def write_stations(out):
    with open(f"{out}/stations.csv", "w", newline="") as to:
        to.write(",".join(STATION) + "\n")
        to.writelines(",".join(row) + "\n" for row in stations())


def generate(out, labels, jobs=None):
    """Makes what is missing of the files in OUT for the sizes LABELS, for example ["1m", "5m"]."""
    os.makedirs(out, exist_ok=True)
    smallest = min(labels, key=size_of)
    with multiprocessing.Pool(jobs or len(os.sched_getaffinity(0))) as pool:
        for label in ["20", *labels]:
            forms = ["csv"] if label == "20" else ["csv", "jsonl"]
            forms = [form for form in forms if not os.path.exists(f"{out}/crime-{label}.{form}")]
            if forms:
                write_table(out, label, forms, pool)
        if not os.path.exists(f"{out}/text-{smallest}.txt"):
            write_text(out, smallest, pool)
        pool.map(write_feed, feeds(out), chunksize=1)
    if not os.path.exists(f"{out}/crime-{smallest}.json"):
        write_array(out, smallest)
    if not os.path.exists(f"{out}/stations.csv"):
        write_stations(out)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../out/bench"))
    args.add_argument("--rows", default="1m,5m")
    args.add_argument("--jobs", type=int)
    args = args.parse_args()
    generate(args.out, args.rows.split(","), args.jobs)


if __name__ == "__main__":
    main()
