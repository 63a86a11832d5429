#!/usr/bin/env python3
"""Makes every data file in this folder. Standard library only; the same bytes on every machine.

    generate.py [FOLDER]      default: the folder of this script

    crime.csv       2,000 reports; quotes, line breaks inside quotes, empty cells, zero-padded codes
    crime.json      the same under value.items of one document, with numbers and nulls
    crime.jsonl     the same, one a line
    stations.csv    the police stations that reports name; a few are missing on purpose
    stations.xml    the stations, by province
    stations.html   a page with two tables of them; a cell of the second spans rows
    book.txt        a short story, for counting words
    feed-*          four small feeds of one shape: two JSON documents, JSON Lines, CSV
    news-*          three feeds of news: RSS, Atom and RDF, one of them not quite well-formed
    site.html       the page of a town, which names its feed
    rates.json      exchange rates, units for a US dollar

All names, places and figures are made up.
"""
import csv
import io
import json
import random
import sys
from datetime import date, timedelta
from pathlib import Path

REPORTS = 2000
STATIONS = 60
FIRST_DAY = date(2019, 1, 1)

PROVINCES = {"GP": 26, "WC": 20, "KZN": 18, "EC": 11, "LP": 8, "MP": 6, "NW": 5, "FS": 4, "NC": 2}
CRIMES = ["Arson", "Burglary at home", "Burglary at work", "Carjacking", "Common assault", "Fraud", "Kidnapping",
          "Malicious damage", "Robbery", "Shoplifting", "Stock theft", "Theft from vehicle", "Theft of vehicle"]
STATUSES = ["open", "closed", "pending", "referred", "withdrawn"]
SUBJECTS = ["a neighbour", "the owner", "a passer-by", "the night guard", "a bus driver", "the shopkeeper"]
VERBS = ["saw", "reported", "heard", "followed", "described", "photographed"]
OBJECTS = ["two men by the gate", "a white van", "a broken window", "the open door", "smoke over the yard",
           "an empty till", "a cut fence", "a stolen phone"]
ENDINGS = ["shortly after noon", "late at night", "before sunrise", "on the way home", "during the rain"]

SYLLABLES = ["ba", "de", "fo", "gra", "hel", "in", "ka", "lo", "mar", "nu", "or", "pe", "ri", "sa", "ten", "vi", "wal"]
HAMLETS = ["", "", " Central", " North", " West", "-on-Sea"]

SENTENCES = [
    "The {a} miller carried the {b} sack up the {c} hill",
    "A {a} river ran past the {b} mill and under the {c} bridge",
    "Every morning the {a} sluice was opened, and the {b} wheel began to turn",
    "\"Who closed the {a} gate?\" asked the {b} miller; nobody in the {c} yard would say",
    "The {a} water rose until the {b} meadow was a {c} lake",
    "In the {a} evening the {b} gate was closed again, and the {c} wheel stood still",
]
ADJECTIVES = ["old", "quiet", "heavy", "grey", "narrow", "wide", "cold", "bright", "patient", "long", "small", "wet"]


