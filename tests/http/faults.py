"""What a server can do to a client, as paths of server.py. FILE is a file of the root; a query string is ignored, except where named.

    /429/N/FILE?after=X     429 with Retry-After: X for the first N requests of this path, then the file
    /resume/FILE            with ETag, Range and If-Range; the first ?times=N (1) requests break off after ?cut=BYTES (half);
                            ?change=1: another version each time; ?plain=1: no ETag and no Last-Modified; ?dated=1: only the latter
    /reset/FILE             half of the file, then a reset
    /stall/FILE             half of the file, then silence; /hang: silence at once; /slow-head: a byte of the head a second
    /chunk-noend/FILE       chunked without the last chunk
    /coded/NAME/FILE        the file as it is under Content-Encoding: NAME (commas allowed); /deflate/FILE?raw=1: zlib or bare
    /bomb                   gzip of 1 GiB of zeros, in members of 32 MiB
    /raw/NAME               bytes that are no good answer: see RAW
    /head-flood             headers for ever; /endless-field: a field for ever
    /pingpong               redirects to /pongping and back
    /redir?to=URL           a redirect there; ?code=301
    /sleep/SECONDS/FILE     the file, later
    /auth/basic/NAME/PASSWORD/FILE  401 unless they are given; /auth/bearer/TOKEN/FILE the same
    /token                  POST of client credentials: an access token, a new one each time; ?life=SECONDS, ?fail=1
    /guarded/FILE           401 unless the newest token of /token is given; ?refuse=N: not the first N times even so
    /revoked/FILE           the same, but the first token that is shown is refused from then on
    /echo                   the request's headers as CSV: name,value
    /html                   200 with a page, as text/html; /mislabelled/FILE: the file as text/html
    /latin1, /utf16         CSV in those, as the header says; /disposition/FILE: with a name that climbs out of its folder
    /log                    every request so far as JSON: [{path, headers, at}], at in seconds; /log itself is not in it
    /peak                   the most requests that were answered at once since the last /peak, as text
"""

import gzip
import hashlib
import itertools
import json
import socket
import struct
import threading
import time
import zlib
from base64 import b64encode
from urllib.parse import parse_qs

TEXT = "text/plain; charset=utf-8"
CSV = b"a,b\n1,2\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n"
RAW = {
    "two-lengths": OK + b"Content-Length: 8\r\nContent-Length: 4\r\n\r\n" + CSV,
    "cl-bad": OK + b"Content-Length: many\r\n\r\n" + CSV,
    "cl-negative": OK + b"Content-Length: -8\r\n\r\n" + CSV,
    "cl-low": OK + b"Content-Length: 7\r\n\r\n" + CSV + b"3,4\n",
    "no-length-cut": OK + b"Connection: close\r\n\r\n" + CSV + b"3",
    "chunk-bad": OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + CSV,
    "status-bad": b"HTTP/1.1 abc\r\n\r\n" + CSV,
    "garbage": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" * 10,
    "head-nul": OK + b"X-Nul: a\x00b\r\nContent-Length: 8\r\n\r\n" + CSV,
    "empty": b"",
    "part": b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-7/100\r\nContent-Length: 8\r\n\r\n" + CSV,
}


