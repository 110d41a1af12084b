#!/usr/bin/env python3
"""The peer "pytorch": the fastest of PyTorch's ways to compute an attention, found by a short trial.

Speaks the lines of JSON that bench/peer_process.hpp describes. The ways for multi-head attention: multi_head_attention_forward,
the native fast path of the encoder's layers, and matmul around one of the following. For additive attention, for which there is no
operator: tanh of all sums, whole and in blocks of rows. For the convolution: conv2d on contiguous and on channels-last tensors,
and on tensors in the layout of its oneDNN with the weights turned beforehand. For dot-product attention:
scaled_dot_product_attention (public from 2.0,
torch._C._nn._scaled_dot_product_attention in 1.13), and softmax(Q K^T) V written with bmm, whole and in blocks of rows with
the columns trimmed when causal.
"""
import itertools
import json
import math
import os
import sys
import time

# Written to no more: a library that prints would break the conversation.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

MOST_BYTES = 8e9


class Unsupported(Exception):
    """Why this problem is not computed: one line."""


class Problem:
    """Sizes and inputs; heads that share keys lie one after the other, so their queries are rows of one matrix."""

    def __init__(self, how):
        shape = how["shape"]
        self.queries = shape["queries"]
        self.keys = shape.get("keys", self.queries)
        self.dim = shape["dim"]
        self.value_dim = shape.get("value_dim", self.dim)
        self.heads = shape.get("heads", 1)
        self.kv_heads = shape.get("kv_heads", self.heads)
        self.batch = shape.get("batch", 1)
        self.causal = bool(shape.get("causal", 0))
        self.window = shape.get("window", 0)
        if shape.get("kv_dtype", 0):
            raise Unsupported("keys and values of 16 bits")
        self.rows = self.heads // self.kv_heads * self.queries
        self.scale = 1 / math.sqrt(self.dim)
        first, last = self.seen(self.queries - 1)
        if first >= last:
            raise Unsupported("rows that see no key")
        self.masked = self.queries > 1 and (self.causal or self.window > 0)

        def load(name, rows):
            array = torch.from_numpy(numpy.load(os.path.join(how["folder"], f"{name}.npy"), allow_pickle=False))
            return array.reshape(self.batch * self.kv_heads, rows, array.shape[-1])

        inputs = load("query", self.rows), load("key", self.keys), load("value", self.keys)
        self.turns = [inputs] + [tuple(tensor.clone() for tensor in inputs) for _ in range(how["copies"] - 1)]

    def seen(self, query):
        """The first key that the query sees, and the one after the last."""
        own = query + max(0, self.keys - self.queries)
        last = own + 1 if self.causal else own + self.window if self.window else self.keys
        return (max(0, own - self.window + 1) if self.window else 0), min(last, self.keys)

    def span(self, first, end):
        """The keys that the rows first … end − 1 see between them."""
        if not self.masked:
            return self.seen(self.queries - 1)
        if first // self.queries != (end - 1) // self.queries:
            return self.seen(0)[0], self.seen(self.queries - 1)[1]
        return self.seen(first % self.queries)[0], self.seen((end - 1) % self.queries)[1]

    def bias(self, first, end, low, high):
        """0 where a row sees a key and −inf where not: [1, rows, keys]."""
        own = (torch.arange(first, end) % self.queries)[:, None] + max(0, self.keys - self.queries)
        key = torch.arange(low, high)[None, :]
        hidden = (key > own) & self.causal
        if self.window:
            hidden |= (key - own).abs() >= self.window
        return torch.zeros(1, end - first, high - low).masked_fill_(hidden, -math.inf)


class Function:
    """The library's own operator."""

    def __init__(self, problem):
        p = problem
        if p.masked and (p.window or p.queries != p.keys or p.rows != p.queries):
            raise Unsupported("no such mask")
        if p.batch * p.kv_heads * p.rows * p.keys * 12 > MOST_BYTES:
            raise Unsupported("its scores do not fit")
        self.problem = p
        self.public = getattr(torch.nn.functional, "scaled_dot_product_attention", None)
        self.private = getattr(torch._C._nn, "_scaled_dot_product_attention", None)
        if not (self.public or self.private):
            raise Unsupported("no such function")
        self.name = "scaled_dot_product_attention" if self.public else "_scaled_dot_product_attention"

    def __call__(self, turn):
        p = self.problem
        low, high = p.span(0, p.rows)
        query, key, value = turn[0][None], turn[1][None, :, low:high], turn[2][None, :, low:high]
        if self.public:
            return self.public(query, key, value, is_causal=p.masked)[0]
        return self.private(query, key, value, None, 0.0, False, p.masked)[0][0]


