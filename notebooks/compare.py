#!/usr/bin/env python3
"""Holds two runs of the benchmarks against each other: B over A for each mechanism, rung, shape and number of threads, with a
95 % interval, and a mark where the difference is no noise.

A and B are what `./course bench --json` or a chapter (ladder.json) has written. Exit status: 0 fine; 1 with --fail-above, a rung
is slower than that; 2 something to put right first, one line says what.
"""
import argparse
import json
import math
import os
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comparison import documents, report  # noqa: E402
from comparison.documents import Refused, printable  # noqa: E402


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(f"{printable(message)}; see ./course compare --help")


def _factor(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 1 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"takes a factor from 1, as 1.05, not '{printable(text, 40)}'")
    return value


def _options():
    parser = _Parser(prog="./course compare", description=__doc__, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", metavar="A.json")
    parser.add_argument("b", metavar="B.json")
    parser.add_argument("--markdown", metavar="FILE|-")
    parser.add_argument("--json", metavar="FILE|-")
    parser.add_argument("--figure", metavar="FILE.png|.svg")
    parser.add_argument("--fail-above", metavar="FACTOR", type=_factor)
    parser.add_argument("--relative-to", metavar="RUNG")
    options = parser.parse_args()
    named = [name for name in (options.markdown, options.json, options.figure) if name is not None]
    if len(set(named)) < len(named):
        where = "standard output" if "-" in named else printable(named[0])
        raise Refused(f"two of --markdown, --json and --figure go to {where}")
    if options.figure is not None and not options.figure.endswith((".png", ".svg")):
        raise Refused(f"--figure takes a name that ends in .png or .svg, not '{printable(options.figure)}'")
    return options


def _write(name, fill):
    """Whole or not at all: `fill` writes to a name beside it, which is then renamed. A device or a pipe is written directly."""
    path = Path(name)
    try:
        if not name:
            raise Refused("the name of a file to write is empty")
        if path.exists() and not path.is_file():
            if path.is_dir():
                raise Refused(f"{printable(name)} is a folder; give the name of a file")
            fill(name)
            return
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.tmp.", suffix=path.suffix)
        try:
            os.close(handle)
            fill(temporary)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except (OSError, ValueError) as error:
        raise Refused(f"cannot write {printable(name)}: {getattr(error, 'strerror', None) or printable(error)}") from None


def _draw(where, document):
    try:
        from attention_plots import comparison  # pylint: disable=import-outside-toplevel
    except ImportError as error:
        raise Refused(f"--figure needs {error.name}, which {sys.executable} lacks; ./course setup installs it") from None
    figure = comparison(document)
    _write(where, lambda name: figure.savefig(name, bbox_inches="tight"))


def _compare(options):
    document = report.compare(documents.read(options.a), documents.read(options.b), options.fail_above, options.relative_to)
    # Standard output last: where a file cannot be written, one line is all that is said.
    if options.figure is not None:
        _draw(options.figure, document)
    texts = {options.markdown: report.markdown(document),
             options.json: json.dumps(document, indent=1, ensure_ascii=False) + "\n"}
    for where, text in texts.items():
        if where not in (None, "-"):
            _write(where, lambda name, text=text: Path(name).write_text(text, encoding="utf-8"))
    sys.stdout.write(texts.get("-") or report.terminal(document))
    sys.stdout.flush()
    failed = report.failures(document)
    if failed:
        print(f"course: {failed}", file=sys.stderr)
    return 1 if failed else 0


def main():
    # A reader that has seen enough (| head) ends this program as it ends others; what asks it to end lets it tidy up first.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return _compare(_options())
    except Refused as reason:
        print(f"course: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
