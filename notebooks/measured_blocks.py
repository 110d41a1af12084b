#!/usr/bin/env python3
"""Fills the measured blocks of lessons and README from the result files: no measured number is typed.

A block stands between two comments, each on a line of its own:

    <!-- measured: ladder 8x2048x64 -->
    ...
    <!-- end -->

Names: ladder PROBLEM [MECHANISM], scaling SWEEP [MECHANISM], figure NAME, rows FILE, accuracy, high_dimension. PROBLEM, SWEEP
and NAME are those of the chapter's ladder.json, scaling.json and summary.json; MECHANISM is needed where a chapter has
several. `rows FILE` is any result FILE.json that holds {"rows": [{heading: value, ...}, ...]}.

--write   replaces the blocks in the tracked files, all or none; takes full results on real data only
--render  writes copies with this machine's figures under the results folder; a full run's where there is one
--check   only looks whether every block is closed and known

Exit status: 0 fine; 1 --check found faults; 2 something to put right first. Each fault is one line.
"""
import argparse
import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from attention_plots.files import write  # noqa: E402
from attention_plots.results import Chapter, Missing, description, origin  # noqa: E402
from attention_plots.tables import ladder_table, number, quantity, row_table, sweep_tables, table  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
OPEN = re.compile(r"^ {0,3}<!-- measured: (\S.*?) -->\s*$")
CLOSE = re.compile(r"^ {0,3}<!-- end -->\s*$")
BROKEN = re.compile(r"^ {0,3}<!--\s*measured")
FENCE = re.compile(r"^ {0,3}(```|~~~)")


class Fault(Exception):
    """A mistake of the user or in a file: one line."""


def scan(text, where):
    """The blocks of `text` as (first line, last line, name), and its faults as lines of text. Lines count from 0 in the
    former, first and last are the two comments; code between fences holds no blocks."""
    found, faults, start, fenced = [], [], None, False
    for number, line in enumerate(text.split("\n")):
        if FENCE.match(line):
            fenced = not fenced
        # A block's own content has no fences; one that is open would swallow the rest of the page.
        if fenced and start is None:
            continue
        opened = OPEN.match(line)
        if opened or BROKEN.match(line):
            if start is not None:
                faults.append(f"{where}:{start[0] + 1}: the measured block '{start[1]}' is not closed before line {number + 1}")
                start = None
            if opened:
                start = (number, opened.group(1))
            else:
                faults.append(f"{where}:{number + 1}: write <!-- measured: NAME -->")
        elif CLOSE.match(line):
            if start is None:
                faults.append(f"{where}:{number + 1}: '<!-- end -->' without a measured block")
            else:
                found.append((start[0], number, start[1]))
            start = None
    if start is not None:
        faults.append(f"{where}:{start[0] + 1}: the measured block '{start[1]}' is not closed")
    return found, faults


def _ladder(chapter, name, mechanism=None):
    problem = chapter.problem(name, mechanism)
    return problem, ladder_table(problem)


def _scaling(chapter, name, mechanism=None):
    sweep = chapter.sweep(name, mechanism)
    return sweep, sweep_tables(sweep)


def _figure(chapter, name):
    summary = chapter.read("summary")
    for figure in summary["figures"]:
        if figure["name"] == name:
            return summary, f"**{quantity(figure['value'], figure['unit'])}**: {figure['meaning']}."
    raise Missing(f"summary.json of {chapter.name} has no figure {name}")


def _accuracy(chapter):
    document = chapter.read("accuracy")
    # The test set is asked twice for a scale that was also the chosen one.
    rows = dict.fromkeys((r["features"], f"{r['scale']:.3g}", {"held_back": "held-back", "test": "test"}.get(r["set"], r["set"]),
                          f"{100 * r['accuracy']:.2f} %", f"{r['perplexity']:.1f}") for r in document["rows"])
    return document, table(["images as", "scale", "queries", "accuracy", "perplexity"], rows)


def _high_dimension(chapter):
    document = chapter.read("high_dimension")
    rows = [[str(r["dim"]), "1/√dim" if r["scaled"] else "1", number(r["score_variance"]), f"{r['entropy']:.2f}",
             f"{r['largest_weight']:.2f}", f"{r['gradient_norm']:.2g}", f"{100 * r['broken_rows_without_max']:.0f} %",
             f"{100 * r['broken_rows_with_max']:.0f} %"] for r in document["rows"]]
    return document, table(["dim", "scale", "variance of scores", "entropy", "largest weight", "gradient norm",
                            "rows broken without max", "with"], rows)


def _rows(chapter, name):
    document = chapter.read(name)
    return document, row_table(document["rows"])


# Each kind of block with the least and the largest number of its arguments.
KINDS = {"ladder": (_ladder, 1, 2), "scaling": (_scaling, 1, 2), "figure": (_figure, 1, 1), "rows": (_rows, 1, 1),
         "accuracy": (_accuracy, 0, 0), "high_dimension": (_high_dimension, 0, 0)}


def known(name):
    """Whether a block may have this name."""
    kind, *rest = name.split()
    return kind in KINDS and KINDS[kind][1] <= len(rest) <= KINDS[kind][2]


