"""The Python module `attention`: what it computes, what it says to mistakes, its stub, and the notebook that plays with it.

    PYTHONPATH=build/release/python python3 python_module.py
"""
import ast
import gc
import inspect
import json
import os
import resource
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import attention
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
DOT = attention.dot_product


def normal(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def formula(q, k, v, scale=None, causal=False, window=0):
    """Vaswani et al. 2017, equation 1, in float64."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    scores = (1 / np.sqrt(q.shape[-1]) if scale is None else scale) * q @ np.swapaxes(k, -1, -2)
    row, column = np.ogrid[:q.shape[-2], :k.shape[-2]]
    row = row + max(0, k.shape[-2] - q.shape[-2])
    hidden = (column > row) if causal else np.zeros(scores.shape[-2:], bool)
    if window:
        hidden = hidden | (abs(column - row) >= window)
    scores = np.where(hidden, -np.inf, scores)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return weights @ v, weights


class Numbers(unittest.TestCase):
    def test_every_rung_is_the_formula(self):
        q, k, v = normal(2, 3, 17, 8), normal(2, 3, 23, 8, seed=2), normal(2, 3, 23, 5, seed=3)
        for settings in ({}, {"scale": 0.7}, {"causal": True}, {"window": 3}, {"causal": 1, "window": 4, "scale": 2}):
            wanted, weights = formula(q, k, v, **settings)
            for rung in DOT.rungs:
                if rung.endswith("bf16"):
                    continue
                with self.subTest(rung=rung, **settings):
                    np.testing.assert_allclose(DOT.run(rung, q, k, v, **settings), wanted, atol=2e-5)
            np.testing.assert_allclose(DOT.run("loops", q, k, v, give="weights", **settings), weights, atol=1e-5)
            np.testing.assert_allclose(DOT.reference(q, k, v, **settings), wanted, atol=1e-7)

    def test_axes_that_were_left_out_stay_out(self):
        q, k, v = normal(3, 9, 4)
        one = DOT.run("fused", q, k, v)
        self.assertEqual(one.shape, (9, 4))
        self.assertEqual(DOT.run("fused", q, k, v, give="lse").shape, (9,))
        self.assertEqual(DOT.run("fused", q[None], k[None], v[None]).shape, (1, 9, 4))
        self.assertEqual(DOT.run("fused", q[None, None], k[None, None], v[None, None]).shape, (1, 1, 9, 4))
        self.assertEqual(DOT.reference(q, k, v, give="weights").dtype, np.float64)
        x = normal(7, 6)
        weights = {name: normal(2, 6, 3, seed=seed) for seed, name in enumerate(("W_Q", "W_K", "W_V"))} | {"W_O": normal(2, 3, 6)}
        self.assertEqual(attention.multi_head.run("loops", x, **weights).shape, (7, 6))

    def test_gradients_have_the_shape_of_their_tensors(self):
        for name in ("dot_product_backward", "convolution_backward"):
            mechanism = getattr(attention, name)
            tensors = mechanism.make("queries=6,dim=3" if "dot" in name else "in_channels=2,out_channels=1,height=5")
            tensors = {key: x.reshape(x.shape[2:]) if name.startswith("dot") else x for key, x in tensors.items()}
            for key, gradient in mechanism.run_all(mechanism.rungs[1], **tensors).items():
                self.assertEqual(gradient.shape, tensors[key.removesuffix("_gradient")].shape, key)

    def test_every_rung_of_every_mechanism_passes_its_check(self):
        small = {"heads": 2, "batch": 2, "queries": 5, "keys": 7, "n": 6, "dim": 4, "value_dim": 3, "width": 9, "height": 8, "channels": 6,
                 "in_channels": 3, "out_channels": 4, "hidden": 5, "key_heads": 2}
        for name in attention.mechanisms:
            mechanism = getattr(attention, name)
            shape = []
            for key, value in small.items():
                try:
                    mechanism.make(",".join([*shape, f"{key}={value}"]))
                except ValueError:
                    continue
                shape.append(f"{key}={value}")
            tensors = mechanism.make(",".join(shape))
            for rung in mechanism.rungs:
                with self.subTest(mechanism=name, rung=rung):
                    try:
                        found = mechanism.check(rung, **tensors)
                    except ValueError as reason:
                        self.assertIn(rung, str(reason))
                        continue
                    self.assertTrue(found, found)
                    self.assertLessEqual(found.max_error, found.bound)


class Arrays(unittest.TestCase):
    def test_an_array_in_another_order_is_read_right(self):
        q, k, v = normal(3, 16, 8)
        wanted = DOT.run("fused", q, k, v)
        turned = np.asfortranarray(k)
        every_second = np.repeat(v, 2, axis=0)[::2]
        backwards = q[::-1].copy()[::-1]
        self.assertFalse(turned.flags.c_contiguous or every_second.flags.c_contiguous or backwards.flags.c_contiguous)
        np.testing.assert_array_equal(DOT.run("fused", backwards, turned, every_second), wanted)
        odd = np.frombuffer(b"x" + q.tobytes(), np.float32, offset=1, count=q.size).reshape(q.shape)
        np.testing.assert_array_equal(DOT.run("fused", odd, k, v), wanted)

    def test_inputs_are_neither_copied_nor_written_to(self):
        keys = normal(400_000, 64)  # 102 MB
        keys.flags.writeable = False
        query = keys[:1]
        before = keys.tobytes()[:1000]
        attention.dot_product.run("fused", query, keys[:1000], keys[:1000])
        high = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        attention.dot_product.run("fused", query, keys, keys)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - high) / 1e3
        self.assertLess(grown, 40, "MB")
        self.assertEqual(keys.tobytes()[:1000], before)

    def test_answers_outlive_what_they_were_made_of(self):
        tensors = DOT.make("queries=64,dim=16", seed=3)
        answers = DOT.run_all("loops", **tensors)
        copies = {name: answer.copy() for name, answer in answers.items()}
        tensors.clear()
        gc.collect()
        for _ in range(20):
            DOT.run("loops", *normal(3, 64, 16))
        for name, answer in answers.items():
            np.testing.assert_array_equal(answer, copies[name])

    def test_the_rung_may_be_given_by_name(self):
        q, k, v = normal(3, 9, 4)
        np.testing.assert_array_equal(DOT.run(query=q, key=k, value=v, rung="fused"), DOT.run("fused", q, k, v))

    def test_a_setting_in_a_shape_comes_with_the_tensors(self):
        tensors = DOT.make("queries=6,dim=4,causal=1")
        self.assertEqual(tensors["causal"], 1)
        np.testing.assert_array_equal(np.triu(DOT.run("loops", **tensors, give="weights")[0, 0], 1), 0)
        self.assertEqual(list(DOT.make("queries=6")), DOT.tensors)

    def test_the_same_seed_makes_the_same_tensors(self):
        for name, x in DOT.make("queries=5", seed=2).items():
            np.testing.assert_array_equal(x, DOT.make("queries=5", seed=2)[name])
            self.assertFalse(np.array_equal(x, DOT.make("queries=5", seed=3)[name]))


class Mistakes(unittest.TestCase):
    def raises(self, error, words, call, *tensors, **named):
        with self.assertRaises(error) as caught:
            call(*tensors, **named)
        self.assertIn(words, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_each_is_told_in_a_line(self):
        q, k, v = normal(3, 6, 4)
        run = DOT.run
        self.raises(TypeError, "key: its dtype is float64", run, "fused", q, k.astype(np.float64), v)
        self.raises(TypeError, "value: its dtype is >f4", run, "fused", q, k, v.astype(">f4"))
        self.raises(TypeError, "query: a list", run, "fused", q.tolist(), k, v)
        self.raises(TypeError, "value missing", run, "fused", q, k)
        self.raises(TypeError, "takes 3 tensors", run, "fused", q, k, v, v)
        self.raises(TypeError, "query was given twice", run, "fused", q, k, v, query=q)
        self.raises(ValueError, "dim: the query has 4, the key has 3", run, "fused", q, k[:, :3], v)
        self.raises(ValueError, "keys: the key has 5, the value has 6", run, "fused", q, k[:5], v)
        self.raises(ValueError, "it has 1 dimension, expected 2 to 4", run, "fused", q[0], k, v)
        self.raises(ValueError, "dimensions", run, "fused", q[None, None, None], k, v)
        self.raises(ValueError, "size 0", run, "fused", q[:0], k, v)
        self.raises(ValueError, "no rung 'fast'; its rungs are formula", run, "fast", q, k, v)
        for call in (run, DOT.run_all, DOT.check, DOT.time):
            self.raises(TypeError, "wants a rung first, by its name: dot_product.", call, q, k, v)
            self.raises(TypeError, "its rungs are formula", call, query=q, key=k, value=v)
        self.raises(ValueError, "no setting 'q'; it has scale, causal, window", run, "fused", q=q, k=k, v=v)
        self.raises(ValueError, "no setting 'attn_mask'", run, "fused", q, k, v, attn_mask=np.ones((6, 6)))
        self.raises(ValueError, "attention.use_threads", run, "fused", q, k, v, threads=1)
        self.raises(TypeError, "scale is a numpy.ndarray", run, "fused", q, k, v, scale=np.ones(2))
        self.raises(TypeError, "give is a list", run, "loops", q, k, v, give=["output", "weights"])
        self.raises(TypeError, "rungs is a int", DOT.ladder, q, k, v, rungs=1)
        self.raises(TypeError, "seconds is a str", DOT.ladder, q, k, v, seconds="1")
        self.raises(TypeError, "threads is a float; give a whole number", DOT.time, "fused", q, k, v, threads=1.5)
        self.raises(ValueError, "no setting 'cusal'; it has scale, causal, window", run, "fused", q, k, v, cusal=True)
        self.raises(ValueError, "causal is 2", run, "fused", q, k, v, causal=2)
        self.raises(ValueError, "window is 0.5", run, "fused", q, k, v, window=0.5)
        self.raises(ValueError, "scale is nan", run, "fused", q, k, v, scale=float("nan"))
        self.raises(TypeError, "scale is a str", run, "fused", q, k, v, scale="0.1")
        self.raises(ValueError, "gives no 'weights'; it gives output, lse", run, "fused", q, k, v, give="weights")
        self.raises(ValueError, "it has none", attention.additive.run, "loops", *attention.additive.make("queries=3").values(), causal=1)
        self.raises(ValueError, "quries", DOT.make, "quries=3")
        self.raises(ValueError, "choose a smaller shape", DOT.make, "queries=1000000000,keys=1")
        self.raises(ValueError, "there is no network 'x'; there are: plain", attention.models.PictureClassifier, "x")

    def test_what_does_not_fit_is_not_begun(self):
        x = np.zeros((2_000_000, 4), np.float32)
        self.raises(MemoryError, "formula needs", DOT.run, "formula", x, x, x)


class Measured(unittest.TestCase):
    def test_time_and_ladder(self):
        q, k, v = normal(3, 64, 16)
        self.assertGreater(DOT.time("loops", q, k, v, seconds=0.01, threads=1), 1e-7)
        rows = DOT.ladder(q, k, v, rungs=["loops", "fused"], seconds=0.01, threads=1, causal=True)
        self.assertEqual([row["rung"] for row in rows], ["loops", "fused"])
        for row in rows:
            self.assertEqual((row["status"], row["threads"], row["shape"]["causal"]), ("ok", 1, 1))
            self.assertGreater(row["median_s"], 0)
            self.assertLessEqual(row["max_error"], row["error_bound"])
        lines = repr(rows).splitlines()
        self.assertEqual((len(lines), [line.split()[0] for line in lines[2:]]), (4, ["loops", "fused"]))
        self.assertEqual([row["rung"] for row in DOT.ladder(q, k, v, rungs="fused", seconds=0.01, threads=1)], ["fused"])

    def test_threads(self):
        before = os.sched_getaffinity(0)
        DOT.time("openmp", *normal(3, 16, 4), seconds=0.001, threads=1)
        self.assertEqual(os.sched_getaffinity(0), before, "the caller's thread may wander again")
        self.assertGreaterEqual(attention.threads(), 1)
        self.assertIn("cpu", json.dumps(attention.machine()))


class Models(unittest.TestCase):
    def model(self, make, *arguments):
        try:
            return make(*arguments)
        except ValueError as reason:
            self.skipTest(str(reason))

    def test_sentences(self):
        encoder = self.model(attention.models.SentenceEncoder)
        found = encoder.embed(["A cat sat on the mat.", "A kitten was sitting on a rug.", "Interest rates rose again."])
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
        self.assertGreater(found[0] @ found[1], found[0] @ found[2])
        record = encoder.attention("A cat sat.")
        pieces = encoder.pieces("A cat sat.")
        self.assertEqual((record.keys, record.weights.shape), (pieces, (2, 4, len(pieces), len(pieces))))
        np.testing.assert_allclose(record.weights.sum(-1), 1, atol=1e-5)
        with self.assertRaisesRegex(ValueError, "pieces"):
            encoder.attention("")
        with self.assertRaisesRegex(ValueError, "nowhere"):
            attention.models.SentenceEncoder("/nowhere")

    def test_words(self):
        model = self.model(attention.models.Pronouncer)
        said, probability, record = model.say("attention")
        self.assertEqual((said, record.weights.shape[1]), ("AH T EH N SH AH N", 10))
        self.assertTrue(0 < probability <= 1)
        self.assertEqual(repr(record), "<Record 'attention: AH T EH N SH AH N': weights (8, 10)>")
        np.testing.assert_allclose(record.weights.sum(-1), 1, atol=1e-5)
        with self.assertRaisesRegex(ValueError, "there is no model 'x'; there are: g2p_additive"):
            attention.models.Pronouncer("x")
        for word, width in (("", 5), ("cat", 0), ("c4t", 5)):
            with self.assertRaises(ValueError):
                model.say(word, width)

    def test_glosses(self):
        model = self.model(attention.models.GlossClassifier)
        kind, shares, words = model.read("a small animal with four legs and soft fur")
        self.assertEqual((kind, len(words)), (max(shares, key=shares.get), 9))
        self.assertAlmostEqual(sum(shares.values()), 1, places=5)
        self.assertAlmostEqual(sum(weight for _, weight in words), 1, places=5)

    def test_pictures(self):
        model = self.model(attention.models.PictureClassifier, "cbam")
        kind, shares, maps = model.read(np.zeros((28, 28), np.float32))
        self.assertEqual(kind, max(shares, key=shares.get))
        self.assertTrue(maps and all(map.shape == (28, 28) for map in maps.values()))
        for wrong in (np.zeros((28, 27), np.float32), np.full((28, 28), 255, np.float32), np.full((28, 28), np.nan, np.float32)):
            with self.assertRaisesRegex(ValueError, "picture"):
                model.read(wrong)


class Words(unittest.TestCase):
    def test_everything_public_is_described(self):
        for thing in (attention, attention.models, attention.Mechanism, *vars(attention.models).values()):
            if inspect.isclass(thing) or inspect.ismodule(thing):
                for name, member in [("", thing), *vars(thing).items()]:
                    if not name.startswith("_") and (callable(member) or isinstance(member, property)):
                        self.assertTrue(inspect.getdoc(member), f"{thing}.{name}")
        self.assertIn("Tensors: query, key, value\n", str(DOT))
        self.assertEqual(repr(DOT), "<attention.dot_product: Dot-product attention; print() shows its tensors, rungs and settings>")

    def test_the_stub_says_what_there_is(self):
        stub = Path(attention.__file__).with_name("attention.pyi")
        tree = ast.parse(stub.read_text(encoding="utf-8"))
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        for name in attention.mechanisms:
            mechanism = getattr(attention, name)
            run = next(node for node in classes[f"_{name}"].body if isinstance(node, ast.FunctionDef) and node.name == "run")
            self.assertEqual([each.arg for each in run.args.args], ["self", "rung", *mechanism.tensors])
            self.assertEqual([each.arg for each in run.args.kwonlyargs], ["give", *mechanism.settings])
            self.assertEqual([each.value for each in run.args.args[1].annotation.slice.elts], mechanism.rungs)
        models = {node.name: node for node in classes["models"].body if isinstance(node, ast.ClassDef)}
        self.assertEqual(set(models), {name for name in vars(attention.models) if not name.startswith("_")})
        for name, node in models.items():
            methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)} - {"__init__"}
            fields = {each.target.id for each in node.body if isinstance(each, ast.AnnAssign)}
            self.assertEqual(methods | fields, {each for each in vars(getattr(attention.models, name)) if not each.startswith("_")}, name)

    def test_the_notebook_plays(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", folder, str(ROOT / "notebooks/play.ipynb")]
            environment = {**{name: value for name, value in os.environ.items() if name != "MPLBACKEND"}, "ATTENTION_DATA": str(ROOT / "datasets/data"), "HOME": folder,
                           "PYTHONPATH": str(Path(attention.__file__).parent)}
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
            if "No module named nbconvert" in done.stderr:
                self.skipTest("nbconvert is not installed")
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            cells = json.loads(Path(folder, "play.ipynb").read_text(encoding="utf-8"))["cells"]
            drawn = [output for cell in cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
            self.assertGreaterEqual(len(drawn), 3)
            checks = "".join("".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", []))
            self.assertIn("<passed", checks)
            self.assertNotIn("<failed", checks)


if __name__ == "__main__":
    unittest.main()