class Products:
    """Two batched products with the softmax between them, for `rows` rows at a time, on memory that is taken once."""

    def __init__(self, problem, rows):
        self.problem = p = problem
        self.block = min(rows, p.rows)
        matrices = p.batch * p.kv_heads
        if 2 * matrices * self.block * p.keys * 4 > MOST_BYTES:
            raise Unsupported("its scores do not fit")
        self.name = "bmm, softmax, bmm; " + ("all rows" if self.block == p.rows else f"{self.block} rows") + " at a time"
        self.scores = torch.empty(matrices * self.block * p.keys)
        self.weights = torch.empty(matrices * self.block * p.keys)
        self.spans = []
        for first in range(0, p.rows, self.block):
            end = min(first + self.block, p.rows)
            low, high = p.span(first, end)
            self.spans.append((first, end, low, high, p.bias(first, end, low, high) if p.masked else None))

    def __call__(self, turn):
        query, key, value = turn
        matrices = query.shape[0]
        output = torch.empty(matrices, query.shape[1], value.shape[2])
        for first, end, low, high, bias in self.spans:
            shape = matrices, end - first, high - low
            size = math.prod(shape)
            scores, weights = self.scores[:size].view(shape), self.weights[:size].view(shape)
            torch.baddbmm(scores if bias is None else bias, query[:, first:end], key[:, low:high].transpose(1, 2),
                          beta=0 if bias is None else 1, alpha=self.problem.scale, out=scores)
            torch.softmax(scores, -1, out=weights)
            if first == 0 and end == query.shape[1]:
                torch.bmm(weights, value[:, low:high], out=output)
            else:
                output[:, first:end] = torch.bmm(weights, value[:, low:high])
        return output


class MultiHeadProblem:
    """X [batch, n, width] and the projections of all heads side by side, as the library keeps them: [outputs, inputs]."""

    def __init__(self, how):
        shape = how["shape"]
        self.batch, self.n, self.width = shape.get("batch", 1), shape["n"], shape["width"]
        self.heads, self.dim = shape["key_heads"], shape["dim"]
        self.causal = bool(shape.get("causal", 0))
        if shape.get("group", 1) != 1:
            raise Unsupported("grouped heads")
        if self.heads * self.dim != self.width:
            raise Unsupported("heads · dim ≠ width")

        def load(name):
            return torch.from_numpy(numpy.load(os.path.join(how["folder"], f"{name}.npy"), allow_pickle=False))

        def side_by_side(name):  # [heads, width, dim] to [heads · dim, width]
            return load(name).transpose(1, 2).reshape(self.width, self.width)

        self.inward = torch.cat([side_by_side(name) for name in ("W_Q", "W_K", "W_V")]).contiguous()
        self.outward = load("W_O").reshape(self.width, self.width).t().contiguous()
        self.no_bias = torch.zeros(3 * self.width)
        self.mask = torch.ones(self.n, self.n, dtype=torch.bool).triu(1) if self.causal else None
        x = load("input").reshape(self.batch, self.n, self.width)
        self.turns = [x] + [x.clone() for _ in range(how["copies"] - 1)]


class MultiHeadFunction:
    """What torch.nn.MultiheadAttention calls."""
    name = "multi_head_attention_forward"

    def __init__(self, problem):
        self.problem = problem

    def __call__(self, x):
        p = self.problem
        x = x.transpose(0, 1)
        return torch.nn.functional.multi_head_attention_forward(
            x, x, x, p.width, p.heads, p.inward, None, None, None, False, 0.0, p.outward, None, training=False,
            need_weights=False, attn_mask=p.mask)[0].transpose(0, 1)


class NativeMultiHead:
    """The fast path of torch.nn.TransformerEncoderLayer."""
    name = "_native_multi_head_attention"

    def __init__(self, problem):
        if problem.causal or not hasattr(torch, "_native_multi_head_attention"):
            raise Unsupported("no such mask or no such function")
        self.problem = problem

    def __call__(self, x):
        p = self.problem
        return torch._native_multi_head_attention(x, x, x, p.width, p.heads, p.inward, p.no_bias, p.outward, p.no_bias[:p.width],
                                                  None, False, False)[0]


