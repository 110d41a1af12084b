"""Tests of the plots of an encoder's heads, and of the page with a reader's own sentences, on results made here."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import attention_plots as plots  # noqa: E402
from made_results import ABOUT, FULL, execute  # noqa: E402


class Heads(unittest.TestCase):
    """Heads side by side, tables as pictures, and the page with a reader's own sentences."""
    ODD = ["one", "a $x^{ b", "", "tab\tand\x00\nline", "日本語 😀", "long " * 100]

    def texts(self, figure):
        return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]

    def record(self, labels):
        n = len(labels)
        side = {"kind": "tokens", "count": n, "labels": labels}
        return {**FULL, "title": "T $\\", "kind": "tokens", "layers": 2, "heads": 4, "queries": side, "keys": side,
                "weights": np.random.default_rng(2).dirichlet(np.ones(n), (2, 4, n)).astype(np.float32)}

    def make(self, results, sentences):
        folder = Path(results) / "04_self_attention" / "text"
        folder.mkdir(parents=True, exist_ok=True)
        listed = []
        for number, text in enumerate(sentences, 1):
            name = f"sentence_{number}" if text and number <= 3 else None
            listed.append({"text": text, "pieces": 200 if len(text) > 100 else len(text), "pieces_taken": min(128, len(text)), "record": name})
            if name:
                record = self.record(list(text))
                np.save(folder / f"{name}.attention.npy", record["weights"])
                (folder / f"{name}.attention.json").write_text(json.dumps({**record, "weights": f"{name}.attention.npy"}), encoding="utf-8")
        count = min(len(sentences), 50)
        (folder / "sentences.json").write_text(json.dumps({
            **FULL, "sentences": listed, "similarities": [[1.0 if i == j else 0.25 for j in range(count)] for i in range(count)],
            "most_similar": [{"first": 1, "second": 2, "similarity": 0.25}] if count > 1 else []}), encoding="utf-8")
        (folder / "summary.json").write_text(json.dumps({**FULL, "figures": []}), encoding="utf-8")
        return folder

    def run_script(self, results):
        return subprocess.run([sys.executable, FOLDER / "sentences.py", "--results", results], capture_output=True, text=True)

    def test_each_head_has_a_panel_with_its_largest_weight(self):
        record = self.record(["▁a", "$b", "c"])
        figure = plots.heads(record)
        found = [text for text in self.texts(figure) if text.startswith("head ")]
        self.assertEqual(found, [f"head {layer + 1}.{head + 1}, to {record['weights'][layer, head].max():.2f}" for layer in range(2) for head in range(4)])
        self.assertIn(r"\$b", self.texts(figure))
        figure.canvas.draw()  # a lone $ or { would fail here
        self.assertIn("keys: 90 pieces", self.texts(plots.heads(self.record(["x"] * 90))))

    def test_a_matrix_shows_its_numbers_while_they_can_be_read(self):
        figure = plots.matrix(FULL, [[0.1, 0.9], [0.5, 0.25]], ["a", "b"], ["c", "d"], "T", "bits")
        self.assertLessEqual({"0.10", "0.90", "0.50", "0.25", "bits"}, set(self.texts(figure)))
        many = plots.matrix(FULL, np.full((30, 30), 0.123), [str(i) for i in range(30)], [str(i) for i in range(30)], "T", "bits")
        self.assertEqual(list(many.axes[0].texts), [])

    def test_spread_marks_every_row_and_the_means(self):
        rows = [{"head": h, "alike": alike, "change": 0.1 * i} for h in ("1.1", "1.2") for alike in (True, False) for i in range(3)]
        figure = plots.spread(FULL, rows, "head", "change", [("like", lambda r: r["alike"]), ("unlike", lambda r: not r["alike"])], "T", "x", "y")
        marks = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
        self.assertEqual(sum(len(line.get_ydata()) for line in marks), len(rows))
        means = [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_linewidth() == 2 and len(line.get_ydata()) == 2]
        np.testing.assert_allclose(means, [0.1] * 4)

    def test_the_page_of_sentences_takes_any_text(self):
        with tempfile.TemporaryDirectory() as results:
            folder = self.make(results, [*self.ODD, "<b>&", *["x"] * 300])
            (folder / "figures").mkdir()
            (folder / "figures" / "sentence_9.svg").write_text("of an earlier call", encoding="utf-8")
            done = self.run_script(results)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            page = (folder / "sentences.html").read_text(encoding="utf-8")
            self.assertIn("&lt;b&gt;&amp;", page)
            self.assertIn("<i>(empty)</i>", page)
            self.assertIn("107 more", page)
            drawn = sorted(file.name for file in (folder / "figures").iterdir())
            self.assertEqual(drawn, [f"{name}.{kind}" for name in ("sentence_1", "sentence_2", "similarities") for kind in ("png", "svg")])
            for name in ("sentence_1", "sentence_2"):
                self.assertIn(f'src="figures/{name}.svg"', page)
            # The next call has fewer.
            for file in folder.glob("sentence_*.attention.*"):
                file.unlink()
            self.make(results, ["one"])
            self.assertEqual(self.run_script(results).returncode, 0)
            self.assertFalse((folder / "figures" / "sentence_2.svg").exists())

    def test_without_sentences_one_line(self):
        with tempfile.TemporaryDirectory() as results:
            done = self.run_script(results)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"\Acourse: 04_self_attention/text/sentences.json is not there yet[^\n]*\n\Z")

    def test_the_notebook_of_chapter_4_draws_them(self):
        with tempfile.TemporaryDirectory() as results:
            folder = self.make(results, ["one", "$two"])
            execute(self, results, "04_self_attention")
            self.assertTrue((folder / "figures" / "sentence_2.svg").exists())
            self.assertTrue((folder / "figures" / "similarities.png").exists())

    def test_the_notebook_of_chapter_3_draws_the_encoders_heads(self):
        with tempfile.TemporaryDirectory() as results:
            folder = Path(results) / "03_multi_head_attention" / "quick"
            folder.mkdir(parents=True)
            heads = [f"{layer}.{head}" for layer in (1, 2) for head in (1, 2, 3, 4)]
            record = self.record(["▁a", "b"])
            np.save(folder / "encoder_map.attention.npy", record["weights"])
            looks = ("distance", "entropy", "self", "previous", "next", "first", "last", "punctuation")
            for name, content in (("encoder_map.attention", {**record, "weights": "encoder_map.attention.npy"}),
                                  ("encoder_heads", {"texts": "2 texts", "rows": [{"head": h, **dict.fromkeys(looks, 0.25)} for h in [*heads, "all keys alike"]]}),
                                  ("encoder_divergence", {"texts": "2 texts", "heads": heads, "rows": [{"head": h, **{f"to_{g}": float(g != h) for g in heads}} for h in heads]}),
                                  ("encoder_removed", {"rows": [{"removed": h, "like_pairs": 0.1} for h in heads],
                                                       "changes": [{"head": h, "alike": alike, "change": 0.1} for h in heads for alike in (True, False)]}),
                                  ("summary", {"figures": []})):
                (folder / f"{name}.json").write_text(json.dumps({**ABOUT, **content}), encoding="utf-8")
            execute(self, results, "03_multi_head_attention")
            names = ("encoder_map", "encoder_heads", "encoder_divergence", "encoder_removed")
            self.assertLessEqual({f"{name}.svg" for name in names}, {file.name for file in (folder / "figures").iterdir()})


if __name__ == "__main__":
    unittest.main()
