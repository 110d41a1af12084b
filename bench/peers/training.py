#!/usr/bin/env python3
"""How long an epoch of chapter 6's plain network takes, here and in PyTorch: the same layers, batch, augmentation and optimiser.

Both are measured in processes of their own, in turns, pinned to the same CPUs; the median of the rounds counts. PyTorch is given the layout
of memory that is faster for it, found by a short trial. Exit status: 0 fine; 2 something is missing, one line says what.
"""
import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import time

BATCH, MOVED, SMOOTHING, GROUP, WIDTHS = 128, 1, 0.05, 8, (32, 64, 96)
WARM_UP = 3


def stop(line):
    print(f"course: {line}", file=sys.stderr)
    sys.exit(2)


def pictures_and_labels(data):
    """The training pictures [n, 28, 28], 0 to 1, and their classes."""
    import numpy

    def load(name, offset):
        for path, opened in ((f"{name}.gz", gzip.open), (name, open)):
            path = os.path.join(data, "fashion-mnist", path)
            if os.path.exists(path):
                with opened(path, "rb") as file:
                    return numpy.frombuffer(file.read(), numpy.uint8, offset=offset)
        stop(f"there is no Fashion-MNIST in {data}; ./course data fetches it")

    pictures = load("train-images-idx3-ubyte", 16).reshape(-1, 28, 28)
    return pictures[:55000].astype("float32") / 255, load("train-labels-idx1-ubyte", 8)[:55000].astype("int64")


def network(torch):
    """The network of chapters/06_convolutional_attention/residual_network.hpp."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, channels, width):
            super().__init__()
            self.branch = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.GroupNorm(width // GROUP, width), nn.ReLU(),
                                        nn.Conv2d(width, width, 3, padding=1, bias=False), nn.GroupNorm(width // GROUP, width))
            self.shortcut = nn.Identity() if channels == width else nn.Conv2d(channels, width, 1, bias=False)

        def forward(self, x):
            return torch.relu(self.branch(x) + self.shortcut(x))

    layers = [nn.Conv2d(1, WIDTHS[0], 3, padding=1, bias=False), nn.MaxPool2d(2), nn.GroupNorm(WIDTHS[0] // GROUP, WIDTHS[0]), nn.ReLU()]
    for before, width in zip((WIDTHS[0], *WIDTHS), WIDTHS):
        layers += ([nn.MaxPool2d(2)] if len(layers) > 4 else []) + [Block(before, width)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], 10))


def moved(torch, batch):
    """Each picture shifted by at most MOVED pixels, mirrored or not."""
    n, side = batch.shape[0], batch.shape[-1]
    padded = torch.nn.functional.pad(batch, (MOVED,) * 4)
    down, right = torch.randint(0, 2 * MOVED + 1, (2, n))
    rows = torch.arange(side)[None] + down[:, None]
    columns = torch.arange(side)[None] + right[:, None]
    columns = torch.where((torch.rand(n) < 0.5)[:, None], columns.flip(1), columns)
    return padded[torch.arange(n)[:, None, None], 0, rows[:, :, None], columns[:, None, :]][:, None]


def worker(options):
    """Seconds of a step in PyTorch, the faster of both layouts, as one line of JSON."""
    import torch

    torch.set_num_threads(options.threads)
    pictures, labels = pictures_and_labels(options.data)
    pictures, labels = torch.from_numpy(pictures)[:, None], torch.from_numpy(labels)
    best = None
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(1)
        model = network(torch).to(memory_format=layout)
        optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.02)
        order = torch.randperm(len(pictures))
        began = 0
        for step in range(WARM_UP + options.steps):
            if step == WARM_UP:
                began = time.perf_counter()
            chosen = order[step * BATCH:(step + 1) * BATCH]
            batch = moved(torch, pictures[chosen]).contiguous(memory_format=layout)
            loss = torch.nn.functional.cross_entropy(model(batch), labels[chosen], label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimiser.step()
        seconds = (time.perf_counter() - began) / options.steps
        if best is None or seconds < best["seconds_a_step"]:
            best = {"seconds_a_step": seconds, "layout": str(layout).split(".")[-1], "version": torch.__version__,
                    "weights": sum(p.numel() for p in model.parameters())}
    print(json.dumps(best))


def run(command, cpus):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "OPENBLAS_"))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    if done.returncode != 0:
        stop((done.stderr.strip().splitlines() or ["a measurement failed"])[-1].removeprefix("course: "))
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--threads", default="1")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        options.threads = int(options.threads)
        return worker(options)
    try:
        import torch  # noqa: F401
    except ImportError:
        stop("PyTorch is not there; ./course setup --peers installs it")
    cpus = sorted(os.sched_getaffinity(0))
    for threads in map(int, options.threads.split(",")):
        if not 1 <= threads <= len(cpus):
            stop(f"--threads {threads}: this machine has {len(cpus)} processors for us")
        ours, theirs, about = [], [], {}
        common = ["--data", options.data, "--threads", str(threads)]
        for _ in range(options.rounds):
            ours.append(run([options.program, *common, "--time-training", str(options.steps)], cpus[:threads])["seconds_a_step"])
            about = run([sys.executable, __file__, "--worker", "--program", "-", *common, "--steps", str(options.steps)], cpus[:threads])
            theirs.append(about["seconds_a_step"])
        epoch = 55000 / BATCH
        ratio = statistics.median(b / a for a, b in zip(ours, theirs))
        print(f"{threads} thread{'s' if threads > 1 else ''}: an epoch takes {epoch * statistics.median(ours):.1f} s here, {epoch * statistics.median(theirs):.1f} s in PyTorch "
              f"{about['version']} ({about['layout']}, {about['weights']} weights): {ratio:.2f} times as long; "
              f"rounds {', '.join(f'{b / a:.2f}' for a, b in zip(ours, theirs))}")


if __name__ == "__main__":
    main()