class Record:
    """What the faults remember between requests; one a server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.log = []  # under lock
        self.now = self.most = 0  # under lock: requests being answered
        self.tokens = itertools.count(1)
        self.token = None  # under lock: the newest
        self.revoked = {}  # under lock: tokens, by file
        self.bomb = None

    def enter(self, path, headers):
        with self.lock:
            if path not in ("/log", "/peak"):
                self.log.append({"path": path, "headers": headers, "at": time.monotonic()})
                self.now += 1
                self.most = max(self.most, self.now)

    def leave(self, path):
        with self.lock:
            if path not in ("/log", "/peak"):
                self.now -= 1


class Faults:
    """The answer_* methods; mixed into server.py's Handler, whose send, head, load and number they use."""

    def answer_429(self, rest):
        times, _, name = rest.partition("/")
        if self.before < int(times):
            self.send(b"slow down\n", 429, Retry_After=self.asked("after", "1"))
        else:
            self.send_file(name)

    # ---- bodies that break off ----

    def validators(self, body):
        tag = hashlib.sha256(body).hexdigest()[:16]
        if self.asked("change"):
            tag += str(self.before)
        if self.asked("plain"):
            return {}
        dated = {"Last-Modified": "Sat, 01 Jan 2022 00:00:00 GMT"}
        return dated if self.asked("dated") else {"ETag": f'"{tag}"', **dated}

    def range_start(self, validators):
        """Where the range that is asked for begins; 0: the whole is sent, as nothing is asked or it has changed."""
        wanted = self.headers.get("Range", "")
        same = self.headers.get("If-Range") in (None, *validators.values())
        return int(wanted[len("bytes=") : -1]) if wanted.startswith("bytes=") and same else 0

    def answer_resume(self, name):
        loaded = self.load(name)
        if not loaded:
            return
        body, kind = loaded
        validators = self.validators(body)
        start = self.range_start(validators)
        headers = {"Content-Type": kind, "Content-Length": len(body) - start, **validators}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        cut = int(self.asked("cut", len(body) // 2))
        if self.head(206 if start else 200, headers):
            if self.before < int(self.asked("times", "1")):
                self.wfile.write(body[start : start + cut])
                self.hang_up()
            else:
                self.wfile.write(body[start:])

    def answer_reset(self, name):
        body, kind = self.load(name)
        self.head(200, {"Content-Type": kind, "Content-Length": len(body)})
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        time.sleep(0.05)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def wait_for_client(self):
        """Until the client leaves."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.recv(1)

    def answer_stall(self, name):
        body, kind = self.load(name)
        self.head(200, {"Content-Type": kind, "Content-Length": len(body)})
        self.wfile.write(body[: len(body) // 2])
        self.wait_for_client()

    def answer_hang(self, _):
        self.wait_for_client()

    def answer_slow_head(self, _):
        self.close_connection = True
        for byte in OK + b"X-Long: " + b"x" * 1000:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(1)

    def answer_chunk_noend(self, name):
        body, kind = self.load(name)
        self.head(200, {"Content-Type": kind, "Transfer-Encoding": "chunked"})
        self.send_chunks(body)
        self.hang_up()

    # ---- encodings ----

    def answer_coded(self, rest):
        coding, _, name = rest.partition("/")
        body, kind = self.load(name)
        self.send(body, kind=kind, Content_Encoding=coding)

    def answer_deflate(self, name):
        body, kind = self.load(name)
        packer = zlib.compressobj(wbits=-15 if self.asked("raw") else 15)
        self.send(packer.compress(body) + packer.flush(), kind=kind, Content_Encoding="deflate")

    def answer_bomb(self, _):
        with self.server.record.lock:
            if self.server.record.bomb is None:
                self.server.record.bomb = gzip.compress(bytes(32 << 20), mtime=0) * 32
        self.send(self.server.record.bomb, kind="text/csv", Content_Encoding="gzip")

    # ---- what is no good answer ----

    def answer_raw(self, name):
        self.wfile.write(RAW[name])
        self.hang_up()

    def answer_head_flood(self, _):
        self.close_connection = True
        self.wfile.write(OK)
        for n in itertools.count():
            self.wfile.write(b"X-Flood-%d: %s\r\n" % (n, b"x" * 100))

    def answer_endless_field(self, _):
        self.close_connection = True
        if self.head(200, {"Content-Type": "text/csv", "Connection": "close"}):
            self.wfile.write(b'a\n"')
            while True:
                self.wfile.write(b"x" * 65536)

    def answer_html(self, _):
        self.send(b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n", kind="text/html; charset=utf-8")

    def answer_mislabelled(self, name):
        self.send(self.load(name)[0], kind="text/html")

    def answer_latin1(self, _):
        self.send("name\ncaf\u00e9\n".encode("latin-1"), kind="text/csv; charset=iso-8859-1")

    def answer_utf16(self, _):
        self.send("name\ncaf\u00e9\n".encode("utf-16"), kind="text/csv; charset=utf-16")

    def answer_disposition(self, name):
        body, kind = self.load(name)
        self.send(body, kind=kind, Content_Disposition='attachment; filename="../../pwned.csv"')

    # ---- redirects ----

    def answer_pingpong(self, _):
        self.send(b"", 302, Location="/pongping")

    def answer_pongping(self, _):
        self.send(b"", 302, Location="/pingpong")

    def answer_redir(self, _):
        self.send(b"", int(self.asked("code", "302")), Location=self.asked("to"))

    # ---- who asks ----

    def unauthorized(self):
        self.send(b"who are you?\n", 401, WWW_Authenticate='Basic realm="test"')

    def answer_auth(self, rest):
        scheme, _, rest = rest.partition("/")
        name, _, rest = rest.partition("/")
        if scheme == "basic":
            password, _, rest = rest.partition("/")
            expected = "Basic " + b64encode(f"{name}:{password}".encode()).decode()
        else:
            expected = "Bearer " + name
        if self.headers.get("Authorization") == expected:
            self.send_file(rest)
        else:
            self.unauthorized()

    def answer_token(self, _):
        form = parse_qs(self.posted.decode())
        good = form.get("grant_type") == ["client_credentials"] and form.get("client_secret") == ["s3cret&"]
        if self.asked("fail") or not good:
            self.send(b'{"error": "invalid_client"}\n', 401, kind="application/json")
            return
        record = self.server.record
        with record.lock:
            record.token = f"token-{next(record.tokens)}"
            answer = {"access_token": record.token, "expires_in": float(self.asked("life", "3600"))}
        self.send(json.dumps(answer).encode(), kind="application/json")

    def answer_guarded(self, name):
        given = self.headers.get("Authorization")
        refused = self.before < int(self.asked("refuse", "0"))
        if self.server.record.token and given == f"Bearer {self.server.record.token}" and not refused:
            self.send_file(name)
        else:
            self.unauthorized()

    def answer_revoked(self, name):
        """The first token that is shown here is good no more from then on."""
        given, record = self.headers.get("Authorization"), self.server.record
        with record.lock:
            bad = record.revoked.setdefault(name, given)
        if given == bad:
            self.unauthorized()
        else:
            self.answer_guarded(name)

    # ---- what was asked ----

    def answer_echo(self, _):
        lines = ["name,value"]
        lines += [f'{name.lower()},"{value}"' for name, value in self.headers.items()]
        self.send("\n".join(lines).encode() + b"\n", kind="text/csv")

    def answer_sleep(self, rest):
        seconds, _, name = rest.partition("/")
        time.sleep(float(seconds))
        self.send_file(name)

    def answer_log(self, _):
        with self.server.record.lock:
            body = json.dumps(self.server.record.log)
        self.send(body.encode(), kind="application/json")

    def answer_peak(self, _):
        record = self.server.record
        with record.lock:
            most, record.most = record.most, record.now
        self.send(b"%d\n" % most)
