"""Answers of the test server that a cache may keep, and answers in pages. A part of server.py.

    /keep/FILE          the file with a validator, 304 when the request has it. The query says more:
                        with=etag (default), modified, both or none; v=TEXT is part of the ETag; cc=, vary=: headers;
                        gzip=1: under Content-Encoding: gzip; cut=1: the connection breaks after half of the body
    /seen               what came with the last request of ?path=PATH: its headers If-None-Match, If-Modified-Since and
                        Authorization, as JSON; null where it had none

    /pages/KIND         five items a page, {"n": 1} and so on, ?last= pages (default 3):
      next              {"links": {"next": URL}, "items": [...]}; ?after=1: the link behind the items
      link              [...], the next one in a Link header
      number            {"items": [...]}, ?page=N; ?beyond=CODE: the status behind the last, else a page without items
      offset            the same, ?offset=N
      cursor            {"meta": {"cursor": TEXT}, "items": [...]}, ?cursor=TEXT
      header            [...], the cursor in X-Next
      csv               two columns with a header, ?page=N
      table             a page with a table of one column, ?page=N; ?beyond=CODE as above
      features          GeoJSON, the next page as for next
      circle            as next, but behind page 3 comes page 2
      away              one page, whose next is ?to=URL
    ?etag=1: with an ETag, and 304 when the request has it
"""

import gzip
import hashlib
import json

EACH = 5
MODIFIED = "Wed, 01 May 2024 10:00:00 GMT"


class Pages:
    def note(self):
        names = ("If-None-Match", "If-Modified-Since", "Authorization")
        with self.server.lock:
            if not hasattr(self.server, "notes"):
                self.server.notes = {}
            self.server.notes[self.path] = {name: self.headers.get(name) for name in names}

    def answer_seen(self, _):
        with self.server.lock:
            notes = getattr(self.server, "notes", {}).get(self.asked("path"))
        self.send(json.dumps(notes).encode(), kind="application/json")

    # ---- answers to be kept ----

    def answer_keep(self, name):
        self.note()
        if loaded := self.load(name):
            self.send_kept(*loaded)

    def kept_headers(self, body):
        kind = self.asked("with", "etag")
        tag = '"%s"' % hashlib.sha256(body + self.asked("v").encode()).hexdigest()[:16]
        headers = {}
        if kind in ("etag", "both"):
            headers["ETag"] = tag
        if kind in ("modified", "both"):
            headers["Last-Modified"] = MODIFIED
        for name, key in (("Cache-Control", "cc"), ("Vary", "vary")):
            if self.asked(key):
                headers[name] = self.asked(key)
        return headers

    def is_known(self, headers):
        tag = self.headers.get("If-None-Match")
        if tag is not None:
            return tag == headers.get("ETag")
        return "Last-Modified" in headers and self.headers.get("If-Modified-Since") == MODIFIED

    def send_kept(self, body, kind):
        headers = self.kept_headers(body)
        if self.is_known(headers):
            self.head(304, headers)
            return
        if self.asked("gzip"):
            body = gzip.compress(body, mtime=0)
            headers["Content-Encoding"] = "gzip"
        cut = len(body) // 2 if self.asked("cut") else len(body)
        if self.head(200, {"Content-Type": kind, "Content-Length": len(body), **headers}):
            self.wfile.write(body[:cut])
        if cut < len(body):
            self.hang_up()

    # ---- pages ----

    def answer_pages(self, kind):
        self.note()
        make = getattr(self, "page_" + kind, None)
        if make is None:
            self.send(b"no such kind of pages\n", 404)
            return
        self.last = int(self.asked("last", "3"))
        make()

    def items(self, number):
        first = (number - 1) * EACH
        return [{"n": first + i + 1} for i in range(EACH)] if 1 <= number <= self.last else []

    def send_page(self, document, **headers):
        body = json.dumps(document).encode()
        tag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        if self.asked("etag"):
            headers["ETag"] = tag
            if self.headers.get("If-None-Match") == tag:
                self.head(304, {"ETag": tag})
                return
        self.send(body, kind="application/json", **headers)

    def link(self, at):
        more = "".join(f"&{k}={v[0]}" for k, v in self.query.items() if k in ("after", "etag"))
        return f"?last={self.last}&at={at}{more}"

    def page_next(self):
        at = int(self.asked("at", "1"))
        links = {"links": {"next": self.link(at + 1) if at < self.last else None}}
        items = {"items": self.items(at)}
        self.send_page({**items, **links} if self.asked("after") else {**links, **items})

    def page_link(self):
        at = int(self.asked("at", "1"))
        links = [f'<{self.link(1)}>; rel="first"']
        if at < self.last:
            links.insert(0, f'<{self.link(at + 1)}>; rel="next"')
        self.send_page(self.items(at), Link=", ".join(links))

    def page_number(self):
        page = int(self.asked("page", "0"))
        if page > self.last and self.asked("beyond"):
            self.send(b"no such page\n", int(self.asked("beyond")))
        else:
            self.send_page({"items": self.items(page)})

    def page_offset(self):
        self.send_page({"items": self.items(int(self.asked("offset", "-5")) // EACH + 1)})

    def cursor(self):
        """(number of this page, cursor of the next or None). A cursor has characters that an address must encode."""
        at = self.asked("cursor", "p&=1")
        number = int(at[3:])
        return number, f"p&={number + 1}" if number < self.last else None

    def page_cursor(self):
        number, cursor = self.cursor()
        self.send_page({"items": self.items(number), "meta": {"cursor": cursor}})

    def page_header(self):
        number, cursor = self.cursor()
        self.send_page(self.items(number), **({"X_Next": cursor} if cursor else {}))

    def page_csv(self):
        rows = "".join(f"{item['n']},x\n" for item in self.items(int(self.asked("page", "0"))))
        self.send(b"n,x\n" + rows.encode(), kind="text/csv")

    def page_table(self):
        page = int(self.asked("page", "0"))
        if page > self.last and self.asked("beyond"):
            self.send(b"no such page\n", int(self.asked("beyond")))
            return
        rows = "".join(f"<tr><td>{item['n']}</td></tr>" for item in self.items(page))
        self.send(f"<table><tr><th>n</th></tr>{rows}</table>".encode(), kind="text/html")

    def page_features(self):
        at = int(self.asked("at", "1"))
        features = [{"type": "Feature", "properties": item, "geometry": None} for item in self.items(at)]
        links = {"next": self.link(at + 1) if at < self.last else None}
        self.send_page({"type": "FeatureCollection", "features": features, "links": links})

    def page_circle(self):
        at = int(self.asked("at", "1"))
        self.send_page({"links": {"next": f"?at={at + 1 if at < 3 else 2}"}, "items": self.items(at)})

    def page_away(self):
        self.send_page({"links": {"next": self.asked("to")}, "items": self.items(1)})
