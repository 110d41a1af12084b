"""Lines over one variable, a panel for each quantity."""
import math

import matplotlib.pyplot as plt
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from .style import foot, line


def panel(key, label, title="", factor=1, log=False, reference=None, limits=None):
    """One quantity of curves(): the rows' field, the axis' label with its unit, what to see, a factor into that unit, and
    a `reference` (height, words) to draw as a level line. `limits` are the axis' ends, where the data's own would make
    much of small differences."""
    return {"key": key, "label": label, "title": title, "factor": factor, "log": log, "reference": reference, "limits": limits}


def _log_ticks(axes, values):
    axes.set_yscale("log")
    if max(values) < 100 * min(values):
        # Powers of ten alone would leave one or two ticks.
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))


def _draw(axes, rows, x, by, what, points):
    for name in dict.fromkeys(row[by] for row in rows):
        look = line(name, by)
        for marked in (False, True):
            here = sorted((row for row in rows if row[by] == name and points(row) == marked), key=lambda row: row[x])
            if marked:
                look = {"linestyle": "none", "marker": "*", "markersize": 14, "markerfacecolor": "white",
                        "markeredgecolor": look["color"], "markeredgewidth": 1.6, "zorder": 5}
            if here:
                axes.plot([row[x] for row in here], [what["factor"] * row[what["key"]] for row in here],
                          label=None if marked else name, **look)
    if what["log"]:
        _log_ticks(axes, [what["factor"] * row[what["key"]] for row in rows])
    if what["reference"]:
        height, words = what["reference"]
        axes.axhline(height, color="#777777", linewidth=1.2)
        axes.annotate(words, (1, height), xycoords=("axes fraction", "data"), xytext=(0, 3), textcoords="offset points",
                      ha="right", va="bottom", fontsize=8.5, color="#555555")
        axes.margins(y=0.12)


def curves(source, rows, x, by, panels, title, xlabel, points=lambda row: False, points_label="", base=10):
    """Figures of `rows` over their field `x` (logarithmic, `base` 2 or 10; linear, `base` 1), a line for each value of their field `by` and
    a panel() for each quantity. Rows for which `points` holds are stars instead, explained by `points_label`."""
    rows = list(rows)
    lines = math.ceil(len(panels) / 2)
    figure, grid = plt.subplots(lines, min(2, len(panels)), figsize=(10, 3.6 * lines + 0.9), squeeze=False)
    for axes, what in zip(grid.flat, panels):
        if base > 1:
            axes.set_xscale("log", base=base)
        _draw(axes, rows, x, by, what, points)
        if what["limits"]:
            axes.set_ylim(*what["limits"])
        axes.set_xlabel(xlabel)
        axes.set_ylabel(what["label"])
        axes.set_title(what["title"], fontsize=10)
        if base == 2:
            values = sorted({row[x] for row in rows})
            axes.xaxis.set_major_locator(FixedLocator(values[::2] if len(values) > 6 else values))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    handles, labels = grid[0, 0].get_legend_handles_labels()
    if any(map(points, rows)):
        handles.append(plt.Line2D([], [], linestyle="none", marker="*", markersize=12, markerfacecolor="white",
                                  markeredgecolor="black"))
        labels.append(points_label)
    # Above the panels, where no line can run through it.
    figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(0.005, 1 - 0.3 / figure.get_figheight()),
                  ncol=len(labels), fontsize=9, borderaxespad=0)
    figure.suptitle(title, x=0.01, y=1 - 0.08 / figure.get_figheight(), va="top", ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1 - 0.27 / figure.get_figheight()))
    foot(figure, source)
    return figure
