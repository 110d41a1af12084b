"""All ladders beside each other, on one scale."""
import math

import matplotlib.pyplot as plt
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter

from .results import Missing, rows_run
from .style import LIBRARY, ROOF, RUNG, foot

_COLUMNS = 4


def one_thread(problem):
    """The rungs of a problem, each with the fewest threads that it was run with."""
    fewest = {}
    for row in rows_run(problem):
        if row["threads"] < fewest.get(row["rung"], {"threads": math.inf})["threads"]:
            fewest[row["rung"]] = row
    return list(fewest.values())


def _panel(axes, problem, floor):
    rows = one_thread(problem)
    for place, row in enumerate(rows):
        share = max(row["roof_share"], floor)
        axes.bar(place, share - floor, bottom=floor, width=0.78, color=LIBRARY if row["beside"] else RUNG, edgecolor="black",
                 linewidth=0.6, hatch="//" if row["status"] == "sampled" else None)
        axes.annotate(f"{100 * row['roof_share']:.{2 if row['roof_share'] < 0.995 else 3}g}", (place, share), xytext=(0, 2), textcoords="offset points",
                      ha="center", va="bottom", fontsize=7.5, path_effects=[withStroke(linewidth=2.5, foreground="white")],
                      zorder=5)
    axes.axhline(1, color=ROOF, linewidth=2)
    axes.set_xticks(range(len(rows)), [row["rung"] for row in rows], rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
    axes.grid(axis="x", visible=False)
    axes.set_title(f"{problem['mechanism_title']}\n{problem['name']}, roof: {rows[-1]['roof_kind']}", fontsize=9)


def side_by_side(problems):
    """A panel for each problem, all with one logarithmic scale: the share of its roof that each rung reaches on one thread.
    Numbers are per cent. A library's way is grey, a sampled time hatched. Raises Missing where nothing was run."""
    problems = [problem for problem in problems if rows_run(problem)]
    if not problems:
        raise Missing("no ladder has been climbed")
    columns = min(_COLUMNS, len(problems))
    lines = -(-len(problems) // columns)
    figure, panels = plt.subplots(lines, columns, figsize=(3.3 * columns, 3.1 * lines + 0.6), squeeze=False, sharey=True)
    lowest = min(row["roof_share"] for problem in problems for row in one_thread(problem))
    floor = 10 ** math.floor(math.log10(lowest))
    for axes, problem in zip(panels.flat, problems):
        _panel(axes, problem, floor)
    panels[0, 0].set_yscale("log")
    highest = max(row["roof_share"] for problem in problems for row in one_thread(problem))
    panels[0, 0].set_ylim(floor, max(2, 1.3 * highest))
    panels[0, 0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g} %"))
    for axes in panels[:, 0]:
        axes.set_ylabel("share of the roof")
    for axes in panels.flat[len(problems):]:
        axes.set_visible(False)
    figure.suptitle("Every ladder from its formula to the machine: the share of the measured roof (line at 100 %), one thread",
                    x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    foot(figure, problems[0])
    return figure
