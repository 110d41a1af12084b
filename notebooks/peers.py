#!/usr/bin/env python3
"""What `./course bench MECHANISM --peers --json FILE` has measured, as one table over all shapes and a figure for each.

Exit status: 0 fine; 2 the file cannot be used, one line says why.
"""
import argparse
import itertools
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from attention_plots.files import exit_status, save_figure, write  # noqa: E402
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
    """To standard output, or to a file."""
    if where == "-":
        print(text)
    else:
        write(where, text + "\n")


def draw(document, found, folder):
    """peers_SHAPE.svg and .png for each shape."""
    for name, entries in itertools.groupby(found, key=lambda entry: entry["name"]):
        figure = beside_peers(document, [entry for entry in entries if entry["ours"] or entry["peers"]])
        stem = re.sub("[^a-z0-9_]+", "_", name.replace("×", "x").lower())
        save_figure(folder, f"peers_{stem}", figure)


def show(options):
    document = read(options.file)
    found = comparisons(document)
    if options.json:
        result = {"schema": 1, "machine": document.get("machine"), "comparisons": found}
        put(options.json, json.dumps(result, indent=1, ensure_ascii=False))
    if options.figures:
        draw(document, found, options.figures)
    if options.markdown or not (options.json or options.figures):
        put(options.markdown or "-", peer_table(found))


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"course: {message}; see ./course peers --help", file=sys.stderr)
        sys.exit(2)


def main():
    parser = _Parser(prog="course peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", metavar="FILE.json")
    parser.add_argument("--markdown", metavar="FILE|-", help="the table; standard output where nothing else is asked for")
    parser.add_argument("--json", metavar="FILE|-", help="the same as JSON")
    parser.add_argument("--figures", metavar="DIR", help="a figure for each shape, as SVG and PNG")
    options = parser.parse_args()
    return exit_status(lambda: show(options), options.file)


if __name__ == "__main__":
    sys.exit(main())
