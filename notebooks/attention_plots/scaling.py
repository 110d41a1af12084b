"""Time over size or threads."""
import matplotlib.pyplot as plt
from matplotlib.ticker import FixedLocator, NullLocator

from .style import foot, line


def _x(sweep, row):
    return row["threads"] if sweep["name"] == "threads" else row["shape"][sweep["keys"][0]]


def scaling(sweep):
    """Time of every rung over the sweep, both axes logarithmic, with the fitted exponent beside each line's name; over
    threads instead the rate per core, where a level line is perfect scaling."""
    rows = [row for row in sweep["results"] if row["status"] != "skipped"]
    over_threads = sweep["name"] == "threads"
    exponents = {f["rung"]: f["exponent"] for f in sweep["fits"] if f["quantity"] == "median_s"}
    figure, axes = plt.subplots(figsize=(7.4, 4.4))
    for rung in dict.fromkeys(row["rung"] for row in rows):
        here = [row for row in rows if row["rung"] == rung]
        if over_threads and len(here) < 2:
            continue
        label = rung + (" (library)" if here[0]["beside"] else "")
        if rung in exponents:
            label += f"  ∝ {sweep['name']}$^{{{exponents[rung]:.2f}}}$"
        values = [row["gflops"] / row["threads"] if over_threads else row["median_s"] for row in here]
        axes.plot([_x(sweep, row) for row in here], values, label=label, **line(rung))
        sampled = [(_x(sweep, row), value) for row, value in zip(here, values) if row["status"] == "sampled"]
        if sampled:
            axes.plot(*zip(*sampled), linestyle="none", marker="o", markersize=10, fillstyle="none", color="#777777",
                      zorder=1)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(sweep["values"]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([str(value) for value in sweep["values"]])
    if over_threads:
        roof = max(row["roof_value"] / row["threads"] for row in rows) / 1e9
        axes.axhline(roof, color="#D55E00", linewidth=2)
        axes.annotate("measured roof", (sweep["values"][0], roof), xytext=(0, 3), textcoords="offset points",
                      color="#D55E00", fontsize=8)
        axes.set_ylim(0, roof * 1.12)
        axes.set_xlabel("threads")
        axes.set_ylabel("GFLOP/s per core")
        axes.set_title(f"A level line is perfect scaling ({sweep['base']})")
    else:
        axes.set_yscale("log")
        axes.set_xlabel(f"{sweep['name']} ({' = '.join(sweep['keys'])}; {sweep['base']})")
        axes.set_ylabel("time, seconds")
        title = f"Time over {sweep['name']}: the slope is the exponent"
        if any(row["status"] == "sampled" for row in rows):
            title += "\n(ringed points: timed on a sample of the rows)"
        axes.set_title(title)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=9)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, sweep)
    return figure
