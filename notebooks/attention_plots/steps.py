"""What each step of one rung is worth: the rung with all of them beside the rung with one switched off."""
import matplotlib.pyplot as plt
from comparison.judging import LEAST_RUNS, interval

from .results import Missing, rows_run
from .style import RUNG, foot


def _slowdown(row, whole):
    """How many times as long it takes as the whole rung, with its 95 % interval where there are runs enough for one."""
    ratio = row["median_s"] / whole["median_s"]
    if min(len(row["times_s"]), len(whole["times_s"])) < LEAST_RUNS:
        return ratio, None
    return ratio, interval(whole["times_s"], row["times_s"])


def _panel(axes, rows, whole, threads):
    """The bars of one thread count; `rows` are (place, row)."""
    for place, row in rows:
        ratio, ends = _slowdown(row, whole)
        noise = ends is None or ends[0] <= 1 <= ends[1]
        axes.barh(place, ratio - 1, left=1, height=0.62, color="white" if noise else RUNG, edgecolor="black", linewidth=0.8)
        if ends is not None:
            axes.plot(ends, [place, place], color="black", linewidth=1.4, marker="|", markersize=7, zorder=3)
        words = f"{ratio:.3g}×" + (" (too few runs)" if ends is None else " (noise)" if noise else "")
        axes.annotate(words, (max(ratio, 1, *(ends or ())), place), xytext=(6, 0), textcoords="offset points", va="center",
                      fontsize=8.5)
    axes.axvline(1, color="black", linewidth=1.2)
    least, most = axes.get_xlim()
    axes.set_xlim(least, most + 0.25 * (most - least))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time without the step over time with all steps (ratio)")
    axes.set_title(f"{threads} thread{'' if threads == 1 else 's'}", fontsize=10)


def steps(problem, whole):
    """A bar for each step of the rung `whole`: how many times as long the work takes without it. The problem's other rungs are
    `whole` with one step switched off, and their idea says which; a library's way is left out. Whiskers are 95 % intervals; a bar
    whose interval holds 1 is white. A panel for each number of threads. Raises Missing where `whole` or all else was not run."""
    rows = [row for row in rows_run(problem) if not row["beside"]]
    if any("times_s" not in row for row in rows):
        raise Missing(f"the results of {problem['name']} hold no single times: measure again")
    full = {row["threads"]: row for row in rows if row["rung"] == whole}
    without = [row for row in rows if row["rung"] != whole and row["threads"] in full]
    if not without:
        raise Missing(f"{problem['name']} has not been run with {whole} and with its steps switched off")
    names = list(dict.fromkeys((row["rung"], row["idea"]) for row in without))
    counts = sorted({row["threads"] for row in without})
    width = 8 if len(counts) == 1 else 5.2 * len(counts) + 2.4
    figure, panels = plt.subplots(1, len(counts), figsize=(width, 0.42 * len(names) + 2.1), squeeze=False, sharey=True)
    for axes, threads in zip(panels[0], counts):
        here = {row["rung"]: row for row in without if row["threads"] == threads}
        _panel(axes, [(place, here[rung]) for place, (rung, _) in enumerate(names) if rung in here], full[threads], threads)
        axes.set_yticks(range(len(names)), [idea for _, idea in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
    figure.suptitle(f"{problem['title']}\nWhat each step of {whole} is worth: without it, the same work takes so many times as "
                    "long", x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    foot(figure, problem)
    return figure
