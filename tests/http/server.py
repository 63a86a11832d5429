#!/usr/bin/env python3
"""A loopback HTTP server that misbehaves on request. Standard library only.

    server.py --root DIR [--port 0] [--delay 0.01] [--tls PEM [--clients PEM]]

Listens on 127.0.0.1, prints the port on stdout and serves until SIGTERM or until its stdin closes, so it never outlives the
test that started it: give it a pipe there, since /dev/null ends it at once. FILE below is a path inside the root; a query string is ignored, except where named.

    /FILE               the file
    /slow/FILE          the same in 64 pieces (at least one byte each), --delay seconds before each; ?delay=SECONDS
    /truncate/FILE      Content-Length tells the whole size, and the connection closes after half of it
    /status/CODE        that status and a line of text; a 3xx has no Location
    /flaky/N/FILE       503 with Retry-After: 0 for the first N requests of this path, then the file
    /redirect/N/FILE    N redirects (302), then the file
    /gzip/FILE          the file under Content-Encoding: gzip
    /badgzip/FILE       the same with the compressed stream cut in half and a Content-Length that agrees
    /chunked/FILE       Transfer-Encoding: chunked, in pieces of 1000 bytes
    /badchunked/FILE    the same, and the connection closes in the middle
    /endless            lines of text for ever, until the client leaves
    /loop               a redirect to itself
    /etag/FILE          with an ETag; 304 when If-None-Match has it
    /keep/..., /pages/... answers to be kept, and in pages: see pages.py
    /count              how many requests have come so far for ?path=PATH, as text; /count itself is not counted

and the faults of faults.py. Everything answers GET and HEAD, and POST like GET, over HTTP/1.1 with keep-alive; at most
MAX_CLIENTS connections are served at once.
"""

import argparse
import gzip
import hashlib
import mimetypes
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from urllib.parse import parse_qs, unquote, urlsplit

from faults import Faults, Record
from pages import Pages

MAX_CLIENTS = 64
MAX_REDIRECTS = 1000
MAX_DELAY = 10.0
IDLE_SECONDS = 30
PIECES = 64
CHUNK = 1000


class Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = MAX_CLIENTS

    def __init__(self, port, root, delay):
        self.root = Path(root).resolve()
        self.delay = delay
        self.lock = threading.Lock()
        self.requests = Counter()  # under lock: by path, without query
        self.record = Record()
        self.clients = threading.BoundedSemaphore(MAX_CLIENTS)
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self):
        """HTTPServer's own looks the host name up, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def process_request(self, request, client_address):
        self.clients.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.clients.release()
            raise

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.clients.release()

    def handle_error(self, request, client_address):
        """A client that leaves is part of the tests; anything else is a bug of this file."""
        if not isinstance(sys.exc_info()[1], (OSError, TimeoutError)):
            super().handle_error(request, client_address)

    def count(self, path):
        """Counts a request and returns how many came before it."""
        with self.lock:
            self.requests[path] += 1
            return self.requests[path] - 1

    def file(self, name):
        """The bytes of a file inside the root, or None."""
        path = (self.root / name).resolve()
        inside = path.is_relative_to(self.root)
        return path.read_bytes() if inside and path.is_file() else None


class Handler(Faults, Pages, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sluice-test"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        asked = self.path
        url = urlsplit(asked)
        self.query = parse_qs(url.query)
        self.path = unquote(url.path)
        self.posted = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.before = 0 if self.path == "/count" else self.server.count(self.path)
        self.server.record.enter(asked, dict(self.headers))
        try:
            self.answer()
        finally:
            self.server.record.leave(asked)

    def answer(self):
        verb, _, rest = self.path[1:].partition("/")
        answer = getattr(self, "answer_" + verb.replace("-", "_"), None)
        if answer is None:
            self.send_file(self.path[1:])
        else:
            answer(rest)

    do_POST = do_HEAD = do_GET

    def asked(self, name, fallback=""):
        """What the query says."""
        return self.query.get(name, [fallback])[0]

    # ---- answering ----

    def head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        return self.command != "HEAD"

    def send(self, body, status=200, kind="text/plain; charset=utf-8", **headers):
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.head(status, {"Content-Type": kind, "Content-Length": len(body), **extra}):
            self.wfile.write(body)

    def hang_up(self):
        """Closes so that the client sees an end and not a reset."""
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_WR)

    def load(self, name):
        """(bytes, media type), or None after a 404."""
        body = self.server.file(name)
        if body is None:
            self.send(b"no such file\n", 404)
            return None
        return body, mimetypes.guess_type(name)[0] or "application/octet-stream"

    def send_file(self, name):
        if loaded := self.load(name):
            self.send(loaded[0], kind=loaded[1])

    def number(self, text, limit):
        """The number, or None after a 400."""
        if text.isascii() and text.isdigit() and int(text) <= limit:
            return int(text)
        self.send(f"a number up to {limit} is needed\n".encode(), 400)
        return None

    # ---- the paths: answer_VERB gets what follows /VERB/ ----

    def answer_slow(self, name):
        loaded = self.load(name)
        if not loaded:
            return
        body, kind = loaded
        delay = min(float(self.query.get("delay", [self.server.delay])[0]), MAX_DELAY)
        step = max(1, -(-len(body) // PIECES))
        if self.head(200, {"Content-Type": kind, "Content-Length": len(body)}):
            for at in range(0, len(body), step):
                time.sleep(delay)
                self.wfile.write(body[at : at + step])

    def answer_truncate(self, name):
        if loaded := self.load(name):
            body, kind = loaded
            if self.head(200, {"Content-Type": kind, "Content-Length": len(body)}):
                self.wfile.write(body[: len(body) // 2])
            self.hang_up()

    def answer_status(self, code):
        status = self.number(code, 599)
        if status is None:
            return
        if status < 200:
            self.send(b"a status from 200 on is needed\n", 400)
        elif status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            self.head(status, {})
        else:
            self.send(f"status {status}\n".encode(), status)

    def answer_flaky(self, rest):
        times, _, name = rest.partition("/")
        times = self.number(times, 1000)
        if times is None:
            return
        if self.before < times:
            self.send(b"not yet\n", 503, Retry_After=0)
        else:
            self.send_file(name)

    def answer_redirect(self, rest):
        left, _, name = rest.partition("/")
        left = self.number(left, MAX_REDIRECTS)
        if left:
            self.send(b"", 302, Location=f"/redirect/{left - 1}/{name}" if left > 1 else f"/{name}")
        elif left == 0:
            self.send_file(name)

    def answer_loop(self, _):
        self.send(b"", 302, Location="/loop")

    def answer_gzip(self, name):
        if loaded := self.load(name):
            self.send(gzip.compress(loaded[0], mtime=0), kind=loaded[1], Content_Encoding="gzip")

    def answer_badgzip(self, name):
        if loaded := self.load(name):
            packed = gzip.compress(loaded[0], mtime=0)
            self.send(packed[: len(packed) // 2], kind=loaded[1], Content_Encoding="gzip")

    def send_chunks(self, body):
        for at in range(0, len(body), CHUNK):
            piece = body[at : at + CHUNK]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def answer_chunked(self, name):
        if loaded := self.load(name):
            if self.head(200, {"Content-Type": loaded[1], "Transfer-Encoding": "chunked"}):
                self.send_chunks(loaded[0])
                self.wfile.write(b"0\r\n\r\n")

    def answer_badchunked(self, name):
        if loaded := self.load(name):
            if self.head(200, {"Content-Type": loaded[1], "Transfer-Encoding": "chunked"}):
                self.send_chunks(loaded[0][: len(loaded[0]) // 2])
            self.hang_up()

    def answer_endless(self, _):
        """The end of the connection is the end of the body, which never comes."""
        self.close_connection = True
        if self.head(200, {"Content-Type": "text/plain; charset=utf-8", "Connection": "close"}):
            lines = b"and on and on and on\n" * 500
            while True:
                self.wfile.write(lines)

    def answer_etag(self, name):
        if loaded := self.load(name):
            tag = '"%s"' % hashlib.sha256(loaded[0]).hexdigest()[:16]
            if tag in self.headers.get("If-None-Match", ""):
                self.head(304, {"ETag": tag})
            else:
                self.send(loaded[0], kind=loaded[1], ETag=tag)

    def answer_count(self, _):
        with self.server.lock:
            n = self.server.requests[self.query.get("path", [""])[0]]
        self.send(b"%d\n" % n)


def leave_with_parent():
    """Ends the process when stdin closes. Read by descriptor: a buffered read would hold a lock at exit."""
    while os.read(0, 4096):
        pass
    os._exit(0)


def secure(options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls)
    if options.clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(options.clients)
    return context


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, help="the directory whose files are served")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--delay", type=float, default=0.01, help="seconds before each piece under /slow")
    parser.add_argument("--tls", help="PEM file with a certificate and its key: https is spoken")
    parser.add_argument("--clients", help="PEM file of certificates: clients must show one of them")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = Server(options.port, options.root, options.delay)
    if options.tls:
        server.socket = secure(options).wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)
    threading.Thread(target=leave_with_parent, daemon=True).start()
    server.serve_forever(poll_interval=0.5)


if __name__ == "__main__":
    main()