def measure(name, chapter):
    """The document that a block's figures come from, and its Markdown. Raises Missing where there are no such results."""
    kind, *rest = name.split()
    try:
        return KINDS[kind][0](chapter, *rest)
    except (KeyError, TypeError, AttributeError) as error:
        raise Missing(f"the results of {chapter.name} have no field {error} for '{name}': measure again") from None


def source(document, chapter):
    """The line below a block: where its figures were measured."""
    return ", ".join(origin(document))


def content(name, chapter, where, strict, source_of=source):
    """The Markdown of one block. `source_of` says where its figures come from. `strict` takes full results on real data only and raises Fault for others; else a block
    without results says so."""
    if not known(name):
        raise Fault(f"{where}: there is no measured block '{name}'")
    try:
        document, text = measure(name, chapter)
    except Missing as reason:
        if strict:
            raise Fault(f"{where}: {reason}") from None
        return f"*Not measured here yet. {reason}.*"
    about = description(document)
    if strict and (about["mode"], about["data"]) != ("full", "real"):
        raise Fault(f"{where}: the results of {chapter.name} are of a {about['mode']} run on {about['data']} data; "
                    "--write takes full runs on real data only")
    measured = f"Measured on {source_of(document, chapter)}"
    if about["mode"] == "quick":
        measured += ", in a quick run"
    if about["data"] == "stand_in":
        measured += ", on generated stand-in data"
    return f"{text}\n\n*{measured}.*"


def fill(text, where, chapter_of, strict, source_of=source):
    """The text with every block's content replaced; `chapter_of` gives the results for a block's name."""
    found, faults = scan(text, where)
    faults += [f"{where}:{first + 1}: there is no measured block '{name}'" for first, _, name in found if not known(name)]
    if faults:
        raise Fault("\n".join(faults))
    lines = text.split("\n")
    for first, last, name in reversed(found):
        at = f"{where}:{first + 1}"
        lines[first + 1:last] = ["", *content(name, chapter_of(name), at, strict, source_of).split("\n"), ""]
    return "\n".join(lines)


def change_links(text, change):
    """The text with change(target) for the target of each link and picture, or with the old one where that is None; code
    stays as it is."""
    def changed(match):
        target = change(match.group(2))
        return match.group(0) if target is None else f"{match.group(1)}({target})"

    lines, fenced = [], False
    for line in text.split("\n"):
        fenced ^= bool(FENCE.match(line))
        if not fenced:
            pieces = re.split(r"(`[^`]*`)", line)
            pieces[::2] = [re.sub(r"(\])\(([^)\s]+)\)", changed, piece) for piece in pieces[::2]]
            line = "".join(pieces)
        lines.append(line)
    return "\n".join(lines)


def move_links(text, old, new):
    """Relative links and pictures of a page in folder `old`, for its copy in folder `new`; code stays as it is."""
    return change_links(text, lambda target: None if re.match(r"[a-z]+:|#|/", target) else os.path.relpath(old / target, new))


def documents(root=ROOT):
    """The lessons, each with its chapter, and the README, whose blocks are looked for in every chapter."""
    lessons = sorted(root.glob("chapters/[0-9][0-9]_*/*.md"))
    yield from ((lesson, [lesson.parent.name]) for lesson in lessons)
    yield root / "README.md", sorted({lesson.parent.name for lesson in lessons})


def finder(chapters, results, mode="full"):
    """Gives for a block's name the first of the chapters that has results for it; those of `mode` before others."""
    def find(name):
        candidates = [Chapter(chapter, results, mode) for chapter in chapters]
        for chapter in candidates:
            try:
                measure(name, chapter)
                return chapter
            except Missing:
                continue
        return candidates[0]
    return find


def check(root=ROOT):
    """All faults in the markers of the tracked files, a line each."""
    faults = []
    for path, _ in documents(root):
        where = str(path.relative_to(root))
        found, unclosed = scan(path.read_text(encoding="utf-8"), where)
        faults += unclosed
        faults += [f"{where}:{first + 1}: there is no measured block '{name}'" for first, _, name in found if not known(name)]
    return faults


def update(results, strict, root=ROOT):
    """Fills the tracked files themselves (`strict`) or copies of them under `results`. Raises Fault before anything is
    written."""
    if not results.is_dir():
        raise Fault(f"there is no results folder {results}: ./course run makes one")
    pages = []
    for path, chapters in documents(root):
        text = fill(path.read_text(encoding="utf-8"), str(path.relative_to(root)), finder(chapters, results), strict)
        if strict:
            pages.append((path, text))
        else:
            copy = results.resolve() / path.parent.relative_to(root).name / path.name
            pages.append((copy, move_links(text, path.parent, copy.parent)))
    for path, text in pages:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default=str(ROOT / "results"), metavar="DIR", help="default: results/")
    action = parser.add_mutually_exclusive_group(required=True)
    for name in ("write", "render", "check"):
        action.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    try:
        if options.check:
            faults = check()
            print(*(f"course: {fault}\n" for fault in faults), sep="", end="", file=sys.stderr)
            return 1 if faults else 0
        update(Path(options.results), options.write)
    except Fault as fault:
        print(*(f"course: {line}\n" for line in str(fault).split("\n")), sep="", end="", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"course: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
