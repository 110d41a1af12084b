"""Tests of the plots, the notebooks and the writer of measured blocks, on results made here."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import measured_blocks  # noqa: E402
from attention_plots.results import Chapter, Missing  # noqa: E402

NAME = "02_dot_product_attention"
ABOUT = {"schema": 1, "data": "stand_in", "mode": "quick",
         "machine": {"cpu": "Test CPU", "cpus_available": 2, "compiler": "g++ 12.2.0", "date": "2026-01-02T03:04:05Z"}}


def row(rung, threads, seconds, **more):
    return {"rung": rung, "idea": "an idea", "threads": threads, "median_s": seconds, "spread_s": seconds / 50,
            "aa_spread": 0.01, "gflops": 1 / seconds, "gbytes_per_s": 1.0, "roof_kind": "fma", "roof_value": 2e12,
            "roof_share": 0.1, "peak_extra_bytes": 1e6, "peak_predicted": False, "max_error": 1e-7, "error_bound": 1e-5,
            "status": "ok", "reason": "", "beside": False, "speedup_previous": None, "speedup_first": None,
            "within_noise": False, "rows": 64, "timed_rows": 64, "checked_rows": 64, "mechanism": "dot_product", **more}


def make_results(results, about=ABOUT):
    """A results folder as a quick run would leave it, with two rungs."""
    folder = Path(results) / NAME / ("quick" if about["mode"] == "quick" else "")
    folder.mkdir(parents=True)

    def put(name, content):
        (folder / f"{name}.json").write_text(json.dumps({**about, **content}), encoding="utf-8")

    rows = [row("loops", 1, 2e-1, status="sampled", peak_predicted=True), row("fused", 1, 2e-3),
            {**row("loops", 2, 1.0), "status": "skipped"}, row("fused", 2, 1e-3),
            row("openblas", 2, 2e-3, beside=True, within_noise=True)]
    put("ladder", {"problems": [{"name": name, "title": f"Problem {name}", "shape": "n=64", "results": rows}
                                for name in ("look_up", "8x512x64", "8x2048x64", "8x2048x128")]})
    sizes = [64, 128, 256]
    put("scaling", {"sweeps": [
        {"name": name, "keys": [name], "base": "heads=1", "values": sizes,
         "results": [row(rung, 1, factor * size ** 2, shape={name: size}) for rung, factor in (("loops", 1e-6), ("fused", 1e-8))
                     for size in sizes],
         "fits": [{"rung": "fused", "threads": 1, "quantity": "median_s", "exponent": 2.0, "r_squared": 1.0, "from": 64, "to": 256}],
         "crossovers": [{"slower_below": "fused", "faster_below": "loops", "threads": 1, "at": 70.0}]} for name in ("n", "dim")
    ] + [{"name": "threads", "keys": [], "base": "heads=8", "values": [1, 2],
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
        self.assertEqual(measured_blocks.blocks(text, "f"), [(1, 3, "ladder x")])

    def test_faults_name_file_and_line(self):
        for text, words in (("<!-- measured: a -->", "f:1"), ("\n<!-- end -->", "f:2"),
                            ("<!-- measured: a -->\n<!-- measured: b -->\n<!-- end -->", "f:2"), ("<!-- measured a -->", "f:1")):
            with self.assertRaisesRegex(measured_blocks.Fault, words):
                measured_blocks.blocks(text, "f")

    def test_unknown_names_are_refused(self):
        for name in ("nonsense", "ladder", "accuracy x", "figure a b"):
            with self.assertRaises(measured_blocks.Fault):
                measured_blocks.check_name(name, "f")

    def test_the_lessons_markers_are_right(self):
        done = subprocess.run([sys.executable, FOLDER / "measured_blocks.py", "--check"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_filled_twice_is_filled_once(self):
        with tempfile.TemporaryDirectory() as results:
            make_results(results)
            chapter = Chapter(NAME, results, "quick")
            text = "x\n<!-- measured: ladder look_up -->\n<!-- end -->\ny\n<!-- measured: figure accuracy_test -->\n1\n<!-- end -->\n"
            once = measured_blocks.fill(text, "f", lambda name: chapter, False)
            self.assertEqual(measured_blocks.fill(once, "f", lambda name: chapter, False), once)
            self.assertIn("quick run", once)
            self.assertIn("stand-in data", once)
            self.assertIn("| fused |", once)
            self.assertIn("**50.00 %**: a meaning.", once)

    def test_quick_results_are_not_written_into_lessons(self):
        with tempfile.TemporaryDirectory() as results:
            make_results(results)
            chapter = Chapter(NAME, results, "quick")
            with self.assertRaisesRegex(measured_blocks.Fault, "full runs on real data"):
                measured_blocks.content("figure accuracy_test", chapter, "f", True)

    def test_what_was_not_measured_is_said(self):
        with tempfile.TemporaryDirectory() as results:
            make_results(results)
            text = measured_blocks.content("ladder nowhere", Chapter(NAME, results, "quick"), "f", False)
            self.assertIn("Not measured here yet", text)

    def test_links_move_with_the_page(self):
        moved = measured_blocks.move_links("[a](rungs/1.cpp) [b](https://x.org/y) [c](#d)", Path("/p/chapters/02"), Path("/p/results/02"))
        self.assertEqual(moved, "[a](../../chapters/02/rungs/1.cpp) [b](https://x.org/y) [c](#d)")


class Results(unittest.TestCase):
    def test_a_missing_file_says_how_to_make_it(self):
        with tempfile.TemporaryDirectory() as results, self.assertRaisesRegex(Missing, "course run 02"):
            Chapter(NAME, results, "full").read("ladder")


class Notebooks(unittest.TestCase):
    def test_they_hold_no_output_and_no_path(self):
        for file in FOLDER.glob("*.ipynb"):
            for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
                self.assertFalse(cell.get("outputs"), f"{file.name} holds an output")
                self.assertIsNone(re.search(r"/(home|root|work|tmp)/", "".join(cell["source"])), file.name)

    def test_chapter_2_runs_and_draws(self):
        with tempfile.TemporaryDirectory() as results:
            folder = make_results(results)
            environment = {**os.environ, "ATTENTION_RESULTS": results, "ATTENTION_MODE": "quick", "HOME": results}
            done = subprocess.run([sys.executable, "-m", "nbconvert", "--to", "html", "--execute", "--output-dir", results,
                                   FOLDER / f"{NAME}.ipynb"], capture_output=True, text=True, env=environment, cwd=FOLDER)
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            drawn = {file.name for file in (folder / "figures").iterdir()}
            for name in ("looks_at", "accuracy_over_scale", "high_dimension", "ladder_look_up", "memory_look_up", "scaling_n"):
                for suffix in ("svg", "png"):
                    self.assertIn(f"{name}.{suffix}", drawn)
            self.assertIn("generated stand-in", Path(results, f"{NAME}.html").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
