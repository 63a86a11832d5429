#!/usr/bin/env python3
"""Where data may lead, watched from the other side: in a network of the test's own, in which the addresses that must not be
reached have somebody who would answer.

The test starts itself again in a user, a network and a mount namespace (unshare), which takes no privileges. Where the system
does not allow that, it says so and ends with 77, as skipped. Inside, Trap answers at every address there is and notes which
one was called, and Names is the only resolver. Each promise has its opposite beside it: what was not reached is reached when
--allow-net permits it. The program is $SLUICE."""

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
import program  # noqa: E402
from program import INLINE  # noqa: E402

INSIDE = "SLUICE_TEST_INSIDE"
SKIPPED = 77
FEW = (INLINE, ("-j", "3"), ("--threads=false", "-j", "3"))
ANYWHERE = ("--allow-net", "0.0.0.0/0", "--allow-net", "::/0")
PUBLIC = "8.8.8.8"
PRIVATE = ("169.254.169.254", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1")
PRIVATE6 = ("fd00:ec2::254", "fe80::7", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1")
PORTS = (21, 22, 70, 80, 443, 8080)

# 127.0.0.1, 169.254.169.254 and others in every way that some resolver takes for them.
SPELLINGS = """127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 017700000001 0177.0.0.1 0x7f.1 0x7f.0x0.0x0.0x1 localhost LOCALHOST
    127.0.0.1. localhost. 127.8.9.10 0 0.0.0.0 0x0 [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1]
    169.254.169.254 2852039166 0xa9fea9fe 025177524776 0251.0376.0251.0376 0xa9.0xfe.0xa9.0xfe 169.254.43518 169.16689662
    [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [64:ff9b::a9fe:a9fe] [2002:7f00:1::1] [fd00:ec2::254]
    10.1.2.3 0x0a010203 172.16.0.1 192.168.1.1 100.64.0.1
    \uff11\uff12\uff17.0.0.1 \uff11\uff16\uff19.\uff12\uff15\uff14.\uff11\uff16\uff19.\uff12\uff15\uff14
    127\u30020\u30020\u30021 metadata.test 8.8.8.8@10.1.2.3 10.1.2.3:80""".split()


# ---- a network of our own -----------------------------------------------------------------------------------------------------


def request(name, *rest):
    return struct.pack("16s", name.encode()) + b"".join(rest)


def add_address(s, n, text):
    """IPv4 addresses have a label each: lo:1, lo:2 ..."""
    name = f"lo:{n}"
    family = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))
    fcntl.ioctl(s, 0x8916, request(name, family))  # SIOCSIFADDR


def add_address6(s, text):
    index = socket.if_nametoindex("lo")
    fcntl.ioctl(s, 0x8916, struct.pack("=16sIi", socket.inet_pton(socket.AF_INET6, text), 128, index))


def make_network():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s6:
        fcntl.ioctl(s, 0x8914, request("lo", struct.pack("=H14x", 0x1 | 0x40)))  # SIOCSIFFLAGS: up, running
        for n, text in enumerate((PUBLIC, *PRIVATE), 1):
            add_address(s, n, text)
        for text in PRIVATE6:
            add_address6(s6, text)


def replace_file(path, text, folder):
    """PATH has TEXT in this mount namespace. A file that is not there is left so: the defaults of the C library will do."""
    if os.path.exists(path):
        own = Path(folder, Path(path).name)
        own.write_text(text)
        subprocess.run(["mount", "--bind", own, path], check=True)


class Trap:
    """Answers HTTP at every address and on every port of PORTS, and notes at which it was called."""

    def __init__(self):
        self.lock = threading.Lock()
        self.calls = []  # under lock: (address, port)
        self.pages = {}  # path: (type, body), or where to go
        for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            for port in PORTS:
                s = socket.socket(family)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind((any_address, port))
                s.listen(64)
                threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, listener):
        while True:
            client, _ = listener.accept()
            with self.lock:
                self.calls.append(client.getsockname()[:2])
            threading.Thread(target=self.answer, args=(client,), daemon=True).start()

    def answer(self, client):
        with client:
            client.settimeout(5)
            try:
                words = client.recv(65536).split()
                path = words[1].decode("latin-1") if len(words) > 1 else "/"
                client.sendall(self.page(path.split("?")[0]))
            except OSError:
                pass  # a client that leaves

    def page(self, path):
        page = self.pages.get(path, ("text/csv", "a\n1\n"))
        if isinstance(page, str):
            return f"HTTP/1.1 302 Found\r\nLocation: {page}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        kind, body = page[0], page[1].encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        return head.encode() + body

    def take(self):
        """The calls since the last time, as a set of addresses; ports other than 80 beside them."""
        with self.lock:
            calls, self.calls = self.calls, []
        return {a if port == 80 else f"{a} {port}" for a, port in calls}


