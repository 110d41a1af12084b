"""Tests of chapter 5's figures, its notebook, and the page to explore attention in, which Chromium opens where it is there."""
import base64
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import attention_plots as plots  # noqa: E402
import browser  # noqa: E402
from made_results import ABOUT, FULL, execute  # noqa: E402
from attention_plots.results import Missing  # noqa: E402

NAME = "05_visualising_attention"


def tokens(labels):
    return {"kind": "tokens", "count": len(labels), "labels": labels}


def weights(*shape, seed=1):
    return np.random.default_rng(seed).dirichlet(np.ones(shape[-1]), shape[:-1]).astype(np.float32)


def self_attention(labels, layers=2, heads=4, title="A <title> & </script><b>"):
    side = tokens(labels)
    return {**FULL, "schema": 1, "title": title, "kind": "tokens", "layers": layers, "heads": heads, "queries": side, "keys": side,
            "weights": weights(layers, heads, len(labels), len(labels))}


def put_record(folder, name, record):
    folder.mkdir(parents=True, exist_ok=True)
    document = {**record, "weights": f"{name}.attention.npy"}
    np.save(folder / document["weights"], record["weights"])
    for side in ("queries", "keys"):
        if "pixels" in record[side]:
            document[side] = {**record[side], "pixels": f"{name}.{side}.npy"}
            np.save(folder / document[side]["pixels"], record[side]["pixels"])
    (folder / f"{name}.attention.json").write_text(json.dumps(document), encoding="utf-8")


def picture():
    keys = {"kind": "image", "count": 49, "grid": [7, 7], "pixels": np.arange(28 * 28).reshape(28, 28).astype(np.uint8)}
    return {**FULL, "schema": 1, "title": "A picture", "kind": "image", "layers": 1, "heads": 1, "queries": tokens(["net", "gate"]), "keys": keys,
            "weights": weights(1, 1, 2, 49)}


def make(folder, about, text="The $x <b> cat", more=True):
    """What the program leaves for one text, in `folder`; and where `more`, what the whole chapter does."""
    pieces = text.split()
    record = self_attention(pieces)
    one = {**record, "layers": 1, "heads": 1, "weights": record["weights"][:1, :1]}
    for name, each in (("text_1", record), ("text_1_rollout", {**one, "layers": 2, "weights": record["weights"][:, :1]}), ("text_1_flow", one)):
        put_record(folder, name, each)
    entries = [{"name": name, "chapter": "", "file": f"{name}.attention.json"} for name in ("text_1", "text_1_rollout", "text_1_flow")]
    values = [0.1 * (i + 1) for i in range(len(pieces))]

    def put(name, content):
        (folder / f"{name}.json").write_text(json.dumps({**about, **content}), encoding="utf-8")

    put("texts", {"texts": [{"text": text, "record": "text_1", "pieces": pieces, "received": values, "rollout": values, "flow": values, "leave_one_out": values}]})
    shown = {"words": pieces, "class": "animal", "weights": values, "other": values[::-1], "leave_one_out": values, "gradient": values, "divergence": 0.5, "variation": 0.01}
    put("explanation", {"title": "T", "epsilon": 0.01, "rows": [{"figure": "tau_between", "value": 0.5, "unit": "tau", "meaning": "m"}], "shown": [shown],
                        "texts": [{**shown, "words": 4, "tau_leave_one_out": 0.5, "tau_gradient": None, "tau_between": -0.5}]})
    put("summary", {"figures": [{"name": "records", "value": 2, "unit": "records", "meaning": "m"}]})
    if more:
        other = folder.parent.parent / "06_convolutional_attention" / "quick"
        put_record(other, "looked_at_1", picture())
        put_record(folder.parent.parent / "08_sequence_to_sequence" / "quick", "verse_2",
                   {**self_attention(["a", "b", "c"], 1, 1), "queries": tokens(["x", "y", "z"])})
        entries += [{"name": "looked_at_1", "chapter": "06_convolutional_attention", "file": "../../06_convolutional_attention/quick/looked_at_1.attention.json"},
                    {"name": "verse_2", "chapter": "08_sequence_to_sequence", "file": "../../08_sequence_to_sequence/quick/verse_2.attention.json"}]
        head = {"record": "r", "title": "t", "queries": 4, "keys": 4, "entropy": 1.0, "entropy share": 0.5, "largest weight": 0.5}
        put("heads", {"missing": [], "rows": [{**head, "chapter": "03_multi_head_attention", "head": "1.1", "distance": 1.5},
                                              {**head, "chapter": "06_convolutional_attention", "head": "1.1", "distance": None}]})
        put("encoder", {"rows": [{"pieces ordered by": "rollout", "Kendall's tau": 0.25}]})
    put("page", {"records": entries, "missing": ["01_basic_attention"]})


def page_of(folder, *records):
    file = Path(folder) / "page.html"
    plots.write_viewer(file, "A page", "", [plots.packed(record, f"record_{i}") for i, record in enumerate(records)], FULL)
    return file


