#!/usr/bin/env python3
"""What becomes of values on their way: numbers in their own digits, booleans, sums, flat columns, records at the limit."""

import json
import sqlite3

from program import Case, main

POOLS = [["--parallel=false"], ["-j2"], ["-j3", "--threads=false"]]
NUMBERS = ["12345678901234567.89", "1E400", "1.10", "0.5", "-0", "-0.0", "1e5", "1E+05", "123456789012345678901", "7", "1e-400", "0.10000000000000000001"]


class Values(Case):
    def out(self, *args, **more):
        """What comes out, the same on every pool, and in small units."""
        outs = [self.sluice(*args, *pool, *unit, "-q", **more).out for pool in POOLS for unit in ([], ["--unit", "100"])]
        self.assertEqual(len(set(outs)), 1, args)
        return outs[0].decode()


class Sums(Values):
    def total(self, values, steps="sum x @emit=true", name="in.csv"):
        if name.endswith(".csv"):
            self.file(name, "i,x\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values)))
        else:
            self.file(name, "".join('{"i":%d,"x":%s}\n' % (i, v) for i, v in enumerate(values)))
        source = f"csv url={name}" if name.endswith(".csv") else f"fetchdata url={name}"
        return self.out("pipe", f"{source} | {steps}").strip()

    def test_sums_have_all_digits(self):
        big = "9" * 100000
        for name in ("in.csv", "in.jsonl"):
            self.assertEqual(self.total([big, "1"], name=name), "1" + "0" * 100000)
            self.assertEqual(self.total([big + ".5", "-1", "0.25"], name=name), "9" * 99999 + "8.75")
            self.assertEqual(self.total(["1E400", "1e-400"], name=name), "1" + "0" * 400 + "." + "0" * 399 + "1")
            self.assertEqual(self.total(["1e7000", "-1e7000", "0.1", "0.20"], name=name), "0.30")
            self.assertEqual(self.total(["12345678901234567890123456789.12", "0.01"], name=name), "12345678901234567890123456789.13")

    def test_numbers_of_json_are_their_digits(self):
        self.assertEqual(self.total(["0.1"] * 10, name="in.jsonl"), "1.0")
        self.assertEqual(self.total(["0.1"] * 10, "sort x | sum x @emit=true", name="in.jsonl"), "1.0")
        self.assertEqual(self.total(["0.1", "0.2"], "udf 'return {x = item.x}' | sum x @emit=true", name="in.jsonl"), "0.3")
        self.assertEqual(self.total(["0.1", "0.2"], "simplemath add other=0.3 @field=x @emit=true", name="in.jsonl"), "0.4\n0.5")

    def test_a_term_without_an_exact_sum_is_an_error_with_its_place(self):
        for bad, why in (("nan", "'nan' at 'x' has no exact sum"), ("-inf", "'-inf' at 'x' has no exact sum"), ("x", "'x' is not a number"),
                         ("1e99999999", "'1e99999999' is too large or too fine"), ("1e-99999999", "'1e-99999999' is too large or too fine")):
            self.file("bad.csv", f"i,x\n1,1\n2,{bad}\n3,4\n")
            for pool in POOLS:
                for step in ("sum x", "aggregate ops.0.op=sum ops.0.field=x", "aggregate ops.0.op=mean ops.0.field=x"):
                    r = self.sluice("pipe", f"csv url=bad.csv | {step}", "-q", *pool, code=1)
                    self.assertIn("bad.csv:3: step 2", r.message)
                    self.assertIn(why, r.message)

    def test_aggregates_compare_by_all_digits(self):
        values = ["12345678901234567.89", "1E400", "12345678901234567.88", "-1e400", "1.50"]
        for name in ("in.csv", "in.jsonl"):
            got = self.total(values, "aggregate " + " ".join(f"ops.{i}.op={op} ops.{i}.field=x" for i, op in
                             enumerate(("sum", "min", "max", "first", "last", "distinct"))), name=name)
            text = (lambda x: f'"{x}"') if name == "in.csv" else str
            self.assertEqual(got, '{"sum_x":24691357802469137.27,"min_x":-1e400,"max_x":1E400,"first_x":%s,"last_x":%s,"distinct_x":5}' % (text(values[0]), text(values[-1])))
        self.assertEqual(self.total(["12345678901234567.89", "12345678901234567.91"], "aggregate ops.0.op=mean ops.0.field=x"), '{"mean_x":1.2345678901234568e+16}')
        self.file("big.csv", "x\n1e400\n")
        r = self.sluice("pipe", "csv url=big.csv | aggregate ops.0.op=mean ops.0.field=x", "-q", code=1)
        self.assertIn("the mean of 'x' is beyond the range of a float", r.message)

    def test_sums_that_spill_are_exact(self):
        self.file("in.csv", "k,x\n" + "".join(f"{i % 20000},{i % 20000}.{'7' * 40}\n" for i in range(40000)))
        want = "".join('{"k":"%d","sum_x":%d.%s4}\n' % (k, 2 * k + 1, "5" * 39) for k in range(20000))
        outs = {self.sluice("pipe", "csv url=in.csv | aggregate by=k ops.0.op=sum ops.0.field=x", "-S", "1M", "-q", *pool).out for pool in POOLS}
        self.assertEqual(outs, {want.encode()})



class Booleans(Values):
    def test_booleans_have_one_spelling(self):
        self.file("in.jsonl", '{"a":true,"n":[true]}\n{"a":"x","n":[false]}\n{"a":1,"n":[]}\n{"a":false,"n":[]}\n')
        for dialect in ("native", "riko"):
            self.file("b.json", json.dumps({"dialect": dialect, "modules": [{"type": "fetchdata", "conf": {"url": "in.jsonl"}}]}))
            self.assertEqual(self.out("run", "b.json", "-f", "csv"), "a,n\ntrue,[true]\nx,[false]\n1,[]\nfalse,[]\n")
            self.assertEqual(self.out("run", "b.json", "-f", "tsv"), "a\tn\ntrue\t[true]\nx\t[false]\n1\t[]\nfalse\t[]\n")
            table = self.out("run", "b.json", "-f", "table")
            self.assertIn("true", table)
            self.assertIn("false", table)
            self.assertNotIn("True", table)
            self.assertNotIn("False", table)


class Flat(Values):
    def table(self, items, *args, unit=(), pool=POOLS[0]):
        self.file("in.jsonl", "".join(json.dumps(item) + "\n" for item in items))
        (self.dir / "x.db").unlink(missing_ok=True)
        self.sluice("load", "in.jsonl", "--to", "x.db:t", "--nested", "flatten", "-q", *args, *pool, *unit)
        return self.rows()

    def rows(self):
        cursor = sqlite3.connect(self.dir / "x.db").execute("SELECT * FROM t ORDER BY rowid")
        names = [d[0] for d in cursor.description]
        return names, [dict(zip(names, row)) for row in cursor]

    def everywhere(self, items, *args):
        """The same table on every pool, and in units of one item as in one."""
        found = [self.table(items, *args, unit=unit, pool=pool) for pool in POOLS for unit in ([], ["--unit", "1"])]
        for other in found[1:]:
            self.assertEqual(other, found[0])
        return found[0]

    def test_two_values_that_would_have_one_name_are_both_kept(self):
        names, rows = self.everywhere([{"a.b": 1, "a": {"b": 2}}])
        self.assertEqual((names, rows), (["a.b", "a.b_2"], [{"a.b": 1, "a.b_2": 2}]))
        many = 3000  # in different units, and a field that is called so keeps its name wherever it stands
        items = [{"a": {"b": i}} for i in range(many)] + [{"a.b": -1, "a": {"b": -2}, "a.b_2": -3}] + [{"A.B": 5}]
        names, rows = self.everywhere(items)
        self.assertEqual(names, ["a.b_3", "a.b", "a.b_2", "A.B_4"])
        self.assertEqual([row["a.b_3"] for row in rows[:many]], list(range(many)))
        self.assertEqual(rows[many], {"a.b_3": -2, "a.b": -1, "a.b_2": -3, "A.B_4": None})
        names, rows = self.everywhere([{"a": {"b.c": 1, "b": {"c": 2}}, "a.b": {"c": 3}}])
        self.assertEqual((names, rows), (["a.b.c", "a.b.c_2", "a.b.c_3"], [{"a.b.c": 1, "a.b.c_2": 2, "a.b.c_3": 3}]))

    def test_maps_and_other_values_get_columns_of_their_own(self):
        items = [{"a": 1}, {"a": {"b": "x"}}, {"a": {}}, {"a": None}, {}, {"a": {"b": {}}}, {"a": [{"b": 1}, {}]}, {"a": {"": {"": 1}}}]
        names, rows = self.everywhere(items)
        self.assertEqual(names, ["a", "a.b", "a.."])
        self.assertEqual([row["a"] for row in rows], ["1", None, "{}", None, None, None, '[{"b":1},{}]', None])
        self.assertEqual([row["a.b"] for row in rows], [None, "x", None, None, None, "{}", None, None])
        self.assertEqual([row["a.."] for row in rows], [None] * 7 + [1])

    def test_deep_maps_and_long_names_are_kept(self):
        deep, long = 7, "n" * 5000
        for _ in range(300):
            deep = {"k": deep}
        names, rows = self.everywhere([{"d": deep, long: {long: 1}}])
        self.assertEqual(names, ["d" + ".k" * 300, long + "." + long])
        self.assertEqual(list(rows[0].values()), [7, 1])

    def test_many_columns_are_kept(self):
        items = [{"a": {f"k{(i * 7 + j) % 1500}": j for j in range(700)}} for i in range(300)]
        names, rows = self.table(items)
        self.assertEqual(len(names), 1500)
        for item, row in zip(items, rows):
            self.assertEqual({k[2:]: v for k, v in row.items() if v is not None}, item["a"])

    def test_too_many_columns_are_refused(self):
        self.file("in.jsonl", "".join('{"a":{"k%d":1}}\n' % i for i in range(30000)))
        r = self.sluice("load", "in.jsonl", "--to", "x.db:t", "--nested", "flatten", "-q", code=1)
        self.assertIn("different fields", r.message)
        self.assertLess(r.peak, 1 << 30)

    def test_types_and_keys_take_the_name_with_dots(self):
        names, rows = self.everywhere([{"a": {"b": "1", "id": 7}}], "--type", "a.b=INTEGER")
        self.assertEqual(rows, [{"a.b": 1, "a.id": 7}])
        for value in (2, 3):
            self.file("in.jsonl", '{"a":{"id":7,"b":%d}}\n' % value)
            self.sluice("load", "in.jsonl", "--to", "x.db:t", "--nested", "flatten", "-m", "upsert", "-k", "a.id", "-q")
        self.assertEqual(self.rows()[1], [{"a.b": 3, "a.id": 7}])


class Riko(Values):
    def test_digits_stay_and_texts_are_pythons(self):
        items = "".join('{"id":%d,"x":%s,"n":[%s]}\n' % (i, x, x) for i, x in enumerate(NUMBERS))
        self.file("in.jsonl", items)
        def run(*modules):
            self.file("r.json", json.dumps({"dialect": "riko", "modules": [{"type": "fetchdata", "conf": {"url": "in.jsonl"}}, *modules]}))
            return self.out("run", "r.json")
        sort = [{"type": "sort", "conf": {"rule": {"sort_key": key}}} for key in ("x", "id")]
        self.assertEqual(run(*sort), items)
        texts = run({"type": "strconcat", "conf": {"part": [{"value": "#"}, {"subkey": "x"}]}, "emit": True})
        self.assertEqual([json.loads(t) for t in texts.splitlines()][:7],
                         ["#12345678901234567.89", "#1E400", "#1.1", "#0.5", "#", "#", "#100000.0"])


class Numbers(Values):
    def setUp(self):
        super().setUp()
        self.lines = ['{"id":%d,"x":%s,"n":[%s,{"m":%s}]}' % (i, x, x, x) for i, x in enumerate(NUMBERS)]
        self.text = "".join(line + "\n" for line in self.lines)
        self.file("in.jsonl", self.text)
        self.file("in.json", "[" + ",\n".join(self.lines) + "]")

    def spelled(self, text):
        """The spellings of x in TEXT, by id."""
        rows = [json.loads(line, parse_float=str, parse_int=str) for line in text.splitlines()]
        return {int(r["id"]): r["x"] for r in rows}

    def test_digits_are_passed_on(self):
        """Whatever looks at a field or moves it, its digits stay: in lists and maps, too."""
        by_id = "sort id"
        steps = ["", "filter rule.field=id rule.op=atleast rule.value=0", f"sort x | {by_id}", f"sort rule.field=x rule.dir=desc | {by_id}", by_id,
                 f"uniq id | {by_id}", "reverse | reverse", "rename rule.field=id rule.newval=id2 | rename rule.field=id2 rule.newval=id | "
                 "rename rule.field=x rule.newval=y | rename rule.field=y rule.newval=x | rename rule.field=n rule.newval=k | "
                 "rename rule.field=k rule.newval=n", "udf 'item.y = 1 return item' | udf 'item.y = nil return item'", "tail 20", "truncate 20"]
        self.file("ids.jsonl", "".join('{"id":%d}\n' % i for i in range(len(NUMBERS))))
        for source in ("in.jsonl", "in.json"):
            for step in steps:
                with self.subTest(source=source, step=step):
                    steps_ = f"fetchdata url={source}" + (f" | {step}" if step else "")
                    self.assertEqual(self.out("pipe", steps_, "-S", "1M"), self.text)

    def test_digits_stay_when_spilled(self):
        lines = ['{"id":%d,"x":%d.%d0,"n":[1.10,"%s"]}\n' % (i, i * 7919 % 10007, i % 10, "y" * 50) for i in range(30000)]
        self.file("big.jsonl", "".join(lines))
        for pool in POOLS:
            r = self.sluice("pipe", "fetchdata url=big.jsonl | sort x | sort id", "-S", "1M", "-q", *pool)
            self.assertTrue(r.out == "".join(lines).encode(), pool)

    def test_numbers_are_filtered_by_value(self):
        def ids(rule):
            return sorted(self.spelled(self.out("pipe", f"fetchdata url=in.jsonl | filter {rule}")))
        self.assertEqual(ids("rule.field=x rule.op=greater rule.value=0.1"), [0, 1, 2, 3, 6, 7, 8, 9, 11])
        self.assertEqual(ids("rule.field=x rule.op=atleast rule.value=12345678901234567.89"), [0, 1, 8])
        self.assertEqual(ids("rule.field=x rule.op=greater rule.value=12345678901234567.89"), [1, 8])
        self.assertEqual(ids("rule.field=x rule.op=atmost rule.value=0"), [4, 5])
        self.file("f.json", json.dumps({"modules": [
            {"type": "fetchdata", "conf": {"url": "in.jsonl"}},
            {"type": "filter", "conf": {"rule": {"field": "x", "op": "is", "value": 1.1}}}]}))
        self.assertEqual(self.out("run", "f.json"), self.lines[2] + "\n")
        self.file("g.json", '{"modules": [{"type": "fetchdata", "conf": {"url": "in.jsonl"}}, {"type": "filter", "conf": '
                            '{"rule": {"field": "x", "op": "is", "value": 12345678901234567.89}}}]}')
        self.assertEqual(self.out("run", "g.json"), self.lines[0] + "\n")

    def test_numbers_are_sorted_by_value(self):
        order = [json.loads(line)["id"] for line in self.out("pipe", "fetchdata url=in.jsonl | sort x").splitlines()]
        self.assertEqual(order, [4, 5, 10, 11, 3, 2, 9, 6, 7, 0, 8, 1])

    def test_numbers_are_joined_by_value(self):
        self.file("j.json", json.dumps({"modules": [
            {"id": "a", "type": "fetchdata", "conf": {"url": "in.jsonl"}},
            {"id": "b", "type": "fetchdata", "conf": {"url": "in.json"}},
            {"id": "c", "type": "rename", "conf": {"rule": [{"field": "x", "newval": "y"}, {"field": "n"}, {"field": "id", "newval": "k"}]}},
            {"id": "j", "type": "join", "conf": {"join_key": "x", "other_join_key": "y"}}],
            "wires": [{"src": {"moduleid": a, "id": "_OUTPUT"}, "tgt": {"moduleid": b, "id": port}}
                      for a, b, port in (("b", "c", "_INPUT"), ("a", "j", "_INPUT"), ("c", "j", "_OTHER"))]}))
        rows = [json.loads(line, parse_float=str, parse_int=str) for line in self.out("run", "j.json").splitlines()]
        self.assertTrue(rows and all(r["x"] in NUMBERS and r["y"] in NUMBERS for r in rows))
        self.assertEqual({r["x"] for r in rows}, set(NUMBERS))
        self.assertEqual({(r["x"], r["y"]) for r in rows if r["x"] != r["y"]}, {("-0", "-0.0"), ("-0.0", "-0"), ("1e5", "1E+05"), ("1E+05", "1e5")})

    def test_digits_stay_in_a_subpipe(self):
        self.file("pipe_inner.json", json.dumps({"modules": [{"type": "sort", "conf": {"rule": {"field": "x"}}}]}))
        rows = self.out("pipe", "fetchdata url=in.jsonl | pipe:inner", "--pipe-path", ".")
        self.assertEqual(self.spelled(rows), dict(enumerate(NUMBERS)))

    def test_digits_stay_in_csv(self):
        want = "id,x,n\n" + "".join('%d,%s,"[%s,{""m"":%s}]"\n' % (i, x, x, x) for i, x in enumerate(NUMBERS))
        for steps in ("", " | sort x | sort id"):
            self.assertEqual(self.out("pipe", "fetchdata url=in.jsonl" + steps, "-f", "csv"), want)
            table = self.out("pipe", "fetchdata url=in.jsonl" + steps, "-f", "table")
            self.assertTrue(all(x in table for x in NUMBERS))

    def test_digits_stay_in_a_json_array(self):
        self.assertEqual(self.out("pipe", "fetchdata url=in.jsonl | sort x | sort id", "-f", "json"), "[" + ",\n".join(self.lines) + "]\n")

    def test_texts_made_of_numbers_have_their_digits(self):
        """A text made of a number has its digits, as with CSV."""
        got = self.out("pipe", "fetchdata url=in.jsonl | strconcat part.0=# part.1.subkey=x @emit=true").splitlines()
        self.assertEqual([json.loads(t) for t in got][:4], ["#" + x for x in NUMBERS[:4]])
        got = self.out("pipe", "fetchdata url=in.jsonl | typecast text @field=x @emit=true").splitlines()
        self.assertEqual([json.loads(t) for t in got], NUMBERS)

    def test_functions_compute_with_doubles(self):
        """What a double keeps is a number, what it would change a text, as large integers are."""
        got = [json.loads(line, parse_float=str) for line in self.out("pipe", "fetchdata url=in.jsonl | udf 'return {x = item.x, y = item.n[1]}'").splitlines()]
        self.assertEqual([r["x"] for r in got[:4]], ["12345678901234567.89", "1E400", "1.1", "0.5"])
        self.assertEqual([r["y"] for r in got[:4]], ["12345678901234567.89", "1E400", "1.1", "0.5"])
        got = self.out("pipe", "fetchdata url=in.jsonl | udf 'return item.x * 2' @emit=true").splitlines()
        self.assertEqual(got[2:4], ["2.2", "1"])

    def test_a_table_keeps_the_digits(self):
        """A column that cannot hold it is TEXT, whatever has handled the value before."""
        for steps in ("", " | sort x | sort id"):
            for pool in POOLS:
                db = self.dir / "x.db"
                db.unlink(missing_ok=True)
                self.sluice("pipe", "fetchdata url=in.jsonl" + steps, "--to", "x.db:t", "-q", *pool)
                rows = sqlite3.connect(db).execute("SELECT x, typeof(x), n FROM t ORDER BY id").fetchall()
                self.assertEqual(rows, [(x, "text", '[%s,{"m":%s}]' % (x, x)) for x in NUMBERS])

    def test_a_column_of_reals_stays_one(self):
        """What a double keeps does not make the column TEXT, however it is spelled."""
        self.file("in.jsonl", "".join('{"id":%d,"x":%s}\n' % (i, x) for i, x in enumerate(("1.10", "1e5", "0.5", "-0", "7", "1E-7"))))
        for steps in ("", " | sort x | sort id"):
            for pool in POOLS:
                db = self.dir / "x.db"
                db.unlink(missing_ok=True)
                self.sluice("pipe", "fetchdata url=in.jsonl" + steps, "--to", "x.db:t", "-q", *pool)
                rows = sqlite3.connect(db).execute("SELECT x, typeof(x) FROM t ORDER BY id").fetchall()
                self.assertEqual(rows, [(x, "real") for x in (1.1, 100000.0, 0.5, -0.0, 7.0, 1e-7)])


if __name__ == "__main__":
    main()
