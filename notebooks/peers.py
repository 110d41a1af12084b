#!/usr/bin/env python3
"""What `./course bench dot_product --peers --json FILE` has measured, as one table over all shapes and a figure for each.

Exit status: 0 fine; 2 the file cannot be used, one line says why.
"""
import argparse
import itertools
import json
import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import matplotlib.pyplot as plt  # noqa: E402
from attention_plots.peers import beside_peers, comparisons, peer_table  # noqa: E402
from attention_plots.results import Missing  # noqa: E402


def read(file):
    """The document that a benchmark has written. Raises Missing."""
    try:
        document = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise Missing(f"{file}: {error.strerror}") from None
    except ValueError:
        raise Missing(f"{file} is no JSON, or cut short: measure again") from None
    if not isinstance(document, dict) or document.get("schema") != 1 or not isinstance(document.get("results"), list):
        raise Missing(f"{file} was not written by ./course bench --json")
    return document


def put(where, text):
    """To standard output, or to a file: whole or not at all."""
    if where == "-":
        print(text)
        return
    file = Path(where)
    temporary = file.with_name(f".{file.name}.tmp.{os.getpid()}")
    try:
        temporary.write_text(text + "\n", encoding="utf-8")
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def draw(document, found, folder):
    """peers_SHAPE.svg and .png for each shape."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, entries in itertools.groupby(found, key=lambda entry: entry["name"]):
        figure = beside_peers(document, [entry for entry in entries if entry["ours"] or entry["peers"]])
        stem = re.sub("[^a-z0-9_]+", "_", name.replace("×", "x").lower())
        box = figure.get_tightbbox().padded(0.1)
        for kind in ("svg", "png"):
            temporary = folder / f".peers.tmp.{os.getpid()}.{kind}"
            figure.savefig(temporary, bbox_inches=box)
            os.replace(temporary, folder / f"peers_{stem}.{kind}")
        plt.close(figure)


def main():
    parser = argparse.ArgumentParser(prog="course peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", metavar="FILE.json")
    parser.add_argument("--markdown", metavar="FILE|-", help="the table; standard output where nothing else is asked for")
    parser.add_argument("--json", metavar="FILE|-", help="the same as JSON")
    parser.add_argument("--figures", metavar="DIR", help="a figure for each shape, as SVG and PNG")
    options = parser.parse_args()
    try:
        document = read(options.file)
        found = comparisons(document)
        if options.json:
            put(options.json, json.dumps({"schema": 1, "machine": document.get("machine"), "comparisons": found}, indent=1, ensure_ascii=False))
        if options.figures:
            draw(document, found, options.figures)
        if options.markdown or not (options.json or options.figures):
            put(options.markdown or "-", peer_table(found))
    except Missing as reason:
        print(f"course: {reason}", file=sys.stderr)
        return 2
    except (KeyError, TypeError, AttributeError) as error:
        print(f"course: {options.file} lacks {error}: measure again", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"course: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
