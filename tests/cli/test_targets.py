#!/usr/bin/env python3
"""Where a file target leads and what of the old file stays: links, long names, modes, owners, rights, what is no file.

What another user sees is tried as the user 65534 where the tests run as root, and as whoever runs them where they do not."""

import contextlib
import errno
import os
import shutil
import sqlite3
import stat
import struct
import subprocess
import threading
import unittest

import program

NOBODY = 65534
ROOT = os.geteuid() == 0
NEW = {"x.csv": b"n\n1\n2\n", "x.tsv": b"n\n1\n2\n", "x.jsonl": b'{"n":"1"}\n{"n":"2"}\n', "x.json": b'[{"n":"1"},\n{"n":"2"}]\n'}
ACL = "system.posix_acl_access"


def acl(user):
    """An access list: owner rw, USER rw, group nothing, mask rw, others nothing; as the kernel keeps it."""
    entries = [(1, 6, 0xFFFFFFFF), (2, 6, user), (4, 0, 0xFFFFFFFF), (16, 6, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)


class Target(program.Case):
    def setUp(self):
        super().setUp()
        self.file("in.csv", "n\n1\n2\n")

    def load(self, to, code=0, **more):
        return self.sluice("load", "in.csv", "--to", to, "-q", code=code, **more)

    def refused(self, to, *parts, code=1):
        """One line with all PARTS, and no file that was not there before."""
        before = self.names()
        r = self.load(to, code=code)
        self.assertEqual(r.message.count("\n"), 0, r.message)
        for part in parts:
            self.assertIn(part, r.message)
        self.assertEqual(self.names(), before)

    def left_behind(self):
        return [n for n in self.names() if "sluice-" in n]


class Links(Target):
    def test_a_link_stays_and_its_file_is_replaced(self):
        (self.dir / "far").mkdir()
        for name, new in NEW.items():
            self.file(f"far/{name}", "old")
            (self.dir / name).symlink_to(f"far/{name}")
            self.load(name)
            self.assertTrue((self.dir / name).is_symlink())
            self.assertEqual((self.dir / "far" / name).read_bytes(), new)
        self.assertEqual(self.left_behind(), [])

    def test_a_link_to_nothing_stays_and_its_file_is_made(self):
        (self.dir / "far").mkdir()
        (self.dir / "one.csv").symlink_to("two")
        (self.dir / "two").symlink_to("far/three")
        self.load("one.csv")
        self.assertTrue((self.dir / "one.csv").is_symlink() and (self.dir / "two").is_symlink())
        self.assertEqual((self.dir / "far/three").read_bytes(), NEW["x.csv"])
        (self.dir / "whole.csv").symlink_to(self.dir / "far" / "four")
        self.load("whole.csv")
        self.assertEqual((self.dir / "far/four").read_bytes(), NEW["x.csv"])

    def test_a_link_into_a_missing_folder_is_refused(self):
        (self.dir / "x.csv").symlink_to("nowhere/y.csv")
        self.refused("x.csv", "x.csv", "there is no folder", "nowhere")
        self.assertTrue((self.dir / "x.csv").is_symlink())

    def test_links_in_a_circle_are_refused(self):
        (self.dir / "x.csv").symlink_to("y.csv")
        (self.dir / "y.csv").symlink_to("x.csv")
        self.refused("x.csv", "x.csv", os.strerror(errno.ELOOP))

    @unittest.skipUnless(os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK), "there is no second file system")
    def test_a_link_to_another_file_system_is_followed(self):
        far = f"/dev/shm/sluice-test-{os.getpid()}"
        os.mkdir(far)
        self.addCleanup(shutil.rmtree, far, True)
        for name in ("new.csv", "old.csv"):
            (self.dir / name).symlink_to(f"{far}/{name}")
        with open(f"{far}/old.csv", "w") as f:
            f.write("old")
        for name in ("new.csv", "old.csv"):
            self.load(name)
            with open(f"{far}/{name}", "rb") as f:
                self.assertEqual(f.read(), NEW["x.csv"])
        self.assertEqual(sorted(os.listdir(far)), ["new.csv", "old.csv"])

    def test_other_names_of_a_file_keep_the_old_content(self):
        self.file("x.csv", "old")
        os.link(self.dir / "x.csv", self.dir / "other.csv")
        self.load("x.csv")
        self.assertEqual((self.dir / "x.csv").read_bytes(), NEW["x.csv"])
        self.assertEqual((self.dir / "other.csv").read_bytes(), b"old")


    def test_two_names_of_one_file_are_refused(self):
        self.file("x.csv", "old")
        for link, to in (("link.csv", "x.csv"), ("circle.json", "link.csv"), ("new.csv", "made"), ("new.jsonl", "made"), ("link.db", "x.csv")):
            (self.dir / link).symlink_to(to)
        (self.dir / "here").symlink_to(".")
        for a, b in (("x.csv", "link.csv"), ("x.csv", "circle.json"), ("new.csv", "new.jsonl"), ("y.csv", "here/y.csv"), ("x.csv", "link.db:t"), ("y.csv", f"{self.dir}/y.csv")):
            r = self.sluice("load", "in.csv", "--to", a, "--to", b, code=2)
            self.assertIn(f"two sinks write one file: '{b}'", r.message)
        self.assertEqual((self.dir / "x.csv").read_text(), "old")
        self.assertFalse((self.dir / "made").exists() or (self.dir / "y.csv").exists())
        for a, b in (("y.db:t", "y.db:T"), ("y.db:t", "here/y.db:t"), ("y.db:y", "here/y.db")):
            r = self.sluice("load", "in.csv", "--to", a, "--to", b, code=2)
            self.assertIn(f"two sinks write one table: '{b}'", r.message)
        self.sluice("load", "in.csv", "--to", "y.db:t", "--to", "here/y.db:u", "-q")
        os.link(self.dir / "x.csv", self.dir / "other.csv")
        self.sluice("load", "in.csv", "--to", "x.csv", "--to", "other.csv", "-q")
        self.assertEqual((self.dir / "other.csv").read_bytes(), NEW["x.csv"])


