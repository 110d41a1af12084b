"""Tests of `./course compare`, on documents made here: the statistics, what is refused, what is said, and the figure."""
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from statistics import median

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from comparison import differences, documents, judging, pairs, report  # noqa: E402
from comparison.documents import Entry, Refused  # noqa: E402

SHAPE = {"heads": 8, "queries": 512, "dim": 64}
MACHINE = {"cpu": "Test CPU", "extensions": ["avx2", "fma"], "compiler": "g++ 12.2.0", "flags": "-O3",
           "threads": {"pinned": True, "cpus": [0, 1]}, "date": "2026-01-02T03:04:05Z"}

# A chance of 5 % marks more than 17 of 200 in 1 of 80 cases (binomial).
MOST_BY_CHANCE = 17


def spread(times):
    """As the ladder has it: every second run against the others."""
    return abs(1 - median(times[::2]) / median(times[1::2]))


def entry(times, **more):
    times = tuple(times)
    return Entry("dot_product", "fused", "n=1", 1, "ok", median_s=median(times), times_s=times, aa_spread=spread(times), **more)


def result(rung="fused", times=(1.0, 1.1, 0.9, 1.05, 0.95), **more):
    times = list(times)
    return {"mechanism": "dot_product", "rung": rung, "shape": SHAPE, "threads": 1, "status": "ok", "reason": "",
            "median_s": median(times), "times_s": times, "aa_spread": spread(times), "roof_kind": "fma", "roof_value": 1e11,
            "roof_share": 0.5, "timed_rows": 512, "beside": False, **more}


def skipped(rung, reason="too large"):
    return {"mechanism": "dot_product", "rung": rung, "shape": SHAPE, "threads": 1, "status": "skipped", "reason": reason, "median_s": None}


def document(*results, **more):
    return {"schema": 1, "machine": MACHINE, "seed": 1, "settings": {"seconds": 0.5}, "results": list(results), **more}


