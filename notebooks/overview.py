#!/usr/bin/env python3
"""Writes the page that shows all ladders side by side: RESULTS/ladders.html and RESULTS/figures/ladders.svg and .png.

One panel and one table for each mechanism that some chapter has climbed, on the shape that stands for it (the one marked
headline in the chapter's ladder.json). Exit status: 0 fine; 2 there is nothing to show, one line says why.
"""
import argparse
import html
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from attention_plots.files import exit_status, save_figure, write  # noqa: E402
from attention_plots.overview import side_by_side  # noqa: E402
from attention_plots.results import Chapter, origin  # noqa: E402
from attention_plots.tables import LADDER_HEADS, ladder_notes, ladder_rows  # noqa: E402

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem }
.wide { overflow-x: auto } img { max-width: 100%; height: auto }
table { border-collapse: collapse; font-size: 14px } th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #ccc }
td:nth-child(n+3) { text-align: right; white-space: nowrap } .small { font-size: 13px; color: #444 }
"""


def chapters(results, mode):
    """The chapters that have results, in order."""
    for folder in sorted(results.glob("[0-9][0-9]_*")):
        chapter = Chapter(folder.name, results, mode)
        if (chapter.folder / "ladder.json").exists():
            yield chapter


def section(chapter, problem, results):
    """One mechanism: title, source, table, and the way to the chapter's own page."""
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n" for row in ladder_rows(problem))
    heads = "".join(f"<th>{html.escape(head)}</th>" for head in LADDER_HEADS)
    notes = "".join(f"<p class=small>{html.escape(note)}</p>" for note in ladder_notes(problem))
    links = [(chapter.folder / f"{chapter.name}.html", "figures"), (results / chapter.name / "README.md", "lesson")]
    ways = " · ".join(f'<a href="{html.escape(os.path.relpath(file, results))}">{text}</a>' for file, text in links if file.exists())
    kind = [word for word, here in (("a quick run", problem["mode"] == "quick"),
                                    ("generated stand-in data", problem["data"] == "stand_in")) if here]
    source = ", ".join(origin(problem) + kind)
    return (f"<h2 id={problem['mechanism']}>{html.escape(problem['mechanism_title'])}</h2>\n"
            f"<p>Chapter {int(chapter.name[:2])}. {html.escape(problem['citation'])}. Shape {html.escape(problem['name'])}: "
            f"<code>{html.escape(problem['shape'])}</code>. {ways}</p>\n"
            f"<div class=wide><table><tr>{heads}</tr>\n{cells}</table></div>\n{notes}"
            f"<p class=small>Measured on {html.escape(source)}.</p>\n")


def build(results, mode):
    """Makes the page. Raises Missing where no chapter has a ladder."""
    found = [(chapter, problem) for chapter in chapters(results, mode) for problem in chapter.headlines()]
    figure = side_by_side([problem for _, problem in found])
    save_figure(results / "figures", "ladders", figure)
    contents = "".join(f'<li><a href="#{problem["mechanism"]}">{html.escape(problem["mechanism_title"])}</a></li>\n' for _, problem in found)
    sections = "\n".join(section(chapter, problem, results) for chapter, problem in found)
    write(results / "ladders.html", f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>All ladders side by side</title><style>{STYLE}</style></head><body>
<h1>All ladders side by side</h1>
<p>Each panel is one mechanism, each bar one rung: one technique more than the bar before it. The height is the share of the
roof that the rung reaches on one thread; the roof is what this machine can do at most, measured in the same run. The scale is
logarithmic: each line is a factor of ten. Grey is a library; a hatched bar was timed on a sample of the rows.</p>
<p><img src="figures/ladders.svg" alt="Share of the roof for every rung of every ladder; the tables below hold the numbers"></p>
<ul>
{contents}</ul>
{sections}</body></html>
""")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", required=True, metavar="DIR")
    parser.add_argument("--mode", choices=("full", "quick"), default=os.environ.get("ATTENTION_MODE") or "full")
    options = parser.parse_args()
    return exit_status(lambda: build(Path(options.results), options.mode))


if __name__ == "__main__":
    sys.exit(main())
