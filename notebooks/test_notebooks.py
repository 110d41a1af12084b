"""Tests of the plots, the notebooks and the writer of measured blocks, on results made here."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
from matplotlib.text import Text

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import measured_blocks  # noqa: E402
import attention_plots as plots  # noqa: E402
from made_results import ABOUT, FULL, execute  # noqa: E402
from attention_plots.results import Chapter, Missing  # noqa: E402

NAME = "02_dot_product_attention"


def row(rung, threads, seconds, **more):
    return {"rung": rung, "idea": "an idea", "threads": threads, "median_s": seconds, "spread_s": seconds / 50,
            "aa_spread": 0.01, "times_s": [seconds] * 5, "cost": {"flops": 1e9, "bytes": 1e6, "exps": 1e3, "reciprocals": 0}, "gflops": 1 / seconds, "gbytes_per_s": 1.0, "roof_kind": "fma", "roof_value": 2e12,
            "roof_share": 0.1, "peak_extra_bytes": 1e6, "peak_predicted": False, "max_error": 1e-7, "error_bound": 1e-5,
            "status": "ok", "reason": "", "beside": False, "speedup_previous": None, "speedup_first": None,
            "within_noise": False, "rows": 64, "timed_rows": 64, "checked_rows": 64, "mechanism": "dot_product", **more}


# What the program writes for a rung that did not run: no figures.
SKIPPED = {key: value for key, value in row("loops", 2, 1.0, status="skipped", reason="one thread only").items()
           if key in ("rung", "idea", "threads", "status", "reason", "beside", "mechanism")}


def make_results(results, about=ABOUT):
    """A results folder as a quick run would leave it, with two rungs."""
    folder = Path(results) / NAME / ("quick" if about["mode"] == "quick" else "")
    folder.mkdir(parents=True)

    def put(name, content):
        (folder / f"{name}.json").write_text(json.dumps({**about, **content}), encoding="utf-8")

    rows = [row("loops", 1, 2e-1, status="sampled", peak_predicted=True), row("fused", 1, 2e-3),
            SKIPPED, row("fused", 2, 1e-3),
            row("openblas", 2, 2e-3, beside=True, within_noise=True)]
    put("ladder", {"problems": [{"name": name, "mechanism": "dot_product", "mechanism_title": "Dot product",
                                 "citation": "A <paper>", "headline": name == "8x2048x64", "title": f"Problem {name}", "shape": "n=64", "results": rows}
                                for name in ("look_up", "8x512x64", "8x2048x64", "8x2048x128")]})
    sizes = [64, 128, 256]
    put("scaling", {"sweeps": [
        {"name": name, "mechanism": "dot_product", "keys": [name], "base": "heads=1", "values": sizes,
         "results": [row(rung, 1, factor * size ** 2, shape={name: size}) for rung, factor in (("loops", 1e-6), ("fused", 1e-8))
                     for size in sizes],
         "fits": [{"rung": "fused", "threads": 1, "quantity": "median_s", "exponent": 2.0, "r_squared": 1.0, "from": 64, "to": 256}],
         "crossovers": [{"slower_below": "fused", "faster_below": "loops", "threads": 1, "at": 70.0}]} for name in ("n", "dim")
    ] + [{"name": "threads", "mechanism": "dot_product", "keys": [], "base": "heads=8", "values": [1, 2],
          "results": [row("fused", 1, 2e-3, shape={}), row("fused", 2, 1e-3, shape={})], "fits": [], "crossovers": []}]})
    put("accuracy", {"rows": [{"features": f, "scale": s, "accuracy": 0.5, "perplexity": 10.0, "set": w}
                              for f in ("raw pixels", "unit vectors") for s in (1.0, 10.0) for w in ("held_back", "test")]})
    put("high_dimension", {"queries": 8, "keys": 8, "rows": [
        {"dim": d, "scaled": s, "score_variance": d, "entropy": 1.0, "uniform_entropy": 2.0, "largest_weight": 0.5,
         "gradient_norm": 0.1, "broken_rows_without_max": 0.0, "broken_rows_with_max": 0.0}
        for d in (4, 64, 4096) for s in (True, False)]})
    put("summary", {"figures": [{"name": n, "value": 0.5, "unit": "1", "meaning": "a meaning"} for n in
                                ("accuracy_test", "accuracy_raw_scaled", "fused_roof_share")]})
    random = np.random.default_rng(1)
    np.save(folder / "looks_at.attention.npy", random.random((1, 1, 3, 9)).astype(np.float32) / 9)
    for side, count in (("queries", 3), ("keys", 9)):
        np.save(folder / f"looks_at.{side}.npy", random.integers(0, 255, (count, 28, 28), dtype=np.uint8))
    put("looks_at.attention", {
        "title": "Pictures", "kind": "images", "layers": 1, "heads": 1, "weights": "looks_at.attention.npy",
        "queries": {"kind": "images", "count": 3, "labels": ["Bag"] * 3, "pixels": "looks_at.queries.npy"},
        "keys": {"kind": "images", "count": 9, "labels": ["Bag", "Coat", "Dress"] * 3, "pixels": "looks_at.keys.npy"}})
    return folder


class Blocks(unittest.TestCase):
    def test_found_with_their_lines(self):
        text = "a\n<!-- measured: ladder x -->\nold\n<!-- end -->\nb"
        self.assertEqual(measured_blocks.scan(text, "f"), ([(1, 3, "ladder x")], []))

    def test_code_holds_none(self):
        text = "```\n<!-- measured: ladder x -->\n```\n    <!-- measured: a -->\nsay `<!-- measured: a -->`"
        self.assertEqual(measured_blocks.scan(text, "f"), ([], []))

    def test_each_fault_is_a_line_with_file_and_number(self):
        for text, places in (("<!-- measured: a -->", ["f:1:"]), ("\n<!-- end -->", ["f:2:"]), ("<!-- measured a -->", ["f:1:"]),
                             ("<!-- measured: -->", ["f:1:"]), ("<!-- end -->\n<!-- measured: b -->\nx", ["f:1:", "f:2:"]),
                             ("<!-- measured: a -->\n<!-- measured: b -->\n<!-- end -->", ["f:1:"])):
            faults = measured_blocks.scan(text, "f")[1]
            self.assertEqual([fault[:4] for fault in faults], places, text)

    def test_unknown_names_are_refused(self):
        for name in ("nonsense", "ladder", "ladder a b c", "accuracy x", "figure a b", "rows"):
            self.assertFalse(measured_blocks.known(name), name)
        for name in ("ladder look_up", "ladder 8x2048x64 dot_product", "scaling n", "rows high_dimension", "accuracy",
                     "high_dimension", "figure a"):
            self.assertTrue(measured_blocks.known(name), name)

    def test_the_lessons_markers_are_right(self):
        self.assertEqual(measured_blocks.check(), [])

    def test_filled_twice_is_filled_once(self):
        with tempfile.TemporaryDirectory() as results:
            make_results(results)
            chapter = Chapter(NAME, results, "quick")
            text = "x\n<!-- measured: ladder look_up -->\n<!-- end -->\ny\n<!-- measured: figure accuracy_test -->\n1\n<!-- end -->\n"
            once = measured_blocks.fill(text, "f", lambda name: chapter, False)
            self.assertEqual(measured_blocks.fill(once, "f", lambda name: chapter, False), once)
            self.assertIn("Measured on Test CPU, 1 and 2 threads, g++ 12.2.0, 2026-01-02, in a quick run, on generated stand-in", once)
            self.assertIn("| fused |", once)
            self.assertIn("Not run with 2 threads: loops (one thread only)", once)
            self.assertIn("**50.00 %**: a meaning.", once)

    def test_every_kind_has_content(self):
        with tempfile.TemporaryDirectory() as results:
            make_results(results)
            for name in ("ladder look_up", "ladder look_up dot_product", "rows high_dimension", "scaling n", "scaling dim", "scaling threads", "accuracy", "high_dimension",
                         "figure fused_roof_share"):
                text = measured_blocks.content(name, Chapter(NAME, results, "quick"), "f", False)
                self.assertNotIn("Not measured", text, name)
                self.assertIn("*Measured on Test CPU, ", text, name)

    def test_what_was_not_measured_is_said(self):
        with tempfile.TemporaryDirectory() as results:
            folder = make_results(results)
            chapter = Chapter(NAME, results, "quick")
            (folder / "accuracy.json").write_text(json.dumps({**ABOUT, "rows": [{"scale": 1}]}), encoding="utf-8")
            (folder / "high_dimension.json").write_text("{", encoding="utf-8")
            for name in ("ladder nowhere", "scaling nothing", "figure none", "accuracy", "high_dimension"):
                self.assertIn("Not measured here yet", measured_blocks.content(name, chapter, "f", False))
                with self.assertRaises(measured_blocks.Fault):
                    measured_blocks.content(name, chapter, "f", True)

    def test_links_move_with_the_page_but_code_stays(self):
        moved = measured_blocks.move_links("![p](rungs/1.svg) [`b`](b.cpp) [c](https://x.org/y) [d](#d) `[&](auto)`\n```\n[&](a)\n```",
                                           Path("/p/chapters/02"), Path("/p/results/02"))
        self.assertEqual(moved, "![p](../../chapters/02/rungs/1.svg) [`b`](../../chapters/02/b.cpp) [c](https://x.org/y) [d](#d) "
                                "`[&](auto)`\n```\n[&](a)\n```")


class Writer(unittest.TestCase):
    """measured_blocks.py as a program, in a small course of its own."""
    LESSON = "# L\n\n<!-- measured: ladder look_up -->\n<!-- end -->\n"
    README = "# R\n\n<!-- measured: figure accuracy_test -->\n<!-- end -->\n"

    def setUp(self):
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.root / "notebooks").mkdir()
        shutil.copy(FOLDER / "measured_blocks.py", self.root / "notebooks")
        for package in ("attention_plots", "comparison"):
            shutil.copytree(FOLDER / package, self.root / "notebooks" / package)
        self.lesson = self.root / "chapters" / NAME / "README.md"
        self.lesson.parent.mkdir(parents=True)
        self.lesson.write_text(self.LESSON, encoding="utf-8")
        (self.root / "README.md").write_text(self.README, encoding="utf-8")

    def run_it(self, *arguments):
        return subprocess.run([sys.executable, self.root / "notebooks/measured_blocks.py", *arguments], capture_output=True, text=True)

    def assert_untouched(self):
        self.assertEqual((self.lesson.read_text(encoding="utf-8"), (self.root / "README.md").read_text(encoding="utf-8")),
                         (self.LESSON, self.README))

    def test_write_takes_full_runs_on_real_data(self):
        make_results(self.root / "results", FULL)
        done = self.run_it("--write")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("| fused |", self.lesson.read_text(encoding="utf-8"))
        self.assertIn("**50.00 %**", (self.root / "README.md").read_text(encoding="utf-8"))

    def test_write_refuses_all_others_and_changes_nothing(self):
        for about in (ABOUT, {**FULL, "mode": "quick"}, {**FULL, "data": "stand_in"}):
            make_results(self.root / "results", about)
            done = self.run_it("--write")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, r"\Acourse: .*full runs on real data only\n\Z")
            self.assert_untouched()
            shutil.rmtree(self.root / "results")

    def test_one_block_without_results_leaves_every_page_as_it_was(self):
        folder = make_results(self.root / "results", FULL)
        (folder / "summary.json").write_text(json.dumps({**FULL, "figures": []}), encoding="utf-8")
        self.assertEqual(self.run_it("--write").returncode, 2)
        self.assert_untouched()

    def test_render_copies_and_prefers_the_full_run(self):
        make_results(self.root / "results", ABOUT)
        self.assertEqual(self.run_it("--render").returncode, 0)
        copy = self.root / "results" / NAME / "README.md"
        self.assertIn("in a quick run, on generated stand-in data", copy.read_text(encoding="utf-8"))
        full = Path(make_results(self.root / "elsewhere", FULL))
        for file in full.iterdir():
            shutil.copy(file, self.root / "results" / NAME)
        self.assertEqual(self.run_it("--render").returncode, 0)
        self.assertNotIn("quick", copy.read_text(encoding="utf-8"))
        self.assert_untouched()

    def test_check_has_a_line_for_each_fault(self):
        self.assertEqual(self.run_it("--check").returncode, 0)
        self.lesson.write_text("<!-- measured: nonsense -->\n<!-- end -->\n<!-- measured: accuracy -->\n", encoding="utf-8")
        (self.root / "README.md").write_text("<!-- end -->\n", encoding="utf-8")
        done = self.run_it("--check")
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 3), done.stderr)

    def test_no_page_with_a_fault_is_filled(self):
        make_results(self.root / "results", FULL)
        for text in ("<!-- measured: accuracy -->\n", "<!-- measured: nonsense -->\n<!-- end -->\n"):
            self.lesson.write_text(text, encoding="utf-8")
            for action in ("--write", "--render"):
                done = self.run_it(action)
                self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
                self.assertEqual(self.lesson.read_text(encoding="utf-8"), text)

    def test_a_users_mistake_is_one_line(self):
        (self.root / "file").write_text("", encoding="utf-8")
        for arguments in (("--render", "--results", self.root / "nowhere"), ("--render", "--results", self.root / "file")):
            done = self.run_it(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"\Acourse: [^\n]+\n\Z")


class Results(unittest.TestCase):
    def test_a_missing_file_says_how_to_make_it(self):
        with tempfile.TemporaryDirectory() as results:
            with self.assertRaisesRegex(Missing, f"^{NAME}/ladder.json is not there yet: ./course run 02") as raised:
                Chapter(NAME, results, "full").read("ladder")
            self.assertNotIn(results, str(raised.exception))

    def test_the_other_mode_stands_in(self):
        with tempfile.TemporaryDirectory() as results:
            quick = make_results(results)
            self.assertEqual(Chapter(NAME, results, "full").folder, quick)
            full = make_results(f"{results}/b", FULL)
            self.assertEqual(Chapter(NAME, f"{results}/b", "quick").folder, full)


class Plots(unittest.TestCase):
    def texts(self, figure):
        return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]

    def test_no_two_of_thirty_lines_look_alike(self):
        looks = [plots.style.line(f"r{i}", "test") for i in range(30)]
        self.assertEqual(len({(look["color"], look["marker"], str(look["linestyle"])) for look in looks}), 30)
        self.assertEqual(plots.style.line("r3", "test"), looks[3])

    def test_another_roof_has_its_own_unit(self):
        rows = [row("a", 4, 1.0, roof_kind="bandwidth", roof_value=4e10, roof_share=0.5)]
        figure = plots.ladder({**FULL, "name": "p", "title": "T", "shape": "n=1", "results": rows})
        self.assertIn("GB/s per core", self.texts(figure))
        self.assertAlmostEqual(figure.axes[0].patches[0].get_width(), 5.0)

    def test_quick_runs_and_stand_in_data_are_said(self):
        with tempfile.TemporaryDirectory() as results:
            make_results(results)
            chapter = Chapter(NAME, results)
            for figure in (plots.ladder(chapter.problem("look_up")), plots.scaling(chapter.sweep("n")),
                           plots.weights(chapter.record("looks_at"))):
                foot = [text for text in self.texts(figure) if "Test CPU" in text]
                self.assertEqual(len(foot), 1)
                self.assertIn("quick run · generated stand-in data", foot[0])

    def test_what_was_not_measured_is_no_empty_picture(self):
        with tempfile.TemporaryDirectory() as results:
            make_results(results)
            sweep, problem = Chapter(NAME, results).sweep("n"), Chapter(NAME, results).problem("look_up")
        sweep["results"] = [{**r, "peak_extra_bytes": None} for r in sweep["results"]]
        with self.assertRaisesRegex(Missing, "no peak memory"):
            plots.scaling(sweep, "peak_extra_bytes")
        for draw in (plots.ladder, plots.memory):
            with self.assertRaises(Missing):
                draw({**problem, "results": [SKIPPED]})

    def roofline(self, *rows, **more):
        return plots.roofline({**FULL, "name": "p", "title": "T", "shape": "n=1", "results": list(rows), **more})

    def points(self, axes):
        return [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if len(line.get_xdata()) == 1]

    def test_a_rung_stands_under_the_roofline_where_its_bytes_and_its_rate_put_it(self):
        # 10⁹ FLOP in 20 ms and in 10 ms; 10⁶ bytes of inputs and output, and what is stored twice.
        figure = self.roofline(row("stores", 1, 0.02, gflops=50, peak_extra_bytes=4.5e6), row("keeps", 1, 0.01, gflops=100, peak_extra_bytes=0),
                               row("keeps", 2, 0.01, gflops=150, peak_extra_bytes=0))
        self.assertEqual(self.points(figure.axes[0]), [(100, 50), (1000, 100)])
        self.assertEqual(self.points(figure.axes[1]), [(1000, 75)])
        for axes in figure.axes:
            # The corner, for each core: 1000 GFLOP/s at 20 GB/s.
            roof = axes.lines[0]
            self.assertEqual((roof.get_xdata()[1], roof.get_ydata()[1]), (50, 1000))
        low, high = figure.axes[0].get_ylim()
        self.assertTrue(low < 50 and 1000 < high)

    def test_the_roof_of_the_exponentials_shows_where_it_is_near(self):
        def shown(exps):
            cost = {"flops": 1e9, "bytes": 1e6, "exps": exps, "reciprocals": 0}
            return [text for text in self.texts(self.roofline(row("a", 1, 0.01, cost=cost))) if "exponentials" in text]

        self.assertEqual(shown(1e5), [])
        # One exponential for ten FLOP: 10⁹ of them a second are 10 GFLOP/s.
        self.assertEqual(shown(1e8), ["level: its exponentials, 10"])

    def test_no_roofline_without_memory_cost_or_roofs(self):
        no_cost = row("a", 1, 1.0)
        del no_cost["cost"]
        for words, rows, more in (("memory", [row("a", 1, 1.0, peak_extra_bytes=None)], {}), ("memory", [SKIPPED], {}), ("cost", [no_cost], {}),
                                  ("roofs", [row("a", 1, 1.0)], {"machine": {}}), ("roofs for 3 threads", [row("a", 3, 1.0)], {})):
            with self.assertRaisesRegex(Missing, words):
                self.roofline(*rows, **more)

    def test_names_stand_apart(self):
        figure = self.roofline(*(row(f"r{i}", 1, 0.01, gflops=50 + 0.01 * i) for i in range(6)))
        figure.canvas.draw()
        # The words alone: an annotation's own extent holds its line too.
        boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts if re.match(r"r\d  50", text.get_text())]
        boxes = sorted((box.y0, box.y1) for box in boxes)
        self.assertEqual(len(boxes), 6)
        for lower, upper in zip(boxes, boxes[1:]):
            self.assertLess(lower[1], upper[0] + 1)

    def test_a_record_of_tokens_without_a_machine(self):
        side = {"kind": "tokens", "count": 2, "labels": ["a", "b"]}
        record = {"title": "T", "data": "real", "mode": "full", "queries": side, "keys": side, "weights": np.full((2, 2, 2, 2), 0.5)}
        self.assertTrue(any("layer 2, head 1" in text for text in self.texts(plots.weights(record, layer=1))))


class Overview(unittest.TestCase):
    def run_script(self, results):
        return subprocess.run([sys.executable, FOLDER / "overview.py", "--results", results, "--mode", "quick"],
                              capture_output=True, text=True)

    def test_one_section_for_each_headline(self):
        with tempfile.TemporaryDirectory() as results:
            make_results(results)
            done = self.run_script(results)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            page = Path(results, "ladders.html").read_text(encoding="utf-8")
            self.assertEqual(page.count("<h2 "), 1)
            self.assertIn("A &lt;paper&gt;", page)
            self.assertIn("a quick run, generated stand-in data", page)
            self.assertEqual(sorted(file.name for file in Path(results, "figures").iterdir()), ["ladders.png", "ladders.svg"])

    def test_without_results_one_line(self):
        with tempfile.TemporaryDirectory() as results:
            done = self.run_script(results)
            self.assertEqual((done.returncode, done.stderr), (2, "course: no ladder has been climbed\n"))
            self.assertEqual(list(Path(results).iterdir()), [])


class Notebooks(unittest.TestCase):
    def test_they_hold_no_output_no_path_and_no_machine(self):
        for file in FOLDER.glob("*.ipynb"):
            notebook = json.loads(file.read_text(encoding="utf-8"))
            self.assertEqual(notebook["metadata"], {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                                                    "language_info": {"name": "python"}}, file.name)
            for cell in notebook["cells"]:
                self.assertFalse(cell.get("outputs"), f"{file.name} holds an output")
                self.assertIsNone(cell.get("execution_count"), file.name)
                self.assertIsNone(re.search(r"/(home|root|work|tmp|usr)/", "".join(cell["source"])), file.name)

    def test_chapter_2_runs_and_draws(self):
        with tempfile.TemporaryDirectory() as results:
            folder = make_results(results)
            page = execute(self, results, NAME)
            self.assertIn("generated stand-in", page)
            self.assertNotIn("Not measured here yet", page)
            drawn = {file.name for file in (folder / "figures").iterdir()}
            names = ("looks_at", "weights", "accuracy_over_scale", "high_dimension", "ladder_look_up", "memory_look_up",
                     "scaling_n", "scaling_dim", "scaling_threads", "memory_n", "roofline_dot_product_8x2048x64",
                     "roofline_dot_product_look_up")
            self.assertLessEqual({f"{name}.{kind}" for name in names for kind in ("svg", "png")}, drawn)
            self.assertFalse([name for name in drawn if ".tmp." in name])

    def test_without_results_each_says_so(self):
        for name in sorted(file.stem for file in FOLDER.glob("[0-9][0-9]_*.ipynb")):
            with self.subTest(name), tempfile.TemporaryDirectory() as results:
                page = execute(self, results, name)
                self.assertIn("Not measured here yet", page)
                self.assertNotIn("Traceback", page)


if __name__ == "__main__":
    unittest.main()
