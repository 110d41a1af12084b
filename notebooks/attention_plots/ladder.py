"""A ladder as bars: how near each rung is to the roof, and what memory it takes."""
import matplotlib.pyplot as plt

from .style import foot

_UNITS = {"fma": ("GFLOP/s", 1e9, "gflops"), "bandwidth": ("GB/s", 1e9, "gbytes_per_s")}


def _bars(axes, labels, values, rows, errors=None):
    for place, (row, value) in enumerate(zip(rows, values)):
        axes.barh(place, value, color="#BBBBBB" if row["beside"] else "#0072B2", edgecolor="black", linewidth=0.6,
                  hatch="//" if row["status"] == "sampled" else None,
                  xerr=errors[place] if errors else None, error_kw={"elinewidth": 1, "capsize": 2})
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)


def _measured(problem):
    return [row for row in problem["results"] if row["status"] != "skipped"]


def _label(row):
    return row["rung"] + (" (library)" if row["beside"] else "") + (" *" if row["status"] == "sampled" else "")


def ladder(problem):
    """Rate of every rung for each core it may use, with the measured roof as the line at the right."""
    rows = _measured(problem)
    counts = sorted({row["threads"] for row in rows})
    figure, panels = plt.subplots(1, len(counts), figsize=(4.6 * len(counts) + 1.2, 0.42 * 8 + 1.3), squeeze=False)
    for axes, threads in zip(panels[0], counts):
        here = [row for row in rows if row["threads"] == threads]
        unit, scale, key = _UNITS.get(here[0]["roof_kind"], _UNITS["fma"])
        values = [row[key] / threads for row in here]
        errors = [value * row["spread_s"] / row["median_s"] for value, row in zip(values, here)]
        _bars(axes, [_label(row) for row in here], values, here, errors)
        roof = max(row["roof_value"] for row in here) / scale / threads
        axes.axvline(roof, color="#D55E00", linewidth=2)
        axes.annotate("measured roof", (roof, -0.75), color="#D55E00", ha="right", va="bottom", fontsize=8,
                      annotation_clip=False)
        for place, (value, error, row) in enumerate(zip(values, errors, here)):
            inside = value > 0.75 * roof
            axes.annotate(f"{100 * row['roof_share']:.1f} %", (value - error if inside else value + error, place),
                          xytext=(-4 if inside else 4, 0),
                          textcoords="offset points", va="center", ha="right" if inside else "left", fontsize=8,
                          color="white" if inside and not row["beside"] else "black")
        axes.set_xlim(0, roof * 1.04)
        axes.set_xlabel(f"{unit} per core ({here[0]['roof_kind']})")
        axes.set_title(f"{threads} thread{'s' if threads > 1 else ''}", pad=16)
    title = f"{problem['title']}: each rung and its share of the roof"
    if any(row["status"] == "sampled" for row in rows):
        title += "\n* timed on a sample of the rows (hatched)"
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 0.99))
    foot(figure, problem)
    return figure


def _bytes(value):
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"


def memory(problem):
    """Peak memory of every rung beyond inputs and output, on a logarithmic axis."""
    threads = max(row["threads"] for row in _measured(problem))
    # With the most threads that each rung was measured with: scratch memory grows with them.
    most = {}
    for row in _measured(problem):
        if row["peak_extra_bytes"] is not None:
            most[row["rung"]] = row
    rows = list(most.values())
    figure, axes = plt.subplots(figsize=(7, 0.42 * len(rows) + 1.6))
    least = 4096.0
    _bars(axes, [_label(row) for row in rows], [max(row["peak_extra_bytes"], least) for row in rows], rows)
    axes.set_xscale("log")
    axes.set_xlim(least, 8 * max(row["peak_extra_bytes"] for row in rows))
    for place, row in enumerate(rows):
        axes.annotate(_bytes(row["peak_extra_bytes"]) + (" (computed)" if row["peak_predicted"] else ""),
                      (max(row["peak_extra_bytes"], least), place), xytext=(5, 0), textcoords="offset points",
                      va="center", fontsize=8)
    axes.set_xlabel("peak memory beyond inputs and output, bytes")
    axes.set_title(f"{problem['title']}:\nmemory of each rung, up to {threads} threads")
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, problem)
    return figure