class Dice:
    """Chance that only ever draws random(), whose sequence is the same in every Python 3."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def below(self, n):
        return int(self.random() * n)

    def one_of(self, values):
        return values[self.below(len(values))]

    def happens(self, chance):
        return self.random() < chance

    def weighted(self, weights):
        left = self.random() * sum(weights.values())
        for value, weight in weights.items():
            left -= weight
            if left < 0:
                break
        return value


def make_stations():
    dice = Dice(2019)
    stations, names = [], set()
    while len(stations) < STATIONS:
        name = "".join(dice.one_of(SYLLABLES) for _ in range(2 + dice.below(2))).capitalize() + dice.one_of(HAMLETS)
        if name in names:
            continue
        names.add(name)
        province = dice.weighted(PROVINCES)
        stations.append({"station": name, "code": f"{7 + 13 * len(stations):05d}", "home_province": province,
                         "officers": 8 + dice.below(240), "opened": f"{1890 + dice.below(130)}-{1 + dice.below(12):02d}-01"})
    return stations


def make_description(dice):
    """Every fifth needs quotes in CSV: it holds a comma, a quoted word or a line break."""
    subject, verb, thing = dice.one_of(SUBJECTS), dice.one_of(VERBS), dice.one_of(OBJECTS)
    kind = dice.random()
    if kind < 0.10:
        return f"{subject} {verb} {thing}, {dice.one_of(ENDINGS)}"
    if kind < 0.15:
        return f"{subject} {verb} \"{thing}\" {dice.one_of(ENDINGS)}"
    if kind < 0.20:
        return f"{subject} {verb} {thing}\n{dice.one_of(ENDINGS)}"
    return f"{subject} {verb} {thing}"


def make_reports(stations):
    dice = Dice(2020)
    for number in range(1, REPORTS + 1):
        station = dice.one_of(stations)["station"] if not dice.happens(0.02) else f"Unlisted {1 + dice.below(9)}"
        located, second = not dice.happens(0.03), dice.below(86400)
        yield {
            "id": number,
            "date": str(FIRST_DAY + timedelta(days=dice.below(1461))),
            "time": f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}",
            "station": station,
            "docket": f"{dice.below(10000):05d}",
            "crime": dice.one_of(CRIMES),
            "province": dice.weighted(PROVINCES),
            "lat": round(-22 - dice.random() * 12, 5) if located else None,
            "lon": round(17 + dice.random() * 15, 5) if located else None,
            "incidents": int(dice.random() ** 3 * 1000),
            "amount": round(dice.random() ** 2 * 250000, 2) if not dice.happens(0.04) else None,
            "description": make_description(dice),
            "status": dice.one_of(STATUSES),
        }


def as_csv(rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_document(rows, **about):
    """One document with the rows under value.items, one a line."""
    items = ",\n    ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{{"about": {json.dumps(about)},\n "value": {{"items": [\n    {items}\n ]}}}}\n'


def make_book():
    dice, paragraphs = Dice(1890), ["THE MILL BY THE RIVER"]
    for _ in range(40):
        sentences = []
        for _ in range(3 + dice.below(4)):
            words = {key: dice.one_of(ADJECTIVES) for key in "abc"}
            sentences.append(dice.one_of(SENTENCES).format(**words) + ".")
        paragraphs.append(wrap(" ".join(sentences), 76))
    return "\n\n".join(paragraphs) + "\n"


def wrap(text, width):
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join(lines + [line])


def make_feed(name, seed, entries):
    dice = Dice(seed)
    for number in range(1, entries + 1):
        day = date(2021, 3, 1) + timedelta(days=dice.below(60))
        title = f"{dice.one_of(OBJECTS)} {dice.one_of(ENDINGS)}"
        yield {"feed": name, "id": f"{name}-{number:03d}", "published": str(day), "title": title.capitalize(),
               "author": dice.one_of(["Amahle", "Ben", "Chloë", "Zoë", "Đặng"]), "comments": dice.below(40)}


def news_entries(seed, town):
    dice = Dice(seed)
    for number in range(1, 41):
        day = date(2021, 1, 1) + timedelta(days=dice.below(180))
        yield {
            "number": number,
            "url": f"http://news.example/{town.lower()}/{number}",
            "title": f"{dice.one_of(SUBJECTS)} {dice.one_of(VERBS)} {dice.one_of(OBJECTS)}".capitalize(),
            "text": f"It was {dice.one_of(ENDINGS)} in {town}.",
            "day": day,
            "clock": f"{dice.below(24):02}:{dice.below(60):02}:00",
            "author": f"{dice.one_of(SYLLABLES).capitalize()}{dice.one_of(SYLLABLES)}",
            "topic": dice.one_of(["police", "weather", "market", "council"]),
        }


def rss_item(e):
    weekday = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][e["day"].weekday()]
    month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][e["day"].month - 1]
    sound = f"  <enclosure url=\"{e['url']}.mp3\" type=\"audio/mpeg\" length=\"1000\"/>\n" if e["number"] % 10 == 0 else ""
    return (f"<item>\n  <title>{e['title']}</title>\n  <link>{e['url']}</link>\n"
            f"  <guid isPermaLink=\"false\">{e['number']:04}</guid>\n"
            f"  <pubDate>{weekday}, {e['day'].day:02} {month} {e['day'].year} {e['clock']} +0200</pubDate>\n"
            f"  <dc:creator>{e['author']}</dc:creator>\n  <category>{e['topic']}</category>\n"
            f"  <description><![CDATA[<p>{e['text']}</p>]]></description>\n"
            f"{sound}"
            f"</item>\n")


def make_rss(seed, town):
    items = "".join(rss_item(e) for e in news_entries(seed, town))
    items = items.replace("<title>", "<title>A &amp; B: ", 1).replace("two men", "two&nbsp;men")
    return ('<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
            f"<channel>\n<title>News of {town}</title>\n<link>http://news.example/</link>\n"
            f"{items}</channel>\n</rss>\n")


def make_atom(seed, town):
    entries = "".join(
        f"<entry>\n  <id>urn:{town.lower()}:{e['number']}</id>\n  <title type=\"text\">{e['title']}</title>\n"
        f"  <link rel=\"alternate\" type=\"text/html\" href=\"{e['url']}\"/>\n"
        f"  <published>{e['day']}T{e['clock']}Z</published>\n  <updated>{e['day']}T{e['clock']}Z</updated>\n"
        f"  <author><name>{e['author']}</name></author>\n  <category term=\"{e['topic']}\"/>\n"
        f"  <summary>{e['text']}</summary>\n</entry>\n" for e in news_entries(seed, town))
    return ('<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">\n'
            f"<title>News of {town}</title>\n{entries}</feed>\n")


def make_rdf(seed, town):
    items = "".join(
        f"<item rdf:about=\"{e['url']}\">\n  <title>{e['title']}</title>\n  <link>{e['url']}</link>\n"
        f"  <description>{e['text']}</description>\n  <dc:date>{e['day']}T{e['clock']}+01:00</dc:date>\n"
        f"  <dc:creator>{e['author']}</dc:creator>\n  <dc:subject>{e['topic']}</dc:subject>\n</item>\n"
        for e in news_entries(seed, town))
    return ('<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
            f"<channel rdf:about=\"http://news.example/\"><title>News of {town}</title></channel>\n{items}</rdf:RDF>\n")


def make_site():
    return ("<!DOCTYPE html>\n<html lang=en>\n<title>Selwal</title>\n<link rel=stylesheet href=style.css>\n"
            "<link rel=\"alternate home\" type=application/rss+xml title='News of Selwal' href=news-selwal.xml>\n"
            "<link rel=alternate type=application/atom+xml title='News of Orvi' href=news-orvi.xml>\n"
            "<h1>Welcome to Selwal</h1>\n<p>All the <a href=\"/feed/\">news</a> of the town.\n</html>\n")


def make_rates():
    rates = {"BRL": 5.0625, "CNY": 7.125, "EUR": 0.9204, "GBP": 0.7981, "JPY": 148.55, "USD": 1, "ZAR": 18.4375}
    return json.dumps({"base": "USD", "rates": rates}, indent=1) + "\n"


def by_province(stations):
    provinces = {}
    for s in stations:
        provinces.setdefault(s["home_province"], []).append(s)
    return sorted(provinces.items())


def make_xml(stations):
    out = ['<?xml version="1.0" encoding="UTF-8"?>', "<!-- made up -->", "<stations>"]
    for province, some in by_province(stations):
        out.append(f'  <province name="{province}">')
        for s in some:
            out.append(f'    <station code="{s["code"]}" opened="{s["opened"]}">')
            out.append(f'      <name>{s["station"]}</name>')
            out.append(f'      <officers>{s["officers"]}</officers>')
            out.extend(f"      <service>{service}</service>" for service in ("desk", "patrol", "dogs")[:1 + s["officers"] % 3])
            out.append("    </station>")
        out.append("  </province>")
    return "\n".join(out + ["</stations>", ""])


def make_page(stations):
    out = ["<!DOCTYPE html>", '<meta charset="utf-8">', "<title>Police stations</title>", "<h1>Police stations</h1>",
           '<table id="provinces"><caption>Provinces</caption>', "<tr><th>Province<th>Stations"]
    out.extend(f"<tr><td>{province}<td>{len(some)}" for province, some in by_province(stations))
    out.extend(["</table>", '<table id="stations"><caption>Stations &amp; officers</caption>',
                "<thead><tr><th>Home province<th>Station<th>Officers</thead>", "<tbody>"])
    for province, some in by_province(stations):
        for i, s in enumerate(some):
            first = f'<td rowspan="{len(some)}">{province}' if i == 0 else ""
            out.append(f'<tr>{first}<td><a href="/{s["code"]}">{s["station"]}</a><td>{s["officers"]}')
    return "\n".join(out + ["</table>", "<p>Last changed on 1&nbsp;January.", ""])


def make_all():
    stations = make_stations()
    reports = list(make_reports(stations))
    feeds = [list(make_feed(name, 3000 + i, 20 + 5 * i)) for i, name in enumerate(["city", "coast", "farm", "rail"])]
    return {
        "crime.csv": as_csv(reports),
        "crime.json": as_document(reports, title="Crime reports", licence="made up"),
        "crime.jsonl": as_lines(reports),
        "stations.csv": as_csv(stations),
        "stations.xml": make_xml(stations),
        "stations.html": make_page(stations),
        "book.txt": make_book(),
        "feed-city.json": as_document(feeds[0], title="City"),
        "feed-coast.json": as_document(feeds[1], title="Coast"),
        "feed-farm.jsonl": as_lines(feeds[2]),
        "feed-rail.csv": as_csv(feeds[3]),
        "news-selwal.xml": make_rss(4001, "Selwal"),
        "news-orvi.xml": make_atom(4002, "Orvi"),
        "news-marten.xml": make_rdf(4003, "Marten"),
        "site.html": make_site(),
        "rates.json": make_rates(),
    }


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    for name, text in make_all().items():
        (folder / name).write_bytes(text.encode("utf-8"))


if __name__ == "__main__":
    main()