class Statistics(unittest.TestCase):
    def noise(self, kind, seed, runs, factor=1.0):
        draw = random.Random(f"{kind} {seed} {factor}")
        one = {"normal": lambda: draw.gauss(1, 0.02), "skewed": lambda: 1 + 0.02 * draw.expovariate(1),
               "two speeds": lambda: (1 if draw.random() < 0.7 else 1.3) + draw.gauss(0, 0.01)}[kind]
        return [factor * one() for _ in range(runs)]

    def test_the_same_distribution_is_seldom_marked(self):
        for kind, runs in (("normal", 4), ("skewed", 7), ("normal", 12), ("two speeds", 12)):
            with self.subTest(kind=kind, runs=runs):
                marked = [judging.judge(entry(self.noise(kind, 2 * seed, runs)), entry(self.noise(kind, 2 * seed + 1, runs))).verdict
                          for seed in range(200)]
                self.assertLessEqual(len(marked) - marked.count(judging.SAME), MOST_BY_CHANCE)

    def test_a_tenth_is_found_in_two_hundredths_of_noise(self):
        for factor, verdict in ((1.1, judging.SLOWER), (1 / 1.1, judging.FASTER)):
            found = [judging.judge(entry(self.noise("normal", seed, 12)), entry(self.noise("normal", seed, 12, factor)))
                     for seed in range(100)]
            self.assertEqual({each.verdict for each in found}, {verdict})
            held = sum(each.low <= factor <= each.high for each in found)
            # 95 % of the intervals hold the true ratio; 88 of 100 or fewer would be 1 case of 200.
            self.assertGreater(held, 88)

    def test_what_slows_the_whole_machine_down_cancels_against_a_control(self):
        alone, against, found = [], [], []
        for seed in range(200):
            a, b, c, d = (self.noise("normal", 4 * seed + i, 12) for i in range(4))
            # In the second run everything takes half as long again.
            slowed = [[1.5 * time for time in times] for times in (b, d)]
            control = entry(c), entry(slowed[1])
            if seed < 20:
                alone.append(judging.judge(entry(a), entry(slowed[0])).verdict)
                found.append(judging.judge(entry(a), entry(1.1 * time for time in slowed[0]), *control).verdict)
            against.append(judging.judge(entry(a), entry(slowed[0]), *control).verdict)
        self.assertEqual(set(alone), {judging.SLOWER})
        self.assertEqual(set(found), {judging.SLOWER})
        self.assertLessEqual(len(against) - against.count(judging.SAME), MOST_BY_CHANCE)

    def test_the_noise_of_the_control_counts_too(self):
        quiet, slower = (1.0,) * 4, (1.1,) * 4
        control = [entry(quiet), entry(quiet)]
        self.assertEqual(judging.judge(entry(quiet), entry(slower), *control).verdict, judging.SLOWER)
        for disturbed in control:
            disturbed.aa_spread = 0.11
            self.assertEqual(judging.judge(entry(quiet), entry(slower), *control).verdict, judging.SAME)
            disturbed.aa_spread = 0.0
        few = entry(quiet), entry((1.0,) * 3)
        self.assertEqual(judging.judge(entry(quiet), entry(slower), *few).verdict, judging.UNJUDGED)

    def test_the_interval_of_few_values_is_known(self):
        # The median of three draws from 1, 2, 3 is 1, 2 or 3 in 7, 13 and 7 of 27 cases: 95 % reach from the first to the last.
        self.assertEqual(judging.interval((1.0,) * 3, (1.0, 2.0, 3.0)), (1.0, 3.0))
        # Of seven, the smallest is the median in 1 % of the draws, one of the smallest two in 11 %: 2.5 % lies at the second.
        self.assertEqual(judging.interval((1.0,) * 7, tuple(map(float, range(1, 8)))), (2.0, 6.0))
        self.assertEqual(judging.interval((2.0,) * 5, (2.0,) * 4), (1.0, 1.0))

    def test_the_same_times_give_the_same_interval(self):
        a, b = self.noise("normal", 1, 9), self.noise("normal", 2, 9)
        self.assertEqual(judging.interval(a, b), judging.interval(a, b))

    def test_what_a_run_shows_against_itself_is_no_difference(self):
        quiet, slower = (1.0, 1.0, 1.0, 1.0), (1.1, 1.1, 1.1, 1.1)
        self.assertEqual(judging.judge(entry(quiet), entry(slower)).verdict, judging.SLOWER)
        for disturbed in (0, 1):
            both = [entry(quiet), entry(slower)]
            both[disturbed].aa_spread = 0.11
            self.assertEqual(judging.judge(*both).verdict, judging.SAME)
            both[disturbed].aa_spread = 0.09
            self.assertEqual(judging.judge(*both).verdict, judging.SLOWER)

    def test_three_runs_are_too_few(self):
        for few in ((1.0, 1.0, 1.0), (1.0, 1.0)):
            for both in ((entry(few), entry((9.0,) * 30)), (entry((9.0,) * 30), entry(few))):
                found = judging.judge(*both)
                self.assertEqual((found.verdict, found.low, found.high), (judging.UNJUDGED, None, None))
                self.assertFalse(found.slower_than(1))

    def test_slower_than_asks_for_the_whole_interval(self):
        a, b = entry((1.0, 1.0, 1.0, 1.0)), entry((1.04, 1.2, 1.2, 1.04, 1.2, 1.2))
        found = judging.judge(a, b)
        self.assertEqual((found.verdict, found.low), (judging.SLOWER, 1.04))
        self.assertTrue(found.slower_than(1.03))
        self.assertFalse(found.slower_than(1.04))