class Names:
    """A resolver. ZONE: for each name the addresses to answer the first time, the second ...; the last of them stays. WAIT: seconds
    before the first answer, in which others may ask the same."""

    def __init__(self):
        self.lock = threading.Lock()
        self.zone, self.wait = {}, 0
        self.asked = {}  # under lock: how often, by name
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def set(self, wait=0, **zone):
        with self.lock:
            self.wait = wait
            self.zone = {name.replace("_", "."): answers for name, answers in zone.items()}
            self.asked = {}

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            self.socket.sendto(self.reply(query), client)

    def addresses(self, name):
        with self.lock:
            answers = self.zone.get(name)
            n = self.asked.get(name, 0)
            self.asked[name] = n + 1
        if not n:
            time.sleep(self.wait)
        return answers[min(n, len(answers) - 1)] if answers else None

    def reply(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1").lower())
            at += 1 + query[at]
        kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
        question = query[12 : at + 5]
        found = self.addresses(".".join(labels)) if kind == 1 else []
        code = 3 if found is None else 0
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(a) for a in found or [])
        return query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found or []), 0, 0) + question + records


class Watch:
    """Tells whether somebody has opened a file since the last time (inotify)."""

    def __init__(self, path):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0 or self.libc.inotify_add_watch(self.fd, os.fsencode(path), 0x20) < 0:  # IN_OPEN
            raise OSError(ctypes.get_errno(), "inotify")

    def opened(self):
        try:
            return len(os.read(self.fd, 65536)) > 0
        except BlockingIOError:
            return False

    def close(self):
        os.close(self.fd)


# ---- the tests ------------------------------------------------------------------------------------------------------------------


