"""The roofline: what limits each rung, the memory or the arithmetic (Williams, Waterman and Patterson 2009)."""
import math

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .results import Missing, nearest_to_roof, rows_run, rung_label
from .style import LIBRARY, ROOF, foot, line
from .tables import number

# A roof farther above the multiply-adds than this is out of sight, and far from binding.
_NEAR = 2
_OTHERS = {"exp": ("exps", "exponentials"), "reciprocal": ("reciprocals", "divisions")}
_CAPTION = ("Look first to which side of the corner a rung stands. Left of it, under the slope, the memory sets the limit; right of\n"
            "it, under the level line, the arithmetic. A step to the right stores less, a step up computes faster. Bytes: inputs and\n"
            "output once, and twice what the rung stores, written and read back; a point above the slope has that from a cache.")


def _intensity(row):
    """FLOP for each byte that goes to memory or comes from it, where nothing stays in a cache."""
    return row["cost"]["flops"] / (row["cost"]["bytes"] + 2 * row["peak_extra_bytes"])


def _roofs(problem, threads):
    for entry in problem.get("machine", {}).get("roofs", []):
        if entry["threads"] == threads:
            return {name: entry[name]["best"] / threads for name in ("fma", "read", "exp", "reciprocal")}
    raise Missing(f"the results of {problem['name']} hold no measured roofs for {threads} threads: measure again")


def _placed(problem):
    """The rungs that were run and whose memory is known."""
    rows = rows_run(problem)
    if any("cost" not in row for row in rows):
        raise Missing(f"the results of {problem['name']} hold no cost: measure again")
    rows = [row for row in rows if row["peak_extra_bytes"] is not None and row["cost"]["flops"] > 0]
    if not rows:
        raise Missing(f"No rung of {problem['name']} has its memory measured")
    return rows


def _spread_out(heights, gap):
    """The heights, rising, moved apart until neighbours are `gap` apart; their middle stays where it is."""
    moved = []
    for height in heights:
        moved.append(height if not moved else max(height, moved[-1] + gap))
    shift = (sum(heights) - sum(moved)) / len(moved)
    return [height + shift for height in moved]


def _crowded(place, places, gap):
    """Whether a name to the right of its point would run into another point; all in powers of ten."""
    return any(0.06 < x - place[0] < 1.5 and abs(y - place[1]) < gap for x, y in places)


def _points(axes, rows, threads):
    rows = sorted(rows, key=lambda row: row["gflops"])
    # Names stand beside their points, apart from each other: a share of the axis' height, which is logarithmic.
    bottom, top = map(math.log10, axes.get_ylim())
    gap = 0.05 * (top - bottom)
    places = [(math.log10(_intensity(row)), math.log10(row["gflops"] / threads)) for row in rows]
    for row, place, height in zip(rows, places, _spread_out([y for _, y in places], gap)):
        x, y = _intensity(row), row["gflops"] / threads
        left = _crowded(place, places, 1.2 * gap)
        look = {**line(row["rung"]), "linestyle": "none", "markersize": 8, "markeredgecolor": "black", "markeredgewidth": 0.8}
        if row["beside"]:
            look["color"] = LIBRARY
        if row["status"] == "sampled":
            look.update(markerfacecolor="white", markeredgecolor=look["color"], markeredgewidth=1.8)
        axes.plot(x, y, zorder=4, **look)
        words = rung_label(row) + f"  {number(y)}"
        axes.annotate(words, (x, y), xytext=(x / 1.6 if left else x * 1.6, 10 ** height), va="center",
                      ha="right" if left else "left", fontsize=8.5, zorder=5,
                      arrowprops={"arrowstyle": "-", "color": "#777777", "linewidth": 0.7, "shrinkA": 0, "shrinkB": 4})


def _levels(cost, roofs):
    """The level roofs as GFLOP/s, by name: multiply-adds, and what else comes near."""
    levels = {"fma": roofs["fma"] / 1e9}
    for name, (work, _) in _OTHERS.items():
        if cost[work] and cost["flops"] / cost[work] * roofs[name] <= _NEAR * roofs["fma"]:
            levels[name] = cost["flops"] / cost[work] * roofs[name] / 1e9
    return levels


def _draw_roofs(axes, levels, read, left, right):
    """The binding roof as a full line, what lies above it dashed."""
    lowest, highest = min(levels.values()), max(levels.values())
    axes.plot([left, lowest / read, right], [left * read, lowest, lowest], color=ROOF, linewidth=2.5, zorder=3)
    axes.plot([lowest / read, highest / read], [lowest, highest], color=ROOF, linewidth=1.4, linestyle="--", zorder=3)
    for name, height in levels.items():
        if height > lowest:
            axes.plot([height / read, right], [height, height], color=ROOF, linewidth=1.4, linestyle="--", zorder=3)
        words = "multiply-adds" if name == "fma" else f"its {_OTHERS[name][1]}"
        axes.annotate(f"level: {words}, {height:.4g}", (right, height), xytext=(-3, 3), textcoords="offset points", ha="right",
                      va="bottom", fontsize=8.5, color=ROOF)
    axes.annotate(f"slope: reading memory, {read:.3g} GB/s", (left, highest), xytext=(4, 3), textcoords="offset points", ha="left",
                  va="bottom", fontsize=8.5, color=ROOF)


def _panel(axes, problem, rows, threads):
    roofs = _roofs(problem, threads)
    here = [row for row in rows if row["threads"] == threads]
    levels = _levels(here[0]["cost"], roofs)
    read = roofs["read"] / 1e9
    rates = [row["gflops"] / threads for row in here]
    left = min(min(levels.values()) / read, *map(_intensity, here)) / 8
    right = max(max(levels.values()) / read, *map(_intensity, here)) * 16
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(min(left * read, *rates) / 2, 2 * max(levels.values()))
    _draw_roofs(axes, levels, read, left, right)
    _points(axes, here, threads)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=12))
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.set_xlabel("FLOP for each byte of memory traffic")
    axes.set_title(f"{threads} thread{'' if threads == 1 else 's'}", fontsize=10)


def roofline(problem):
    """Where each rung stands under the roofs of this machine: FLOP a byte against GFLOP/s of each core, both axes logarithmic; a
    panel for the fewest and one for the most threads. The roofs are the measured rates of reading and of multiply-adds, and that
    of the exponentials or divisions where it lies near. A rung on a sample of the rows is hollow. Raises Missing where memory,
    cost or roofs were not measured."""
    rows = _placed(problem)
    counts = sorted({row["threads"] for row in rows})
    counts = sorted({counts[0], counts[-1]})
    figure, panels = plt.subplots(1, len(counts), figsize=(8 if len(counts) == 1 else 11.8, 5.6), squeeze=False)
    for axes, threads in zip(panels[0], counts):
        _panel(axes, problem, rows, threads)
    panels[0, 0].set_ylabel("GFLOP/s of each core")
    best = nearest_to_roof(rows)
    words = f"{problem['title']}: where each rung stands under the roofs\nNearest: {best['rung']}, " \
            f"{100 * best['roof_share']:.0f} % of the {best['roof_kind']} roof, {number(_intensity(best))} FLOP a byte"
    if any(row["status"] == "sampled" for row in rows):
        words += ".  Hollow: timed on a sample of the rows, memory computed"
    figure.suptitle(words, x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.12, 1, 1))
    figure.text(0.01, 0.03, _CAPTION, fontsize=8, ha="left", va="bottom")
    foot(figure, {**problem, "results": rows})
    return figure
