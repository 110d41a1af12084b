"""A ladder as bars: how near each rung is to the roof, and what memory it takes."""
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from .results import Missing, nearest_to_roof, rows_run, rung_label
from .style import LIBRARY, ROOF, RUNG, foot
from .tables import amount

_UNITS = {"fma": "GFLOP/s", "bf16": "GFLOP/s", "bandwidth": "GB/s", "exp": "10⁹ exponentials/s", "reciprocal": "10⁹ divisions/s"}


def _bar(axes, place, row, value, hatched, error=None):
    axes.barh(place, value, height=0.78, color=LIBRARY if row["beside"] else RUNG, edgecolor="black", linewidth=0.6,
              hatch="//" if hatched else None, xerr=error, error_kw={"elinewidth": 1.2, "capsize": 2.5})


def _name_rungs(axes, rows):
    labels = {row["rung"]: rung_label(row) for row in rows}
    axes.set_yticks(range(len(labels)), labels.values())
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    return list(labels)


def _count(threads):
    return f"{threads} thread{'' if threads == 1 else 's'}"


def _panel(axes, rungs, rows, threads):
    """The bars of one thread count. A rate is the rung's share times the roof, in the unit of the roof that binds."""
    kind = rows[0]["roof_kind"]
    roof = max(row["roof_value"] for row in rows if row["roof_kind"] == kind) / 1e9 / threads
    for row in rows:
        place = rungs.index(row["rung"])
        rate = row["roof_share"] * roof
        error = rate * row["spread_s"] / row["median_s"]
        _bar(axes, place, row, rate, row["status"] == "sampled", error)
        words = f"{100 * row['roof_share']:.1f} %" + (" *" if row["status"] == "sampled" else "")
        words += "" if row["roof_kind"] == kind else f" of {row['roof_kind']}"
        # Near the roof the words would run into its line: then they stand in the bar.
        inside = rate + error > 0.8 * roof
        axes.annotate(words, (rate - error if inside else rate + error, place), xytext=(-5 if inside else 5, 0),
                      textcoords="offset points", va="center", ha="right" if inside else "left", fontsize=8.5,
                      color="white" if inside and not row["beside"] else "black")
    for place in set(range(len(rungs))) - {rungs.index(row["rung"]) for row in rows}:
        axes.annotate(f"not run with {_count(threads)}", (0, place), xytext=(5, 0), textcoords="offset points",
                      va="center", fontsize=8.5, color="#555555", style="italic")
    axes.axvline(roof, color=ROOF, linewidth=2.5)
    axes.annotate(f"measured roof: {roof:.4g}", (roof, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
                  textcoords="offset points", color=ROOF, ha="right", va="bottom", fontsize=9)
    axes.set_xlim(0, roof * 1.03 * max(1, *(row["roof_share"] for row in rows)))
    axes.set_xlabel(f"{_UNITS.get(kind, kind)} per core")
    axes.set_title(_count(threads), fontsize=10)


def ladder(problem):
    """Rate of every rung for each core it may use, with the measured roof as the line at the right; a panel for each
    number of threads. Bars are medians, whiskers the spread; a library's way is grey, a sampled time hatched. Raises
    Missing where no rung was run."""
    rows = rows_run(problem)
    if not rows:
        raise Missing(f"No rung of {problem['name']} was run")
    counts = sorted({row["threads"] for row in rows})
    slots = len({row["rung"] for row in problem["results"]})
    columns = min(len(counts), 3)
    lines = -(-len(counts) // columns)
    width = 8 if columns == 1 else 4.4 * columns + 1.4
    figure, panels = plt.subplots(lines, columns, figsize=(width, (0.36 * slots + 1.1) * lines + 0.7), squeeze=False,
                                  sharey=True)
    rungs = _name_rungs(panels[0, 0], problem["results"])
    for axes, threads in zip(panels.flat, counts):
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        _panel(axes, rungs, [row for row in rows if row["threads"] == threads], threads)
    for axes in panels.flat[len(counts):]:
        axes.set_visible(False)
    best = nearest_to_roof(rows)
    words = f"{problem['title']}\nNearest to the roof: {best['rung']}, {100 * best['roof_share']:.0f} % with {_count(best['threads'])}"
    if any(row["status"] == "sampled" for row in rows):
        words += ".  * and hatched: timed on a sample of the rows"
    figure.suptitle(words, x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, problem)
    return figure


def memory(problem):
    """Peak memory of every rung beyond inputs and output, on a logarithmic axis, each with the most threads that it was
    run with: scratch memory grows with them. Computed amounts are hatched."""
    most = {}
    for row in rows_run(problem):
        if row["peak_extra_bytes"] is not None and row["threads"] >= most.get(row["rung"], row)["threads"]:
            most[row["rung"]] = row
    rows = list(most.values())
    if not rows:
        raise Missing(f"No rung of {problem['name']} has its memory measured")
    figure, axes = plt.subplots(figsize=(8, 0.36 * len(rows) + 1.8))
    _name_rungs(axes, rows)
    # A bar on a logarithmic axis needs a start: a page.
    least = 4096.0
    for place, row in enumerate(rows):
        end = max(row["peak_extra_bytes"], least)
        _bar(axes, place, row, end, row["peak_predicted"])
        words = amount(row["peak_extra_bytes"]) + (" (computed)" if row["peak_predicted"] else "")
        if row["threads"] < max(r["threads"] for r in rows):
            words += f", {_count(row['threads'])}"
        axes.annotate(words, (end, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5)
    axes.set_xscale("log")
    axes.set_xlim(least, 30 * max(least, *(row["peak_extra_bytes"] for row in rows)))
    axes.xaxis.set_major_locator(LogLocator(base=10, numticks=20))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(value)))
    axes.set_xlabel("peak memory beyond inputs and output")
    small, large = (pick(rows, key=lambda row: row["peak_extra_bytes"]) for pick in (min, max))
    words = f"{problem['title']}\nMemory: from {amount(small['peak_extra_bytes'])} ({small['rung']}) to " \
            f"{amount(large['peak_extra_bytes'])} ({large['rung']})"
    if any(row["peak_predicted"] for row in rows):
        words += ".  Hatched: computed from the sizes"
    figure.suptitle(words, x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, {**problem, "results": rows})
    return figure
