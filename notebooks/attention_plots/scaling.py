"""Time and memory over size, and the rate over threads."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .results import Missing, rows_run, rung_label
from .style import ROOF, foot, line
from .tables import amount, number, seconds

_MOST_CROSSOVERS = 10


def _x(sweep, row):
    return row["threads"] if sweep["name"] == "threads" else row["shape"][sweep["keys"][0]]


def _axes(sweep):
    figure, axes = plt.subplots(figsize=(8, 4.6))
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(sweep["values"]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    return figure, axes


def _finish(figure, axes, sweep, handles, title):
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=8.5, borderaxespad=0)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, sweep)
    return figure


def _by_rung(rows):
    for rung in dict.fromkeys(row["rung"] for row in rows):
        yield rung, [row for row in rows if row["rung"] == rung]


def _mark_crossovers(axes, sweep, curves):
    """A ring where two lines cross by more than the noise; gives the words for the legend."""
    shown = sorted(sweep["crossovers"], key=lambda c: c["at"])[:_MOST_CROSSOVERS]
    handles = []
    for crossing in shown:
        heights = [np.exp(np.interp(np.log(crossing["at"]), np.log(curves[rung][0]), np.log(curves[rung][1])))
                   for rung in (crossing["slower_below"], crossing["faster_below"]) if rung in curves]
        if heights:
            axes.plot(crossing["at"], np.exp(np.mean(np.log(heights))), linestyle="none", marker="o", markersize=12,
                      fillstyle="none", color=ROOF, markeredgewidth=1.6, zorder=6)
        handles.append(Line2D([], [], linestyle="none", label=f"{number(crossing['at'])}: {crossing['slower_below']} "
                              f"overtakes {crossing['faster_below']}"))
    if handles:
        handles.insert(0, Line2D([], [], linestyle="none", marker="o", markersize=10, fillstyle="none", color=ROOF,
                                 markeredgewidth=1.6, label=f"crossovers, at {sweep['name']} ≈"))
    if len(sweep["crossovers"]) > len(shown):
        handles.append(Line2D([], [], linestyle="none", label=f"and {len(sweep['crossovers']) - len(shown)} more in the table"))
    return handles


def _over_size(sweep, quantity, words, unit, crossovers):
    """Both axes logarithmic, so that a slope is an exponent; the fitted one stands in the legend."""
    rows = [row for row in rows_run(sweep) if (row[quantity] or 0) > 0]
    if not rows:
        raise Missing(f"The sweep over {sweep['name']} has no {words}; a full run measures it")
    exponents = {fit["rung"]: fit["exponent"] for fit in sweep["fits"] if fit["quantity"] == quantity}
    figure, axes = _axes(sweep)
    curves, handles = {}, []
    for rung, here in _by_rung(rows):
        curves[rung] = [_x(sweep, row) for row in here], [row[quantity] for row in here]
        label = rung_label(here[0])
        if rung in exponents:
            label += f"  $\\propto\\mathrm{{{sweep['name']}}}^{{{exponents[rung]:.2f}}}$"
        handles += axes.plot(*curves[rung], label=label, **line(rung))
    sampled = "peak_predicted" if quantity == "peak_extra_bytes" else "status"
    marked = [row for row in rows if row[sampled] in (True, "sampled")]
    if marked:
        handles += axes.plot([_x(sweep, row) for row in marked], [row[quantity] for row in marked], linestyle="none",
                             marker="s", markersize=11, fillstyle="none", color="#777777", zorder=1,
                             label="computed from the sizes" if sampled == "peak_predicted" else "timed on a sample of rows")
    if crossovers:
        handles += _mark_crossovers(axes, sweep, curves)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: unit(value)))
    axes.set_xlabel(f"{sweep['name']} ({' = '.join(sweep['keys'])})")
    axes.set_ylabel(words)
    return _finish(figure, axes, sweep, handles, f"{words[0].upper()}{words[1:]} over {sweep['name']}: "
                   f"the slope is the exponent\n({sweep['base'].replace(',', ', ')})")


def _over_threads(sweep):
    """The rate for each core: lost scaling shows as a falling line."""
    figure, axes = _axes(sweep)
    handles = []
    for rung, here in _by_rung(rows_run(sweep)):
        if len(here) > 1:
            handles += axes.plot([row["threads"] for row in here], [row["gflops"] / row["threads"] for row in here],
                                 label=rung_label(here[0]), **line(rung))
    fma = [row for row in rows_run(sweep) if row["roof_kind"] == "fma"]
    if fma:
        best = {row["threads"]: row["roof_value"] / row["threads"] / 1e9 for row in fma}
        handles += axes.plot(sorted(best), [best[threads] for threads in sorted(best)], color=ROOF, linewidth=2.5,
                             label="measured roof (fma)")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("threads")
    axes.set_ylabel("GFLOP/s per core")
    return _finish(figure, axes, sweep, handles, "Rate of each core over threads: a level line is perfect scaling\n"
                   f"({sweep['base'].replace(',', ', ')})")


def scaling(sweep, quantity="median_s"):
    """Time of every rung over the sweep, or its memory with `quantity` "peak_extra_bytes", with fitted exponents and
    crossovers; over threads the rate per core. Raises Missing where the quantity was not measured."""
    if sweep["name"] == "threads":
        return _over_threads(sweep)
    if quantity == "peak_extra_bytes":
        return _over_size(sweep, quantity, "peak memory beyond inputs and output", amount, False)
    return _over_size(sweep, quantity, "time", seconds, True)