class Page(unittest.TestCase):
    def test_weights_come_back_to_a_part_in_65535_of_the_largest(self):
        record = self_attention(["a", "b", "c"])
        record["weights"][0, 0] = 0  # a head that looks at nothing
        found = plots.packed(record, "r")
        values = np.frombuffer(base64.b64decode(found["weights"]), "<u2").reshape(2, 4, 3, 3) / 65535 * np.array(found["largest"]).reshape(2, 4, 1, 1)
        self.assertLess(np.abs(values - record["weights"]).max(), 1 / 65535)
        self.assertEqual(found["largest"][0], 0)

    def test_pixels_become_bytes(self):
        side = {"kind": "images", "count": 2, "pixels": np.array([[[0, 0.5]], [[1, 2]]], np.float32)}
        found = plots.packed({**self_attention(["a", "b"]), "keys": side, "weights": weights(1, 1, 2, 2)}, "r")["keys"]["pixels"]
        self.assertEqual((found["shape"], found["colour"], base64.b64decode(found["data"])), ([1, 2], False, bytes([0, 128, 255, 255])))

    def test_nothing_in_a_record_breaks_out_of_the_page(self):
        with tempfile.TemporaryDirectory() as folder:
            text = page_of(folder, self_attention(["@SCRIPT@", "</script>", "<!--"])).read_text(encoding="utf-8")
            self.assertEqual(len(re.findall("</script>", text)), 2)
            self.assertNotIn("<!--", text)
            self.assertEqual(text.count("use strict"), 1)
            # Nothing from anywhere else.
            self.assertIsNone(re.search(r"(src|href)=|https?://|@import|url\(", re.sub(r"<script type=.*?</script>", "", text, flags=re.S)))
            self.assertIn("default-src 'none'", text)

    def test_too_many_weights_are_refused_in_a_line(self):
        with self.assertRaisesRegex(Missing, "too many for one page"):
            plots.write_viewer("nowhere.html", "T", "", [{"weights": "x" * 120_000_000}], FULL)


@unittest.skipIf(browser.lacking(), browser.lacking())
class InChromium(unittest.TestCase):
    def test_mouse_and_keys(self):
        with tempfile.TemporaryDirectory() as folder, browser.Browser() as page:
            record = self_attention(["the", "<b>", "cat"])
            record["weights"][0, 1, 2] = [0.13, 0.26, 0.61]
            page.open(page_of(folder, record, picture()))
            self.assertEqual(page.ask("document.querySelectorAll('button.word').length"), 3)
            self.assertEqual(page.ask("document.querySelectorAll('button.word')[1].textContent"), "<b>")
            # Hovered, then pinned by keys; head 2.
            box = page.ask("(b => [b.x + b.width / 2, b.y + b.height / 2])(document.querySelectorAll('button.word')[2].getBoundingClientRect())")
            page.mouse(*box)
            self.assertIn("“cat” (3 of 3) looks at", page.ask("document.getElementById('reading').textContent"))
            page.press("]")
            self.assertEqual(page.ask("document.getElementById('head').value"), "1")
            self.assertIn("“cat” 0.61, “<b>” 0.26, “the” 0.13", page.ask("document.getElementById('reading').textContent"))
            grounds = page.ask("[...document.querySelectorAll('button.word')].map(w => w.style.background)")
            self.assertEqual(len(set(grounds)), 3)
            page.press("ArrowRight")
            self.assertIn("“the” (1 of 3)", page.ask("document.getElementById('reading').textContent"))
            self.assertEqual(page.ask("document.activeElement.textContent"), "the")
            page.press(".", ".", ".")
            self.assertEqual(page.ask("document.getElementById('layer').value"), "1")
            page.press("[", "[")
            self.assertEqual(page.ask("document.getElementById('head').selectedOptions[0].textContent"), "mean of all")
            for key, view in (("2", "map"), ("3", "lines"), ("4", "heads"), ("1", "words")):
                page.press(key)
                self.assertEqual(page.ask("document.querySelector('[role=tab][aria-selected=true]').dataset.view"), view)
            # A picture comes as one.
            page.ask("(s => { s.value = 1; s.onchange() })(document.getElementById('record'))")
            self.assertEqual(page.ask("document.querySelector('[aria-selected=true]').dataset.view"), "picture")
            self.assertEqual(page.ask("document.querySelectorAll('figure canvas').length"), 2)
            self.assertEqual(page.messages(), [])

    def test_a_head_of_the_overview_opens_its_map(self):
        with tempfile.TemporaryDirectory() as folder, browser.Browser() as page:
            page.open(page_of(folder, self_attention(["a", "b"])))
            page.press("4")
            self.assertEqual(page.ask("document.querySelectorAll('.grid button').length"), 8)
            page.ask("document.querySelectorAll('.grid button')[6].click()")
            self.assertEqual(page.ask("[$('layer').value, $('head').value, state.view].join()"), "1,2,map")

    def test_each_figure_can_be_copied(self):
        with tempfile.TemporaryDirectory() as folder, browser.Browser() as page:
            page.open(page_of(folder, self_attention(["a", "b"]), picture()))
            for view in ("words", "map", "lines", "heads"):
                page.ask(f"state.view = '{view}', show()")
                colours = page.ask("(c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size)(figureOf())")
                self.assertGreater(colours, 3, view)
            # Where the browser refuses its clipboard, a file is saved.
            page.ask("navigator.clipboard.write = () => Promise.reject(), HTMLAnchorElement.prototype.click = function () { window.saved = this.download }")
            page.ask("copy()")
            self.assertEqual(page.ask("window.saved"), "record_0_heads.png")

    def test_light_and_dark(self):
        grounds = []
        for dark in (False, True):
            with tempfile.TemporaryDirectory() as folder, browser.Browser(dark=dark) as page:
                page.open(page_of(folder, self_attention(["a", "b"])))
                for _ in range(2):
                    grounds.append(page.ask("getComputedStyle(document.body).backgroundColor"))
                    page.ask("document.getElementById('theme').click()")
        self.assertEqual(grounds, ["rgb(255, 255, 255)", "rgb(20, 23, 26)", "rgb(20, 23, 26)", "rgb(255, 255, 255)"])

    def test_512_tokens_stay_quick(self):
        with tempfile.TemporaryDirectory() as folder, browser.Browser() as page:
            page.open(page_of(folder, self_attention([f"token{i}" for i in range(512)])))
            for view in ("words", "map", "lines", "heads"):
                seconds = page.ask(f"(() => {{ const t = performance.now(); state.view = '{view}'; show(); return (performance.now() - t) / 1000 }})()")
                self.assertLess(seconds, 10, view)
            # The next token of a view that is open.
            for view in ("words", "map", "lines"):
                page.ask(f"state.view = '{view}', show()")
                seconds = page.ask("(() => { const t = performance.now(); for (let i = 0; i < 10; ++i) choose(i * 50 + 3, true); return (performance.now() - t) / 10000 })()")
                self.assertLess(seconds, 0.5, view)
            # No canvas grows with the text.
            self.assertLess(page.ask("Math.max(...[...document.querySelectorAll('canvas')].map(c => c.height))"), 2000)
            self.assertEqual(page.messages(), [])


