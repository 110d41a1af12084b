"""Tests of the comparison with other libraries, on results made here."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from attention_plots.peers import beside_peers, comparisons, peer_table, shape_name  # noqa: E402
from attention_plots.results import Missing  # noqa: E402

SHAPE = {"batch": 1, "heads": 8, "queries": 2048, "keys": 2048, "dim": 64, "value_dim": 64}


def row(rung, seconds, threads=1, operator=None, shape=SHAPE, kind="fma"):
    peer = rung.startswith("peer:")
    entry = {"mechanism": "dot_product", "rung": rung, "beside": peer or rung == "openblas", "shape": shape, "threads": threads,
             "status": "ok", "reason": "", "median_s": seconds, "spread_s": seconds / 50, "roof_kind": kind, "roof_value": 1e11 * threads,
             "roof_share": 0.05 / seconds / threads, "max_error": 1e-7, "error_bound": 1e-5}
    if peer:
        entry["peer"] = {"version": f"{rung[5:]} 1.0", "kernel": "a kernel", "threads": threads, "copies": 1,
                         "around_s": 1.25 * seconds if operator else seconds, "operator_s": seconds if operator else None}
    return entry


def document(*rows):
    return {"schema": 1, "machine": {"cpu": "Test CPU", "cpus_available": 2, "compiler": "g++ 12.2.0", "date": "2026-01-02T03:04:05Z"},
            "results": list(rows)}


SKIPPED = {"mechanism": "dot_product", "rung": "peer:c", "beside": True, "shape": SHAPE, "threads": 1, "status": "skipped",
           "reason": "unsupported: such a mask", "median_s": None}
MEASURED = document(row("loops", 0.9), row("fused", 0.1), row("openblas", 0.05), row("peer:a", 0.2), row("peer:b", 0.16, operator=True), SKIPPED,
                    row("fused", 0.06, threads=2), row("peer:a", 0.09, threads=2))


class Comparison(unittest.TestCase):
    def test_our_fastest_rung_against_the_best_peer(self):
        one, two = comparisons(MEASURED)
        self.assertEqual((one["ours"]["rung"], one["best_peer"], one["threads"]), ("fused", "b", 1))
        self.assertAlmostEqual(one["ours_over_best_peer"], 1.6)
        self.assertEqual(one["not_run"], {"c": "unsupported: such a mask"})
        self.assertEqual((two["best_peer"], set(two["peers"])), ("a", {"a"}))
        self.assertAlmostEqual(two["ours_over_best_peer"], 1.5)

    def test_where_we_are_slower_it_says_so(self):
        self.assertAlmostEqual(comparisons(document(row("fused", 0.2), row("peer:a", 0.1)))[0]["ours_over_best_peer"], 0.5)

    def test_the_table_has_shares_with_and_without_the_call_around(self):
        text = peer_table(comparisons(MEASURED))
        line = next(line for line in text.splitlines() if line.startswith("| 8×2048×64 | 1 "))
        self.assertIn("| 25.0 % | **31.2 % (25.0)** | 1.60× |", line)
        self.assertIn("Not run: c on 8×2048×64 (1): unsupported: such a mask.", text)
        self.assertIn("a: a 1.0; a kernel.", text)

    def test_no_peer_ran(self):
        found = comparisons(document(row("fused", 0.1), SKIPPED))
        self.assertIsNone(found[0]["ours_over_best_peer"])
        self.assertIn("| – |", peer_table(found))

    def test_without_peers_it_says_how_to_measure(self):
        with self.assertRaisesRegex(Missing, "--peers --json"):
            comparisons(document(row("fused", 0.1)))

    def test_shapes_have_names(self):
        self.assertEqual(shape_name({**SHAPE, "causal": 1, "window": 0}), "8×2048×64 causal")
        self.assertEqual(shape_name({**SHAPE, "heads": 32, "kv_heads": 8, "queries": 1, "keys": 8192, "dim": 128, "value_dim": 128}),
                         "32×1:8192×128 8 key heads")
        multi_head = {"batch": 2, "n": 512, "width": 256, "key_heads": 4, "group": 1, "dim": 64, "causal": 1}
        self.assertEqual(shape_name(multi_head), "8×512×64 width 256 causal")
        self.assertEqual(shape_name({**multi_head, "group": 2, "causal": 0}), "16×512×64 width 256 4 key heads")

    def test_shapes_of_the_convolution_have_names(self):
        shape = {"batch": 8, "in_channels": 64, "out_channels": 64, "height": 56, "width": 56, "kernel": 3, "dilation": 1}
        self.assertEqual(shape_name(shape), "8×64×56×56 3×3")
        self.assertEqual(shape_name({**shape, "out_channels": 1, "kernel": 7, "dilation": 4}), "8×64→1×56×56 7×7 dilation 4")

    def test_the_figure_is_named_after_what_was_measured(self):
        measured = document(row("fused", 0.1), row("peer:a", 0.2))
        for mechanism, title in (("dot_product", "Dot-product attention"), ("convolution", "Convolution")):
            for entry in measured["results"]:
                entry["mechanism"] = mechanism
            figure = beside_peers(measured, comparisons(measured))
            self.assertTrue(figure._suptitle.get_text().startswith(title + ", "))

    def test_the_roof_is_the_top_line(self):
        figure = beside_peers(MEASURED, comparisons(MEASURED))
        for axes, threads in zip(figure.axes, (1, 2)):
            roof = max(line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1)
            self.assertAlmostEqual(roof, 100)  # of each core
            self.assertTrue(all(patch.get_height() < roof for patch in axes.patches))
            self.assertIn(f"{threads} thread", axes.get_title(loc="left"))


class Script(unittest.TestCase):
    def run_script(self, content, *options):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "measured.json")
            file.write_text(content, encoding="utf-8")
            done = subprocess.run([sys.executable, FOLDER / "peers.py", file, *options], capture_output=True, text=True, cwd=folder)
            return done, {path.name for path in Path(folder).rglob("*") if path.is_file()}

    def test_it_writes_what_is_asked_for(self):
        done, files = self.run_script(json.dumps(MEASURED), "--markdown", "t.md", "--json", "t.json", "--figures", "f")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(files, {"measured.json", "t.md", "t.json", "peers_8x2048x64.svg", "peers_8x2048x64.png"})

    def test_the_table_is_printed_where_nothing_is_asked_for(self):
        done, files = self.run_script(json.dumps(MEASURED))
        self.assertEqual((done.returncode, done.stderr, files), (0, "", {"measured.json"}))
        self.assertIn("over the best peer", done.stdout)

    def test_what_cannot_be_used_is_one_line(self):
        whole = json.dumps(MEASURED)
        for content in ("", "{", "[]", "7", whole[:-5], '{"schema": 2, "results": []}', '{"schema": 1, "results": [3]}',
                        '{"schema": 1, "results": [{"shape": {}, "threads": 1, "rung": "peer:a"}]}', json.dumps(document(row("fused", 1.0)))):
            with self.subTest(content[:30]):
                done, _ = self.run_script(content)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertRegex(done.stderr, r"^course: .+\n$")


if __name__ == "__main__":
    unittest.main()