class Program(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def put(self, name, content):
        file = self.folder / name
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return file

    def run_it(self, *arguments, **more):
        return subprocess.run([sys.executable, FOLDER / "compare.py", *arguments], capture_output=True, text=True, cwd=self.folder, **more)

    def both(self, a, b, *arguments):
        return self.run_it(self.put("a.json", a), self.put("b.json", b), *arguments)

    def refused(self, words, *arguments):
        done = self.run_it(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Acourse: [^\n]+\n\Z")
        self.assertIn(words, done.stderr)


class Hostile(Program):
    def test_each_is_one_line(self):
        good = self.put("good.json", document(result()))
        deep = b"[" * 100000
        huge = json.dumps(document(result())).replace("512", "9" * 5000)
        for words, content in (
                ("is empty", b""), ("is empty", b" \n"), ("is no JSON", b"{"), ("is no JSON", json.dumps(document(result()))[:-200].encode()),
                ("is no JSON", b"\xff\xfe\x00"), ("is no JSON", b"\x00" * 40), ("nested", deep), ("no schema", b"[]"), ("no schema", b"3"),
                ("no schema", b"{}"), ("schema 2", document(result(), schema=2)), ("schema True", document(result(), schema=True)),
                ("schema 1;", document(result(), schema="1;\n\x1b[31m")), ("is no JSON", huge),
                ("machine is not an object", {"schema": 1, "results": []}), ("results is not a list", document(results={})),
                ("holds no results", document()), ("results[0] is no object", document(3)), ("holds no results", document(problems=[])),
                ("problems[0] is no object", document(problems=[1])), ("problems[0].results is not a list", document(problems=[{}])),
                ("results[0].shape is not an object", document({})), ("results[0].mechanism is not a text", document(result(mechanism=[]))), ("results[1].rung is not a text", document(result(), result(rung=None))),
                ("shape is not an object", document(result(shape=[]))), ("shape.heads is not a whole number", document(result(shape={"heads": 1.5}))),
                ("shape.heads is out of range", document(result(shape={"heads": -1}))), ("threads is out of range", document(result(threads=0))),
                ("threads is not a whole number", document(result(threads=True))), ("status is 'done'", document(result(status="done"))),
                ("median_s is out of range", document(result(median_s=0))), ("median_s is out of range", document(result(median_s=-1))),
                ("median_s is not a number", document(result(median_s=None))), ("median_s is not a number", document(result(median_s="1"))),
                ("median_s is out of range", document(result(median_s=10 ** 400))), ("median_s is out of range", document(result(median_s=1e300))),
                ("NaN is no JSON", document(result(median_s=float("nan")))), ("Infinity is no JSON", document(result(median_s=float("inf")))),
                ("times_s is not a list", document({**result(), "times_s": 3})), ("times_s is out of range", document({**result(), "times_s": [1, 0]})),
                ("times_s is not a number", document({**result(), "times_s": [1, None]})), ("aa_spread", document(result(aa_spread=None))),
                ("in common", document(result(rung="other"))), ("in common", document(skipped("fused"))), ("beside is not true or false", document(result(beside=0)))):
            with self.subTest(words):
                bad = self.put("bad.json", content)
                self.refused(words, bad, good)
                self.refused(words, good, bad)

    def test_files_that_are_none(self):
        good = self.put("good.json", document(result()))
        for words, name in (("No such file", "missing.json"), ("Is a directory", self.folder), ("cannot be read", "a/b\nc"), ("cannot be read", ""),
                            ("larger than", "/dev/zero")):
            self.refused(words, name, good)

    def test_slips_on_the_command_line(self):
        good = self.put("good.json", document(result()))
        for words, arguments in (
                ("--help", []), ("--help", [good]), ("--help", [good, good, good]), ("--nonsense", [good, good, "--nonsense"]),
                ("factor from 1", [good, good, "--fail-above", "0.9"]), ("factor from 1", [good, good, "--fail-above", "nan"]),
                ("factor from 1", [good, good, "--fail-above", "inf"]), ("factor from 1", [good, good, "--fail-above", "much"]),
                ("ends in .png or .svg", [good, good, "--figure", "x.pdf"]), ("ends in .png or .svg", [good, good, "--figure", ""]),
                ("standard output", [good, good, "--json", "-", "--markdown", "-"]), ("go to x.md", [good, good, "--json", "x.md", "--markdown", "x.md"]),
                ("cannot write", [good, good, "--json", "nowhere/x.json"]), ("is a folder", [good, good, "--json", self.folder]),
                ("cannot write", [good, good, "--markdown", "/proc/x"]), ("is empty", [good, good, "--json", ""])):
            with self.subTest(arguments=arguments):
                self.refused(words, *arguments)
        self.assertEqual([file.name for file in self.folder.iterdir()], ["good.json"])

    def test_names_cannot_write_on_the_terminal(self):
        done = self.both(document(result(rung="a\x1b[2Jb\r\n\ud800")), document(result(rung="a\x1b[2Jb\r\n\ud800")))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn("\x1b", done.stdout)
        self.assertIn("a?[2Jb???", done.stdout)

    def test_a_full_disk_leaves_nothing(self):
        a = self.put("a.json", document(result()))
        done = subprocess.run(["bash", "-c", 'ulimit -f 0; "$@"', "-", sys.executable, FOLDER / "compare.py", a, a, "--json", "x.json"],
                              capture_output=True, text=True, cwd=self.folder, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("cannot write x.json", done.stderr)
        self.assertEqual([file.name for file in self.folder.iterdir()], ["a.json"])


class Said(Program):
    def test_the_table_tells_faster_from_slower(self):
        times = (1.0, 1.01, 0.99, 1.02, 0.98)
        a = document(*(result(rung, times) for rung in ("loops", "simd", "fused")))
        b = document(result("loops", times), result("simd", [1.2 * t for t in times]), result("fused", [0.8 * t for t in times]))
        done = self.both(a, b)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^simd +1 +1 s +1.2 s +1.200 +1.1\d\d – 1.2\d\d .*  slower$")
        self.assertRegex(done.stdout, r"(?m)^fused +1 +1 s +800 ms +0.800 .*  faster$")
        self.assertRegex(done.stdout, r"(?m)^loops .* fma$")
        self.assertIn("3 compared: 1 faster, 1 slower, 1 without a difference.", done.stdout)

    def test_fail_above(self):
        times = (1.0, 1.01, 0.99, 1.02, 0.98)
        a, b = document(result(times=times)), document(result(times=[1.2 * t for t in times]))
        for above, status in (("1.05", 1), ("1.25", 0), ("1", 1)):
            done = self.both(a, b, "--fail-above", above)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), status)
            self.assertEqual("slower !" in done.stdout, bool(status))
        self.assertEqual(self.both(b, a, "--fail-above", "1.05").returncode, 0)

    def test_fail_above_does_not_pass_what_it_cannot_judge(self):
        few = self.put("few.json", document(result(times=(1.0, 1.0, 1.0))))
        slow = self.put("slow.json", document(result(times=(9.0, 9.0, 9.0))))
        self.assertEqual(self.run_it(few, slow).returncode, 0)
        self.refused("none can be judged", few, slow, "--fail-above", "1.05")

    def test_a_file_without_single_times_has_ratios_only(self):
        old = {key: value for key, value in result().items() if key != "times_s"}
        done = self.both(document(old), document(result(median_s=2.0, times=(2.0,) * 5)))
        self.assertIn("single times, without which there is no interval: A not kept, B kept", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^fused .* 2\.000 .* few runs$")

    def test_what_else_differs_stands_before_the_table_a_line_each(self):
        def lines(more_about_b=None, **machine):
            b = {**document(result()), **(more_about_b or {}), "machine": {**MACHINE, **machine}}
            out = self.both(document(result()), b).stdout.split("\n\n")[0]
            return out.splitlines()[2:]

        self.assertEqual(lines(), [])
        self.assertEqual(lines(date="2027-01-01T00:00:00Z"), [])
        self.assertEqual(lines(cpu="Other\nCPU"), ["CPU: A Test CPU, B Other?CPU"])
        self.assertEqual(lines(compiler="clang 14", flags="-O2"), ["compiler: A g++ 12.2.0, B clang 14", "compiler flags: A -O3, B -O2"])
        self.assertEqual(lines(threads={"pinned": False, "cpus": [0, 1]}), ["thread pinning: A pinned yes, B pinned no"])
        self.assertEqual(lines(threads=None), ["thread pinning: A pinned yes, cpus 0 1, B not said"])
        self.assertEqual(lines(extensions=["avx2", "avx512f"]), ["processor extensions: A also fma, B also avx512f"])
        self.assertEqual(lines({"mode": "quick"}), ["mode: A not said, B quick"])
        self.assertEqual(lines({"settings": {"seconds": 5}}), ["settings: A seconds 0.5, B seconds 5"])
        self.assertEqual(lines({"seed": 2}), ["seed: A 1, B 2"])
        self.assertEqual(lines({"results": [result(roof_value=1.02e11)]}), [])
        self.assertEqual(lines({"results": [result(roof_value=1.03e11)]}), ["measured fma roof, 1 thread: A 100 GFLOP/s, B 103 GFLOP/s"])
        self.assertEqual(lines({"results": [result(timed_rows=64, status="sampled")]}),
                         ["rows timed for fused (dot_product, heads=8,queries=512,dim=64, 1 thread): A 512, B 64"])

    def test_a_rung_may_be_the_measure_of_the_others(self):
        times = (1.0, 1.01, 0.99, 1.02, 0.98)
        library, elsewhere = {"rung": "openblas", "beside": True}, {**SHAPE, "heads": 9}
        a = document(result(times=times), result(times=times, **library), result("loops", times, shape=elsewhere))
        b = document(*(result(name, [1.5 * t for t in times], **more) for name, more in
                       (("fused", {}), ("openblas", {"beside": True}), ("loops", {"shape": elsewhere}))))
        done = self.both(a, b)
        self.assertIn("a library's own openblas (dot_product, heads=8,queries=512,dim=64, 1 thread)", done.stdout.split("\n\n")[0])
        self.assertIn("3 compared: 0 faster, 3 slower", done.stdout)
        done = self.both(a, b, "--relative-to", "openblas", "--fail-above", "1.05")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn("a library's own", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^fused +1 +1 s +1.5 s +1\.000 ")
        self.assertIn("B/A over openblas's", done.stdout)
        self.assertIn("1 compared: 0 faster, 0 slower, 1 without", done.stdout)
        self.assertIn("not compared: loops (dot_product, heads=9,queries=512,dim=64, 1 thread; no openblas beside it)", done.stdout)
        self.refused("no rung 'nonsense' stands beside others", self.folder / "a.json", self.folder / "b.json", "--relative-to", "nonsense")

    def test_entries_of_one_file_are_listed(self):
        a = document(result(), result("loops"), result("simd"), result("tiled"))
        b = document(result(), skipped("loops"), result("new"), result(shape={**SHAPE, "heads": 9}))
        done = self.both(a, b)
        head = done.stdout.split("\n\n")[0]
        shape = "dot_product, heads=8,queries=512,dim=64, 1 thread"
        self.assertIn(f"only in A: loops ({shape}; skipped in the other: too large)\n", head)
        self.assertIn(f"only in A: simd, tiled ({shape}; not in the other)\n", head)
        self.assertIn(f"only in B: new ({shape}; not in the other)\n", head)
        self.assertIn("only in B: fused (dot_product, heads=9", head)
        self.assertIn("1 compared", done.stdout)

    def test_a_shape_that_was_measured_twice_is_paired_in_order(self):
        def read(name, *found):
            return documents.read(self.put(name, document(*found)))

        both, only_a, only_b = pairs.pair(read("a", result(times=(1.0,) * 5), result(times=(2.0,) * 5)),
                                          read("b", result(times=(3.0,) * 5, shape=dict(reversed(SHAPE.items()))), result(times=(4.0,) * 5)))
        self.assertEqual([(a.median_s, b.median_s) for a, b in both], [(1.0, 3.0), (2.0, 4.0)])
        self.assertEqual((only_a, only_b), ([], []))

    def test_markdown_and_json_say_the_same(self):
        a, b = document(result("a|b")), document(result("a|b"), skipped("c"))
        done = self.both(a, b, "--json", "-", "--markdown", "x.md")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout)
        self.assertEqual(found, report.compare(documents.read(self.folder / "a.json"), documents.read(self.folder / "b.json")))
        self.assertEqual((found["schema"], found["a"]["file"], found["results"][0]["verdict"]), (1, "a.json", ""))
        text = (self.folder / "x.md").read_text(encoding="utf-8")
        self.assertIn("| a\\|b | 1 | 1 s | 1 s | 1.000 |", text)
        self.assertNotIn(str(self.folder), done.stdout + text)
        self.assertEqual(self.both(a, b, "--markdown", "-").stdout, text)

    def test_a_chapters_ladder_is_taken_too(self):
        ladder = {"schema": 1, "machine": MACHINE, "mode": "full", "data": "real",
                  "problems": [{"name": name, "results": [result(shape={"heads": heads})]} for name, heads in (("look_up", 1), ("8x", 8))]}
        self.assertIn("2 compared", self.both(ladder, ladder).stdout)

    def test_the_table_needs_no_more_than_python(self):
        done = self.run_it(self.put("a.json", document(result())), "a.json", env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.blocked())})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("1 compared", done.stdout)
        done = self.run_it("a.json", "a.json", "--figure", "x.png", env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.blocked())})
        self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1))
        self.assertIn("--figure needs matplotlib", done.stderr)

    def blocked(self):
        """A folder in which matplotlib and numpy cannot be imported."""
        folder = self.folder / "blocked"
        folder.mkdir(exist_ok=True)
        for name in ("matplotlib", "numpy"):
            (folder / f"{name}.py").write_text(f"raise ModuleNotFoundError(name='{name}')\n", encoding="utf-8")
        return folder

    def test_the_driver_finds_it(self):
        file = self.put("a.json", document(result()))
        course = FOLDER.parent / "course"
        done = subprocess.run(["bash", course, "compare", file.name, "a.json"], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("1 compared", done.stdout)
        done = subprocess.run(["bash", course, "compare", "a.json"], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1))
        done = subprocess.run(["bash", course, "help", "compare"], capture_output=True, text=True)
        self.assertIn("--fail-above", done.stdout)