class ProjectedProducts:
    """One product inward, scaled_dot_product_attention or two products a head, one product outward."""

    def __init__(self, problem):
        self.problem = problem
        self.function = getattr(torch.nn.functional, "scaled_dot_product_attention", None)
        self.bias = torch.zeros(problem.n, problem.n).masked_fill_(problem.mask, -math.inf) if problem.causal else None
        self.name = "matmul, " + ("scaled_dot_product_attention" if self.function else "baddbmm, softmax, bmm") + ", matmul"

    def __call__(self, x):
        p = self.problem
        split = torch.matmul(x, p.inward.t()).view(p.batch, p.n, 3, p.heads, p.dim).permute(2, 0, 3, 1, 4)
        query, key, value = (part.reshape(p.batch * p.heads, p.n, p.dim) for part in split)
        if self.function:
            heads = self.function(query[None], key[None], value[None], is_causal=p.causal)[0]
        else:
            bias = torch.zeros(1) if self.bias is None else self.bias
            scores = torch.baddbmm(bias, query, key.transpose(1, 2), beta=0 if self.bias is None else 1, alpha=1 / math.sqrt(p.dim))
            heads = torch.bmm(torch.softmax(scores, -1), value)
        together = heads.view(p.batch, p.heads, p.n, p.dim).transpose(1, 2).reshape(p.batch, p.n, p.width)
        return torch.matmul(together, p.outward.t())


class AdditiveProblem:
    """Queries, keys and values as matrices, W, U and v."""

    def __init__(self, how):
        def load(name):
            return torch.from_numpy(numpy.load(os.path.join(how["folder"], f"{name}.npy"), allow_pickle=False))

        tensors = [load(name) for name in ("query", "key", "value", "W", "U", "v")]
        self.queries, self.keys, self.hidden = tensors[0].shape[0], tensors[1].shape[0], tensors[5].shape[0]
        self.turns = [tensors] + [[x.clone() for x in tensors] for _ in range(how["copies"] - 1)]


