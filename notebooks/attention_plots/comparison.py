"""Two runs held against each other: a point and an interval for each rung."""
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .style import RUNG

_SLOWER = "#E69F00"
_BAND = "#DDDDDD"
# The shape of a point says the same as its colour.
_LOOKS = {"faster": {"marker": "<", "color": RUNG, "markersize": 8}, "slower": {"marker": ">", "color": _SLOWER, "markersize": 8},
          "": {"marker": "o", "color": "white", "markersize": 5.5},
          "few runs": {"marker": "x", "color": "black", "markersize": 5.5}}
_WORDS = {"faster": "B is faster", "slower": "B is slower", "": "no difference found", "few runs": "too few runs to tell"}
# Ratios to mark on the axis: as many of the finest steps as fit.
_TICKS = ((0.9, 0.92, 0.94, 0.96, 0.98, 1, 1.02, 1.04, 1.06, 1.08, 1.1),
          (0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2, 1.3, 1.4),
          (0.25, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4), tuple(10.0 ** power for power in range(-12, 13)))


def _look(verdict):
    return {"linestyle": "none", "markeredgecolor": "black", "markeredgewidth": 1 if verdict != "few runs" else 1.5,
            **_LOOKS[verdict]}


def _row(axes, place, result):
    band = 1 + result["aa_spread"]
    axes.barh(place, band - 1 / band, left=1 / band, height=0.62, color=_BAND, linewidth=0, zorder=1)
    if result["low"] is not None:
        axes.plot([result["low"], result["high"]], [place, place], color="black", linewidth=1.4, marker="|", markersize=7, zorder=3)
    axes.plot(result["ratio"], place, zorder=4, **_look(result["verdict"]))
    words = f"{result['ratio']:.3g}" if result["ratio"] >= 10 else f"{result['ratio']:.3f}"
    if result["low"] is not None:
        words += f"  ({result['low']:.3f} – {result['high']:.3f})"
    axes.annotate(words, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8, annotation_clip=False)


def _limits(results):
    """The ends of the axis, at least 5 % to each side; the A/A spread of a disturbed rung may reach beyond."""
    ends = [result[end] for result in results for end in ("ratio", "low", "high") if result[end] is not None]
    return min(*ends, 1 / 1.05) / 1.02, max(*ends, 1.05) * 1.02


def _axis(axes, results, relative_to):
    low, high = _limits(results)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = next((ticks for ticks in _TICKS if ticks[0] <= low * 1.05 and high <= ticks[-1] * 1.05), _TICKS[-1])
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    over = f" relative to {relative_to}" if relative_to else ""
    axes.set_xlabel(f"time of B over time of A{over} (ratio of medians, logarithmic axis): left of 1, B is faster")


def _legend(axes, verdicts, fail_above):
    handles = [Line2D([], [], label=words, **_look(verdict)) for verdict, words in _WORDS.items() if verdict in verdicts]
    handles += [Line2D([], [], color="black", linewidth=1.4, marker="|", markersize=7, label="95 % interval"),
                Patch(color=_BAND, label="A/A: a run against itself")]
    if fail_above is not None:
        handles.append(Line2D([], [], color="black", linestyle=":", label=f"fails above {fail_above:g}"))
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncol=3, fontsize=8.5, borderaxespad=0.3, handlelength=2)


def _title(document):
    counts = {verdict: sum(result["verdict"] == verdict for result in document["results"]) for verdict in _WORDS}
    words = f"B against A: {counts['faster']} faster, {counts['slower']} slower, {counts['']} without a difference"
    if counts["few runs"]:
        words += f", {counts['few runs']} with too few runs to tell"
    if any(result["sampled"] for result in document["results"]):
        words += "\n* timed on a sample of the rows"
    return words


def _foot(document):
    lines = [f"{side.upper()}: " + " · ".join(filter(None, document[side].values())) for side in ("a", "b")]
    if document["differences"]:
        lines.append("not the same in both: " + ", ".join(each["what"] for each in document["differences"]))
    return "\n".join(lines)


def comparison(document):
    """The ratios of a comparison, as `./course compare --json` writes it: a point a rung, the whisker its 95 % interval, the grey
    band what either run shows against itself. A filled triangle is a difference, a ring is none."""
    # A line of the picture for each heading and each result.
    lines, last = [], None
    for result in document["results"]:
        heading = f"{result['mechanism']}, {result['shape']}"
        lines += [heading, result] if heading != last else [result]
        last = heading
    height = 0.27 * len(lines) + 2.1
    figure, axes = plt.subplots(figsize=(8.5, height))
    axes.axvline(1, color="black", linewidth=1.2, zorder=2)
    names = {}
    for place, content in enumerate(lines):
        if isinstance(content, str):
            axes.annotate(content, (0, place), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
                          va="center", fontsize=8, fontweight="bold", backgroundcolor="white", zorder=5)
        else:
            _row(axes, place, content)
            mark, threads = " *" if content["sampled"] else "", content["threads"]
            names[place] = f"{content['rung']}{mark}, {threads} thread{'' if threads == 1 else 's'}"
    axes.set_yticks(list(names), list(names.values()))
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    _axis(axes, document["results"], document["relative_to"])
    if document["fail_above"] is not None:
        axes.axvline(document["fail_above"], color="black", linestyle=":", zorder=2)
    _legend(axes, {result["verdict"] for result in document["results"]}, document["fail_above"])
    figure.suptitle(_title(document), x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.45 / height, 1, 1))
    figure.text(0.01, 0.005, _foot(document), fontsize=7, color="#555555", ha="left", va="bottom", wrap=True)
    return figure
