#!/usr/bin/env python3
"""Fills the measured blocks of lessons and README from the result files: no measured number is typed.

A block stands between two comments, each on a line of its own:

    <!-- measured: ladder 8x2048x64 -->
    ...
    <!-- end -->

Names: `ladder PROBLEM`, `scaling SWEEP`, `accuracy`, `high_dimension`, `figure NAME`.

--write   replaces the blocks in the tracked files; takes full results on real data only
--render  writes copies with this machine's figures under the results folder
--check   only looks whether every block is closed and known
"""
import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from attention_plots.results import Chapter, Missing, description  # noqa: E402
from attention_plots.tables import amount, crossover_table, fit_table, ladder_table, seconds, table  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
OPEN = re.compile(r"^<!-- measured: (.+?) -->$")
CLOSE = "<!-- end -->"


class Fault(Exception):
    """A mistake of the user or in a file: one line."""


def blocks(text, name):
    """The blocks of `text` as (first line, last line, block name); lines count from 0 and hold the two comments."""
    found, start = [], None
    for number, line in enumerate(text.split("\n")):
        opened = OPEN.match(line.strip())
        if opened:
            if start is not None:
                raise Fault(f"{name}:{number + 1}: a measured block begins inside another")
            start = (number, opened.group(1))
        elif line.strip() == CLOSE:
            if start is None:
                raise Fault(f"{name}:{number + 1}: '{CLOSE}' without a measured block")
            found.append((start[0], number, start[1]))
            start = None
        elif line.strip().startswith("<!-- measured"):
            raise Fault(f"{name}:{number + 1}: write <!-- measured: NAME -->")
    if start is not None:
        raise Fault(f"{name}:{start[0] + 1}: the measured block '{start[1]}' is not closed")
    return found


def _accuracy(chapter):
    document = chapter.read("accuracy")
    rows = [[r["features"], f"{r['scale']:.3g}", {"held_back": "held-back", "test": "test"}[r["set"]],
             f"{100 * r['accuracy']:.2f} %", f"{r['perplexity']:.1f}"] for r in document["rows"]]
    return document, table(["images as", "scale", "queries", "accuracy", "perplexity"], rows)


def _high_dimension(chapter):
    document = chapter.read("high_dimension")
    rows = [[str(r["dim"]), "1/√dim" if r["scaled"] else "1", f"{r['score_variance']:.3g}", f"{r['entropy']:.2f}",
             f"{r['gradient_norm']:.2g}", f"{100 * r['broken_rows_without_max']:.0f} %",
             f"{100 * r['broken_rows_with_max']:.0f} %"] for r in document["rows"]]
    return document, table(["dim", "scale", "variance of scores", "entropy", "gradient norm",
                            "rows lost without max-subtraction", "with it"], rows)


def _figure(chapter, name):
    document = chapter.read("summary")
    for figure in document["figures"]:
        if figure["name"] == name:
            value, unit = figure["value"], figure["unit"]
            shown = {"B": amount, "s": seconds}.get(unit, lambda v: f"{100 * v:.2f} %" if 1e-3 <= v <= 1 else f"{v:.2g}")(value)
            return document, f"**{shown}**: {figure['meaning']}."
    raise Fault(f"summary.json of {chapter.name} has no figure {name}")


def _sweep(chapter, name):
    sweep = chapter.sweeps().get(name)
    if sweep is None:
        raise Fault(f"scaling.json of {chapter.name} has no sweep {name}")
    return sweep, fit_table(sweep) + ("" if name == "threads" else "\n\n" + crossover_table(sweep))


def _ladder(chapter, name):
    problem = chapter.problem(name)
    return problem, ladder_table(problem)


KINDS = {"ladder": _ladder, "scaling": _sweep, "figure": _figure, "accuracy": _accuracy, "high_dimension": _high_dimension}


def check_name(name, where):
    """The kind and the arguments of a block's name. Raises Fault on an unknown one."""
    kind, *rest = name.split()
    if kind not in KINDS or len(rest) != (0 if kind in ("accuracy", "high_dimension") else 1):
        raise Fault(f"{where}: there is no measured block '{name}'")
    return kind, rest


def content(name, chapter, where, strict):
    """The lines of one block."""
    kind, rest = check_name(name, where)
    try:
        document, text = KINDS[kind](chapter, *rest)
    except (Missing, Fault) as reason:
        if strict:
            raise
        return f"*Not measured here yet: {reason}.*"
    about = description(document)
    if strict and (about["mode"] != "full" or about["data"] != "real"):
        raise Fault(f"{where}: the results of {chapter.name} are of a {about['mode']} run on {about['data']} data; "
                    "--write takes full runs on real data only")
    machine = about["machine"]
    source = f"Measured on {machine['cpu']}, {machine['cpus_available']} cores, {machine['compiler']}, {machine['date'][:10]}"
    if about["mode"] == "quick":
        source += ", in a quick run"
    if about["data"] == "stand_in":
        source += ", on generated stand-in data"
    return f"{text}\n\n*{source}.*"


def fill(text, where, chapter_of, strict):
    """The text with every block's content replaced."""
    lines = text.split("\n")
    for first, last, name in reversed(blocks(text, where)):
        lines[first + 1:last] = ["", *content(name, chapter_of(name), where, strict).split("\n"), ""]
    return "\n".join(lines)


def move_links(text, old, new):
    """Relative links of a page in folder `old`, for its copy in folder `new`."""
    def moved(match):
        target = match.group(2)
        if re.match(r"[a-z]+:|#|/", target):
            return match.group(0)
        return f"{match.group(1)}({os.path.relpath(old / target, new)})"
    return re.sub(r"(\[[^\]]*\])\(([^)\s]+)\)", moved, text)


def write(path, text):
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.tmp.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def documents():
    """The lessons with their chapter, and the README, whose blocks are looked for in every chapter."""
    lessons = sorted(ROOT.glob("chapters/[0-9][0-9]_*/README.md"))
    names = [lesson.parent.name for lesson in lessons]
    yield from ((lesson, [lesson.parent.name]) for lesson in lessons)
    yield ROOT / "README.md", names


def finder(chapters, results, mode):
    """Gives for a block's name the first of the chapters that has it."""
    def find(name):
        kind, *rest = name.split()
        for chapter in (Chapter(c, results, mode) for c in chapters):
            try:
                KINDS[kind](chapter, *rest)
                return chapter
            except (Missing, Fault, KeyError):
                continue
        return Chapter(chapters[0], results, mode)
    return find


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default=str(ROOT / "results"))
    action = parser.add_mutually_exclusive_group(required=True)
    for name in ("write", "render", "check"):
        action.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()

    faults = 0
    for path, chapters in documents():
        where = str(path.relative_to(ROOT))
        text = path.read_text(encoding="utf-8")
        try:
            if options.check:
                for first, _, name in blocks(text, where):
                    check_name(name, f"{where}:{first + 1}")
                continue
            results = Path(options.results)
            mode = "full" if options.write else os.environ.get("ATTENTION_MODE", "full")
            filled = fill(text, where, finder(chapters, results, mode), options.write)
            if options.write:
                write(path, filled)
            else:
                copy = results / path.parent.relative_to(ROOT).name / "README.md"
                write(copy, move_links(filled, path.parent, copy.parent))
        except (Fault, Missing) as fault:
            print(f"course: {fault}", file=sys.stderr)
            faults += 1
            if options.write:
                return 2
    if faults:
        return 1 if options.check else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