class Additive:
    """There is no such operator: tanh of all sums, as many query rows at a time as take so many bytes."""

    def __init__(self, problem, most_bytes):
        row = problem.keys * problem.hidden * 4
        self.block = max(1, min(problem.queries, int(most_bytes // row)))
        if row > MOST_BYTES:
            raise Unsupported("the sums of one query do not fit")
        self.sums = torch.empty(self.block, problem.keys, problem.hidden)
        self.name = f"add, tanh, matmul, softmax, matmul; {self.block} rows at a time"

    def __call__(self, turn):
        query, key, value, w, u, v = turn
        projected_query, projected_key = torch.matmul(query, w.t()), torch.matmul(key, u.t())
        output = torch.empty(query.shape[0], value.shape[1])
        for first in range(0, query.shape[0], self.block):
            rows = projected_query[first:first + self.block]
            sums = torch.add(rows[:, None], projected_key[None], out=self.sums[:rows.shape[0]])
            scores = torch.matmul(sums.tanh_(), v)
            torch.matmul(torch.softmax(scores, -1), value, out=output[first:first + self.block])
        return output


class ConvolutionProblem:
    """Images [batch, channels, height, width], weights and biases; border and taps as the mechanism has them."""

    def __init__(self, how):
        shape = how["shape"]

        def load(name):
            return torch.from_numpy(numpy.load(os.path.join(how["folder"], f"{name}.npy"), allow_pickle=False))

        self.dilation = shape["dilation"]
        self.padding = self.dilation * (shape["kernel"] // 2)
        self.weight, self.bias = load("weight"), load("bias")
        image = load("input")
        self.turns = [image] + [image.clone() for _ in range(how["copies"] - 1)]


class Convolution:
    """conv2d on images that lie as `layout` turns them, before any time is taken."""

    def __init__(self, problem, name, layout, weight_layout):
        self.problem = p = problem
        self.turns = {id(image): layout(image) for image in p.turns}
        self.weight, self.bias = weight_layout(p.weight), p.bias.to_mkldnn() if self.turns[id(p.turns[0])].is_mkldnn else p.bias
        select = getattr(torch._C, "_select_conv_backend", None)
        sides = [[1, 1], [p.padding] * 2, [p.dilation] * 2, False, [0, 0], 1]
        backend = str(select(self.turns[id(p.turns[0])], self.weight, self.bias, *sides)).rpartition(".")[2] if select else "unknown"
        self.name = f"conv2d, {name}, backend {backend}"

    def __call__(self, image):
        p = self.problem
        return torch.nn.functional.conv2d(self.turns[id(image)], self.weight, self.bias, padding=p.padding, dilation=p.dilation)


def convolution_ways(problem):
    """A maker for each layout."""
    def last(tensor):
        return tensor.contiguous(memory_format=torch.channels_last)

    def turned(weight):
        p = problem
        return torch._C._nn.mkldnn_reorder_conv2d_weight(weight.to_mkldnn(), [p.padding] * 2, [1, 1], [p.dilation] * 2, 1)

    ways = [("contiguous", torch.Tensor.contiguous, torch.Tensor.contiguous), ("channels_last", last, last)]
    if torch.backends.mkldnn.is_available():
        ways.append(("oneDNN's layout, weights turned beforehand", torch.Tensor.to_mkldnn, turned))
    return [lambda p, way=way: Convolution(p, *way) for way in ways]


def seconds_of(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def choose(problem):
    """The way with the shortest run."""
    ways = []
    if isinstance(problem, MultiHeadProblem):
        makers = (MultiHeadFunction, NativeMultiHead, ProjectedProducts)
    elif isinstance(problem, ConvolutionProblem):
        makers = convolution_ways(problem)
    elif isinstance(problem, AdditiveProblem):
        makers = tuple(lambda p, size=size: Additive(p, size) for size in (MOST_BYTES / 2, 1e8, 4e6))
    else:
        makers = (Function, *(lambda p, rows=rows: Products(p, rows) for rows in (problem.rows, 512, 256, 128)))
    for make in makers:
        try:
            ways.append(make(problem))
        except Unsupported as reason:
            last = reason
    if not ways:
        raise last
    best = [math.inf] * len(ways)
    for attempt, (place, way) in itertools.product(range(3), enumerate(ways)):
        seconds = seconds_of(lambda: way(problem.turns[0]))[0]
        if attempt:
            best[place] = min(best[place], seconds)
    return ways[best.index(min(best))]


def blas():
    """The matrix library that is loaded."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        text = maps.read()
    return next((name for name, sign in (("OpenBLAS", "openblas"), ("MKL", "libmkl"), ("reference BLAS", "libblas")) if sign in text),
                "an unknown BLAS")


PROBLEMS = {"dot_product": Problem, "multi_head": MultiHeadProblem, "additive": AdditiveProblem,
            "convolution": ConvolutionProblem}


class Server:
    def __init__(self):
        self.problem = self.way = self.output = None
        self.turn = 0

    def answer(self, question):
        if "open" in question:
            return self.open(question["open"])
        if "run" in question:
            return {"seconds": [self.run() for _ in range(question["run"])]}
        if "answer" in question:
            # By an open file: numpy would put its own ending to a name.
            with open(question["answer"], "wb") as file:
                output = self.output.to_dense() if self.output.is_mkldnn else self.output
                numpy.save(file, output.contiguous().numpy())
            return {"answer": question["answer"]}
        if "finish" in question:
            return {"operator_seconds": []}
        raise ValueError("an unknown question")

    def open(self, how):
        torch.set_num_threads(how["threads"])
        try:
            mechanism = how.get("mechanism", "dot_product")
            if mechanism not in PROBLEMS:
                raise Unsupported(f"not {mechanism}")
            self.problem = PROBLEMS[mechanism](how)
            self.way = choose(self.problem)
        except Unsupported as reason:
            return {"unsupported": str(reason)}
        return {"ready": True, "version": f"PyTorch {torch.__version__}", "kernel": f"{self.way.name} ({blas()})",
                "threads": torch.get_num_threads(), "copies": len(self.problem.turns)}

    def run(self):
        turn = self.problem.turns[self.turn % len(self.problem.turns)]
        self.turn += 1
        self.output = None  # what the last run took may be used again
        seconds, self.output = seconds_of(lambda: self.way(turn))
        return seconds


def say(answer):
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def main():
    server = Server()
    for line in sys.stdin:
        try:
            with torch.inference_mode():
                say(server.answer(json.loads(line)))
        except Exception as error:  # whatever it is, it is told in one line
            say({"fault": f"{type(error).__name__}: {error}".split("\n")[0]})


try:
    import numpy
    import torch
except ImportError as error:
    sys.stdin.readline()
    say({"unsupported": f"{error}; ./course setup --peers"})
    sys.exit()
main()