class Addresses(program.Case):
    @classmethod
    def setUpClass(cls):
        make_network()
        own = tempfile.TemporaryDirectory()
        cls.addClassCleanup(own.cleanup)
        replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n", own.name)
        replace_file("/etc/nsswitch.conf", "hosts: files dns\n", own.name)
        cls.names, cls.trap = Names(), Trap()

    def setUp(self):
        super().setUp()
        self.env = {k: v for k, v in self.env.items() if not k.lower().endswith("_proxy")}
        self.env["SLUICE_CACHE_DIR"] = str(self.dir / "cache")
        self.names.set(metadata_test=[["169.254.169.254"]])
        self.trap.pages.clear()
        self.trap.take()

    def pipe(self, text, *args, code=None):
        return self.sluice("pipe", text, "-q", "--retry", "0", *args, code=code)

    def refused(self, text, *args):
        """TEXT fails, and reaches nobody but the public host."""
        r = self.pipe(text, *args)
        self.assertIn(r.code, (1, 3, 75), r.message)
        self.assertEqual(r.out, b"", text)
        self.assertLessEqual(self.trap.take(), {PUBLIC}, text)
        return r

    def test_private_addresses_in_data_are_refused_in_every_spelling(self):
        self.file("urls.csv", "url\n" + "".join(f"http://{host}/\n" for host in SPELLINGS))
        pipe = "csv url=urls.csv | csv url.subkey=url"
        for pool in FEW:
            self.refused(pipe, "--keep-going", "--report", "r.json", *pool)
            self.assertEqual(json.loads((self.dir / "r.json").read_text())["failed"], len(SPELLINGS))
        r = self.pipe(pipe, "--keep-going", *ANYWHERE, code=3)
        reached = self.trap.take()
        for address in ("127.0.0.1", "127.8.9.10", "::1", *PRIVATE, "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1"):
            self.assertIn(address, reached)
        self.assertGreater(len(r.out.splitlines()), len(SPELLINGS) * 3 // 4)

    def test_redirects_to_private_addresses_are_refused(self):
        home = f"csv url=http://{PUBLIC}/go"
        for to in (
            *(f"http://{host}/" for host in ("169.254.169.254", "2852039166", "localhost", "[::1]", "metadata.test")),
            *("http://127.0.0.1:22/", "//10.1.2.3/", "https://10.1.2.3/", "http://8.8.8.8@10.1.2.3/"),
            *("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "javascript:alert(1)", "dict://127.0.0.1/"),
        ):
            self.trap.pages["/go"] = to
            self.refused(home)
        self.trap.pages["/go"] = "http://metadata.test/"
        self.assertEqual(self.pipe(home, *ANYWHERE, code=0).out, b'{"a":"1"}\n')
        self.assertEqual(self.trap.take(), {PUBLIC, "169.254.169.254"})

    def test_next_pages_at_private_addresses_are_refused(self):
        page = {"items": [{"a": 1}], "next": "http://metadata.test/next"}
        self.trap.pages["/items"] = ("application/json", json.dumps(page))
        self.trap.pages["/next"] = ("application/json", '{"items": [{"a": 2}]}')
        pipe = f"fetchdata url=http://{PUBLIC}/items path=items paginate=next_url=next"
        r = self.pipe(pipe, "--to", "out.jsonl", code=1)
        self.assertIn("169.254.169.254, which is not public", r.message)
        self.assertEqual(self.trap.take(), {PUBLIC})
        self.assertEqual(len(self.pipe(pipe, *ANYWHERE, code=0).out.splitlines()), 2)
        self.assertEqual(self.trap.take(), {PUBLIC, "169.254.169.254"})

    def test_a_feed_at_a_private_address_is_refused(self):
        link = '<link rel="alternate" type="application/rss+xml" href="http://10.1.2.3/feed">'
        self.trap.pages["/site"] = ("text/html", f"<html><head>{link}</head></html>")
        self.trap.pages["/feed"] = ("application/rss+xml", "<rss><channel><item><title>x</title></item></channel></rss>")
        pipe = f"fetchsitefeed url=http://{PUBLIC}/site"
        self.refused(pipe)
        self.assertEqual(len(self.pipe(pipe, *ANYWHERE, code=0).out.splitlines()), 1)
        self.assertEqual(self.trap.take(), {PUBLIC, "10.1.2.3"})

    def test_xml_opens_no_connection(self):
        """Not even to where a URL might lead: what a document refers to is not fetched at all."""
        for name, head in {
            "dtd": '<!DOCTYPE r SYSTEM "http://10.1.2.3/x.dtd">',
            "public": '<!DOCTYPE r PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://8.8.8.8/x.dtd">',
            "entity": '<!DOCTYPE r [<!ENTITY x SYSTEM "http://10.1.2.3/x">]>',
            "parameter": '<!DOCTYPE r [<!ENTITY % x SYSTEM "http://10.1.2.3/x"> %x;]>',
            "schema": '<?xml-stylesheet href="http://10.1.2.3/x.xsl"?>',
        }.items():
            body = "&x;" if name == "entity" else "text"
            self.file(f"{name}.xml", f'<?xml version="1.0"?>{head}<r><item><title>{body}</title></item></r>')
            for pipe in ("fetchdata url={} path=r.item", "xpathfetchpage url={} xpath=//item", "fetch url={}"):
                self.pipe(pipe.format(f"{name}.xml"), *ANYWHERE)
                self.assertEqual(self.trap.take(), set(), (name, pipe))
        self.pipe(f"fetchtext url=http://{PUBLIC}/", code=0)
        self.assertEqual(self.trap.take(), {PUBLIC})

    def test_no_file_is_opened(self):
        """Neither where a redirect, a page or an item from the network leads to one, nor where XML names one."""
        secret = self.file("secret.csv", "a\nsecret\n")
        watch = Watch(secret)
        self.addCleanup(watch.close)
        self.trap.pages["/go"] = f"file://{secret}"
        self.trap.pages["/list"] = ("text/csv", f"url\nfile://{secret}\n{secret}\n")
        self.trap.pages["/site"] = ("text/html", f'<link rel="alternate" type="text/xml" href="file://{secret}">')
        self.trap.pages["/next"] = ("application/json", json.dumps({"items": [{"a": 1}], "next": f"file://{secret}"}))
        self.trap.pages["/xxe"] = (
            "application/xml",
            f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]><r><item><title>&x;</title></item></r>',
        )
        home = f"http://{PUBLIC}"
        for pipe in (
            f"csv url={home}/go",
            f"csv url={home}/list | csv url.subkey=url",
            f"fetchsitefeed url={home}/site",
            f"fetchdata url={home}/next path=items paginate=next_url=next",
            f"fetchdata url={home}/xxe path=r.item",
            f"xpathfetchpage url={home}/xxe xpath=//item",
            f"fetch url={home}/xxe",
        ):
            r = self.pipe(pipe)
            self.assertNotIn(b"secret\n", r.out)
            self.assertFalse(watch.opened(), pipe)
        self.pipe(f"csv url={secret}", code=0)
        self.assertTrue(watch.opened())

    def test_a_name_is_looked_up_once(self):
        """What would look the name up once to check it and once more to connect would be caught the first time."""
        self.file("urls.csv", "url\nhttp://rebind.test/\n")
        pipe = "csv url=urls.csv | csv url.subkey=url"
        for pool in FEW:
            self.names.set(rebind_test=[[PUBLIC], ["127.0.0.1"]])
            self.assertEqual(self.pipe(pipe, *pool, code=0).out, b'{"a":"1"}\n')
            self.assertEqual(self.trap.take(), {PUBLIC})
            self.assertEqual(self.names.asked["rebind.test"], 1)
            self.assertIn("127.0.0.1, which is not public", self.refused(pipe, *pool).message)
            self.assertEqual(self.names.asked["rebind.test"], 2)
        self.assertEqual(self.pipe(pipe, *ANYWHERE, code=0).out, b'{"a":"1"}\n')
        self.assertEqual(self.trap.take(), {"127.0.0.1"})

    def test_a_name_that_changes_never_leads_to_a_private_address(self):
        """Many at once: whatever each of them learns, nobody is led astray."""
        self.file("urls.csv", "url\n" + "".join(f"http://rebind.test/?{n}\n" for n in range(24)))
        for pool in FEW:
            self.names.set(rebind_test=[[PUBLIC], ["127.0.0.1"]] * 50, wait=0.2)
            self.pipe("csv url=urls.csv | csv url.subkey=url", "--keep-going", "--unit", "200", *pool)
            self.assertLessEqual(self.trap.take(), {PUBLIC})
            self.assertGreaterEqual(self.names.asked["rebind.test"], 2)

    def test_a_name_with_a_private_address_is_never_connected_there(self):
        self.file("urls.csv", "url\nhttp://both.test/\n")
        for answer in (["127.0.0.1", PUBLIC], [PUBLIC, "10.1.2.3"], ["169.254.169.254", "10.1.2.3", PUBLIC]):
            self.names.set(both_test=[answer])
            self.pipe("csv url=urls.csv | csv url.subkey=url")
            self.assertLessEqual(self.trap.take(), {PUBLIC}, answer)

    def test_a_redirect_to_a_name_that_changes_is_refused(self):
        self.trap.pages["/go"] = "http://rebind.test/"
        self.names.set(rebind_test=[["127.0.0.1"], [PUBLIC]])
        self.refused(f"csv url=http://{PUBLIC}/go")
        self.assertEqual(self.pipe(f"csv url=http://{PUBLIC}/go", code=0).out, b'{"a":"1"}\n')
        self.assertEqual(self.trap.take(), {PUBLIC})

    def test_a_connection_is_not_shared_with_those_who_may_not(self):
        """The user's own URL may lead to a private address; a link to the same place found in data may not use its connection."""
        self.file("urls.csv", "url\nhttp://10.1.2.3/\n")
        definition = {"sources": [{"url": "http://10.1.2.3/", "type": "csv"}, {"url": "urls.csv", "type": "csv"}], "modules": []}
        own = self.sluice("run", self.file("own.json", json.dumps(definition)), "-q").out
        self.assertEqual(own, b'{"a":"1"}\n{"url":"http://10.1.2.3/"}\n')
        self.assertEqual(self.trap.take(), {"10.1.2.3"})
        self.refused("csv url=urls.csv | csv url.subkey=url")

    def test_an_address_without_a_route_is_a_temporary_failure(self):
        """No route: said at once, and tried again as it may pass."""
        r = self.pipe("csv url=http://203.0.113.1/x", "--connect-timeout", "2", code=75)
        self.assertIn("http://203.0.113.1/x", r.message)


def enter():
    """Starts this program again inside; never returns."""
    words = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
    try:
        allowed = subprocess.run([*words, "true"], capture_output=True).returncode == 0
    except OSError:
        allowed = False
    if not allowed:
        print("skipped: this system gives no namespaces of one's own (unshare)")
        sys.exit(SKIPPED)
    os.environ[INSIDE] = "1"
    os.execvp(words[0], [*words, sys.executable, *sys.argv])


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter()
    program.main()