class Names(Target):
    def test_names_as_long_as_the_file_system_takes(self):
        longest = os.pathconf(self.dir, "PC_NAME_MAX")
        for n in (longest, longest - 1, longest - 30, longest - 36, longest - 40):
            name = "n" * (n - 4) + ".csv"
            self.load(name)
            self.assertEqual((self.dir / name).read_bytes(), NEW["x.csv"])
            self.load(name)
        self.refused("n" * (longest - 3) + ".csv", os.strerror(errno.ENAMETOOLONG))

    def test_what_is_left_of_a_long_name_is_swept_for_that_name_alone(self):
        longest = os.pathconf(self.dir, "PC_NAME_MAX")
        names = ["n" * (longest - 5) + f"{c}.csv" for c in "ab"]
        for name in names:
            gone = subprocess.Popen([program.PROGRAM, "load", "-", "--from", "csv", "--to", name], cwd=self.dir, env=self.env,
                                    stdin=subprocess.PIPE)
            while not any(f".sluice-{gone.pid}." in n for n in self.names()):
                self.assertIsNone(gone.poll())
            gone.kill()
            gone.stdin.close()
            gone.wait()
        self.assertEqual(len(self.left_behind()), 2)
        self.load(names[0])
        self.assertEqual(len(self.left_behind()), 1)
        self.load(names[1])
        self.assertEqual(self.names(), sorted(["in.csv", *names]))

    def test_a_long_name_is_cut_between_characters(self):
        name = "ä" * ((os.pathconf(self.dir, "PC_NAME_MAX") - 4) // 2) + ".csv"
        child = subprocess.Popen([program.PROGRAM, "load", "-", "--from", "csv", "--to", name], cwd=self.dir, env=self.env,
                                 stdin=subprocess.PIPE)
        while not self.left_behind():
            self.assertIsNone(child.poll())
        self.assertRegex(self.left_behind()[0], r"^\.ä+~")
        child.stdin.write(b"n\n1\n2\n")
        child.stdin.close()
        self.assertEqual(child.wait(), 0)
        self.assertEqual((self.dir / name).read_bytes(), NEW["x.csv"])

    def test_a_url_is_no_path(self):
        for to in ("file:x.csv", f"file://{self.dir}/x.csv", "https://example.org/x.csv", "file:x.db:t", "file:x.jsonl"):
            self.refused(to, "no URL", code=2)
        (self.dir / "file:").mkdir()
        self.load("./file:x.csv")
        self.load("./file:/y.jsonl")
        self.assertEqual((self.dir / "file:x.csv").read_bytes(), NEW["x.csv"])
        self.assertEqual((self.dir / "file:" / "y.jsonl").read_bytes(), NEW["x.jsonl"])

    def test_a_folder_in_the_place_of_a_file_is_refused(self):
        (self.dir / "x.csv").mkdir()
        self.refused("x.csv", "x.csv", os.strerror(errno.EISDIR))

    def test_a_missing_folder_is_named(self):
        self.refused("nowhere/x.csv", "nowhere/x.csv", "there is no folder 'nowhere/'")
        self.refused("in.csv/x.csv", "in.csv/x.csv", os.strerror(errno.ENOTDIR))


class NoFiles(Target):
    def test_a_device_is_written_to(self):
        (self.dir / "x.csv").symlink_to("/dev/null")
        self.load("x.csv")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        (self.dir / "full.csv").symlink_to("/dev/full")
        self.refused("full.csv", os.strerror(errno.ENOSPC))

    def test_a_pipe_is_written_to(self):
        for name, new in NEW.items():
            path = self.dir / name
            os.mkfifo(path)
            got = []
            reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
            reader.start()
            self.load(name)
            reader.join(60)
            self.assertEqual(got, [new])
            self.assertTrue(path.is_fifo())

    def test_standard_output_may_have_a_name(self):
        (self.dir / "x.csv").symlink_to("/dev/stdout")
        self.assertEqual(self.load("x.csv").out, NEW["x.csv"])


class TwoPhases(Target):
    """What fails at the very end fails before anything is visible, whichever output it is."""

    def setUp(self):
        super().setUp()
        self.file("old.csv", "n\n7\n")
        self.sluice("load", "old.csv", "--to", "x.db:t", "--to", "x.csv", "--to", "x.json", "-q")
        self.before = {name: (self.dir / name).read_bytes() for name in ("x.db", "x.csv", "x.json")}

    def check_kept(self):
        for name, content in self.before.items():
            self.assertEqual((self.dir / name).read_bytes(), content)
        self.assertEqual(self.left_behind(), [])

    def test_a_full_device_commits_nothing_else(self):
        """The few bytes stay in a buffer until everything else is written."""
        (self.dir / "full.csv").symlink_to("/dev/full")
        for order in (("full.csv", "x.csv", "x.db:t", "x.json"), ("x.json", "x.db:t", "x.csv", "full.csv")):
            for pool in program.pools((2,)):
                self.sluice("load", "in.csv", *[w for to in order for w in ("--to", to)], *pool, code=1)
                self.check_kept()

    def test_a_database_that_refuses_commits_nothing_else(self):
        with contextlib.closing(sqlite3.connect(self.dir / "x.db")) as db:
            db.execute("CREATE TABLE u (n CHECK (n <> 2))")
        self.before["x.db"] = (self.dir / "x.db").read_bytes()
        for order in (("x.db:u", "x.csv", "x.json"), ("x.csv", "x.db:t", "x.json", "x.db:u")):
            self.sluice("load", "in.csv", *[w for to in order for w in ("--to", to)], code=1)
            self.check_kept()

    def test_a_reader_that_left_commits_nothing_else(self):
        read, write = os.pipe()
        os.close(read)
        for order in (("-", "x.csv", "x.db:t"), ("x.csv", "x.db:t", "-")):
            with open(os.dup(write), "wb") as out:
                self.sluice("load", "in.csv", *[w for to in order for w in ("--to", to)], code=141, stdout=out)
            self.check_kept()
        os.close(write)


class Rights(Target):
    def mode(self, name):
        return stat.S_IMODE(os.stat(self.dir / name).st_mode)

    def test_a_new_file_has_the_mode_of_the_umask(self):
        old = os.umask(0o027)
        try:
            self.load("x.csv")
        finally:
            os.umask(old)
        self.assertEqual(self.mode("x.csv"), 0o640)

    def test_the_mode_stays(self):
        for mode in (0o600, 0o640, 0o664, 0o755, 0o777):
            self.file("x.csv", "old")
            os.chmod(self.dir / "x.csv", mode)
            self.load("x.csv")
            self.assertEqual(self.mode("x.csv"), mode)

    def test_attributes_stay(self):
        self.file("x.csv", "old")
        try:
            os.setxattr(self.dir / "x.csv", "user.origin", b"somewhere")
        except OSError as e:
            self.skipTest(f"no attributes here: {e}")
        self.load("x.csv")
        self.assertEqual(os.getxattr(self.dir / "x.csv", "user.origin"), b"somewhere")

    def test_an_access_list_stays(self):
        self.file("x.csv", "old")
        try:
            os.setxattr(self.dir / "x.csv", ACL, acl(NOBODY))
        except OSError as e:
            self.skipTest(f"no access lists here: {e}")
        self.load("x.csv")
        self.assertEqual(os.getxattr(self.dir / "x.csv", ACL), acl(NOBODY))


class OtherUsers(Target):
    """As somebody who is not root."""

    def setUp(self):
        super().setUp()
        self.user = NOBODY if ROOT else os.geteuid()
        if ROOT:  # the build may lie where nobody else may go
            self.program = shutil.copy(program.PROGRAM, self.dir / "sluice")
            os.chmod(self.dir, 0o755)
            os.chown(self.spill, NOBODY, NOBODY)
        else:
            self.program = program.PROGRAM

    def folder(self, mode, owner=None):
        folder = self.dir / "d"
        folder.mkdir()
        self.addCleanup(os.chmod, folder, 0o755)
        if ROOT:
            os.chown(folder, self.user if owner is None else owner, NOBODY)
        os.chmod(folder, mode)
        return folder

    def put(self, path, mode, owner=None, group=None):
        path.write_text("old")
        if ROOT:
            os.chown(path, self.user if owner is None else owner, NOBODY if group is None else group)
        os.chmod(path, mode)

    def as_user(self, *to):
        words = [self.program, "load", self.dir / "in.csv", "-q"]
        for t in to:
            words += ["--to", t]
        who = {"user": self.user, "group": NOBODY, "extra_groups": []} if ROOT else {}
        return subprocess.run(words, cwd=self.dir, env=dict(self.env, HOME=str(self.spill)), capture_output=True, timeout=60, **who)

    def refused_user(self, to, *parts):
        r = self.as_user(to)
        message = r.stderr.decode()
        self.assertEqual(r.returncode, 1, message)
        for part in parts:
            self.assertIn(part, message)
        return message

    def test_a_file_that_may_not_be_written_is_left(self):
        folder = self.folder(0o755)
        self.put(folder / "x.csv", 0o444)
        self.refused_user("d/x.csv", "d/x.csv", "may not write")
        self.assertEqual(os.listdir(folder), ["x.csv"])
        self.assertEqual((folder / "x.csv").read_text(), "old")

    def test_a_folder_that_may_not_be_written_is_named(self):
        folder = self.folder(0o755)
        self.put(folder / "x.csv", 0o644)
        os.chmod(folder, 0o555)
        for name in ("x.csv", "new.csv"):
            self.refused_user(f"d/{name}", f"d/{name}", "beside", os.strerror(errno.EACCES))
        self.assertEqual((folder / "x.csv").read_text(), "old")

    @unittest.skipUnless(ROOT, "a file of another user takes root to make")
    def test_a_folder_of_another_user_is_named(self):
        folder = self.folder(0o755, owner=0)
        self.put(folder / "x.csv", 0o666)
        self.refused_user("d/x.csv", "d/x.csv", "beside", os.strerror(errno.EACCES))
        self.assertEqual((folder / "x.csv").read_text(), "old")

    @unittest.skipUnless(ROOT, "a file of another user takes root to make")
    def test_a_file_of_another_user_in_a_folder_such_as_tmp(self):
        """Found out before anything is read: the rename would fail when other sinks are committed already."""
        folder = self.folder(0o1777, owner=0)
        self.put(folder / "x.csv", 0o666, owner=0)
        self.refused_user("d/x.csv", "d/x.csv", "belongs to another user")
        self.assertEqual(os.listdir(folder), ["x.csv"])

    @unittest.skipUnless(ROOT, "a file of another user takes root to make")
    def test_root_leaves_a_file_to_its_owner(self):
        folder = self.folder(0o755)
        for mode in (0o640, 0o4755):
            self.put(folder / "x.csv", mode, owner=1234, group=4321)
            self.load("d/x.csv")
            now = os.stat(folder / "x.csv")
            self.assertEqual((now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)), (1234, 4321, mode))
            self.assertEqual((folder / "x.csv").read_bytes(), NEW["x.csv"])

    @unittest.skipUnless(ROOT, "a file of another user takes root to make")
    def test_a_file_whose_owner_cannot_stay_is_the_users_and_opens_to_nobody_new(self):
        folder = self.folder(0o777)
        for old, new in ((0o662, 0o622), (0o667, 0o667), (0o6777, 0o777)):
            self.put(folder / "x.csv", old, owner=0, group=4321)
            r = self.as_user("d/x.csv")
            self.assertEqual(r.returncode, 0, r.stderr)
            now = os.stat(folder / "x.csv")
            self.assertEqual((now.st_uid, now.st_gid, oct(stat.S_IMODE(now.st_mode))), (self.user, NOBODY, oct(new)))


if __name__ == "__main__":
    program.main()
