#!/usr/bin/env python3
"""The files of data/ are what their generator makes."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"


class Data(unittest.TestCase):
    def test_every_file_is_made_by_the_generator(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, DATA / "generate.py", folder], check=True)
            made = {p.name: p.read_bytes() for p in Path(folder).iterdir()}
        here = {p.name: p.read_bytes() for p in DATA.iterdir() if p.is_file() and p.suffix != ".py"}
        self.assertEqual(sorted(here), sorted(made))
        for name in made:
            self.assertTrue(here[name] == made[name], f"data/{name} is not what data/generate.py makes")


if __name__ == "__main__":
    unittest.main()