class Figures(unittest.TestCase):
    def test_lines_are_drawn_from_a_weight_on(self):
        record = self_attention(["a", "b"])
        record["weights"][...] = [[0.96, 0.04], [0.5, 0.5]]
        figure = plots.lines(record)
        self.assertEqual([len(axes.lines) for axes in figure.axes], [3] * 8)
        self.assertEqual(len(plots.lines(record, heads=[(1, 2)]).axes), 1)
        self.assertIn("the first 60 tokens", plots.lines(self_attention(["x"] * 70, 1, 1))._suptitle.get_text())

    def test_heads_without_a_distance_have_one_panel(self):
        rows = [{"chapter": "a", "head": "1.1", "entropy": 1.0, "entropy share": 0.5, "distance": None}]
        self.assertEqual(len(plots.entropy_and_distance(FULL, rows).axes), 1)
        self.assertEqual(len(plots.entropy_and_distance(FULL, [*rows, {**rows[0], "distance": 2.0}]).axes), 2)
        with self.assertRaises(Missing):
            plots.entropy_and_distance(FULL, [])

    def test_the_notebook_draws_everything(self):
        with tempfile.TemporaryDirectory() as results:
            folder = Path(results) / NAME / "quick"
            make(folder, ABOUT)
            page = execute(self, results, NAME)
            self.assertNotIn("Not measured here yet", page)
            self.assertIn("01_basic_attention", page)
            drawn = {file.name for file in (folder / "figures").iterdir()}
            names = ("text_1_heads", "text_1_lines", "text_1_one_token", "text_1_layers", "text_1_pieces", "entropy_and_distance", "over_image_looked_at_1", "across_verse_2",
                     "agreements", "two_weightings", "word_by_word")
            self.assertEqual({f"{name}.{kind}" for name in names for kind in ("svg", "png")}, drawn)
            self.assertIn("A picture", (folder / "attention.html").read_text(encoding="utf-8"))

    def test_the_page_of_a_readers_text(self):
        with tempfile.TemporaryDirectory() as results:
            folder = Path(results) / NAME / "text"
            make(folder, FULL, more=False)
            (folder / "figures").mkdir()
            (folder / "figures" / "text_9_heads.svg").write_text("of an earlier call", encoding="utf-8")
            done = subprocess.run([sys.executable, FOLDER / "attention_page.py", "--results", results], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            page = (folder / "attention.html").read_text(encoding="utf-8")
            self.assertIn("The $x &lt;b&gt; cat", page)
            for link in re.findall(r'href="(figures/[^"]*)"', page):
                self.assertTrue((folder / link).exists(), link)
            self.assertFalse((folder / "figures" / "text_9_heads.svg").exists())

    def test_without_texts_one_line(self):
        with tempfile.TemporaryDirectory() as results:
            done = subprocess.run([sys.executable, FOLDER / "attention_page.py", "--results", results], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, rf"\Acourse: {NAME}/text/texts.json is not there yet[^\n]*\n\Z")


if __name__ == "__main__":
    unittest.main()