class Figure(unittest.TestCase):
    def figure(self, *ratios, **more):
        import attention_plots as plots  # pylint: disable=import-outside-toplevel
        times = (1.0, 1.01, 0.99, 1.02, 0.98)

        def made(name, factors):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, name)
                file.write_text(json.dumps(document(*(result(f"rung{i}", [factor * t for t in times], **more)
                                                      for i, factor in enumerate(factors)))), encoding="utf-8")
                return documents.read(file)

        return plots.comparison(report.compare(made("a.json", [1] * len(ratios)), made("b.json", ratios), 1.05))

    def texts(self, figure):
        return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]

    def test_a_point_a_rung_and_the_shape_says_what_the_colour_says(self):
        figure = self.figure(1, 1.2, 0.8)
        points = {point.get_ydata()[0]: point.get_marker() for point in figure.axes[0].lines if len(point.get_ydata()) == 1}
        self.assertEqual(list(points.values()), ["o", ">", "<"])
        texts = self.texts(figure)
        self.assertIn("B against A: 1 faster, 1 slower, 1 without a difference", texts)
        self.assertTrue(any("a.json · Test CPU" in text and "b.json" in text for text in texts))
        self.assertIn("time of B over time of A (ratio of medians, logarithmic axis): left of 1, B is faster", texts)
        self.assertTrue(any(text.startswith("1.200  (") for text in texts))

    def test_every_point_is_inside_the_axis_however_far(self):
        for ratios in ((1, 1.001), (1, 1e-6), (1e5, 1), (1.1, 0.9), (3, 0.4), (1.3, 1.3)):
            figure = self.figure(*ratios)
            axes = figure.axes[0]
            low, high = axes.get_xlim()
            for ratio in ratios:
                self.assertTrue(low < ratio < high, ratios)
            shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
            self.assertGreaterEqual(len(shown), 2, ratios)
            self.assertLess(len(shown), 15, ratios)

    def test_both_kinds_of_file_are_written(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            Path("a.json").write_text(json.dumps(document(result(), result("formula", times=(1.0, 1.0), status="sampled"))), encoding="utf-8")
            for name, start in (("x.png", b"\x89PNG"), ("x.svg", b"<?xml")):
                done = subprocess.run([sys.executable, FOLDER / "compare.py", "a.json", "a.json", "--figure", name], capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(Path(name).read_bytes().startswith(start))
            self.assertEqual(sorted(os.listdir()), ["a.json", "x.png", "x.svg"])


class Differences(unittest.TestCase):
    def test_nested_values_become_words(self):
        a = documents.Document("a", {"caches": {"l1d": {"bytes": 1}, "l2": {"bytes": 2}}, "openblas": None}, {}, [])
        b = documents.Document("b", {"caches": {"l1d": {"bytes": 3}, "l2": {"bytes": 2}}, "openblas": {"core": "Zen", "parallel": True}}, {}, [])
        found = differences.differences(a, b, [])
        self.assertEqual([(each["what"], each["a"], each["b"]) for each in found],
                         [("caches", "l1d bytes 1", "l1d bytes 3"), ("OpenBLAS", "not said", "core Zen, parallel yes"),
                          ("single times, without which there is no interval", "not kept", "not kept")])

    def test_a_refusal_names_the_file(self):
        with self.assertRaisesRegex(Refused, "^/nowhere/x.json cannot be read: No such file"):
            documents.read("/nowhere/x.json")


if __name__ == "__main__":
    unittest.main()
