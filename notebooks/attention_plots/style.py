"""One look for every figure: colours that survive greyscale and colour blindness, and a foot that says where from."""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)

from .results import origin  # noqa: E402

# Okabe and Ito (2008), ordered so that neighbours differ in lightness, less the one that is kept for the roof; each with
# a marker and a line of its own. 7 colours, 8 markers, 5 lines: no factor in common, so many names look different.
_COLOURS = ["#0072B2", "#E69F00", "#000000", "#56B4E9", "#009E73", "#CC79A7", "#7F7F7F"]
_MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
_LINES = ["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1))]
_families = {}

ROOF = "#D55E00"
RUNG = "#0072B2"
LIBRARY = "#BBBBBB"

plt.rcParams.update({"figure.dpi": 110, "savefig.dpi": 140, "font.size": 10, "axes.grid": True, "grid.alpha": 0.3,
                     "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 11,
                     "axes.titlelocation": "left", "legend.frameon": False, "legend.handlelength": 3.2,
                     "hatch.linewidth": 0.7, "svg.hashsalt": "attention"})


def line(name, family="rungs"):
    """Colour, marker and line style of `name` among its `family`, the same in every figure; arguments of plot()."""
    order = _families.setdefault(family, [])
    if name not in order:
        order.append(name)
    place = order.index(name)
    return {"color": _COLOURS[place % len(_COLOURS)], "marker": _MARKERS[place % len(_MARKERS)],
            "linestyle": _LINES[place % len(_LINES)], "markersize": 5, "linewidth": 1.6}


def foot(figure, source):
    """The line below a figure: machine, threads, date, and whether the data or the run is not the full one."""
    words = origin(source)
    if source.get("mode") == "quick":
        words.append("quick run")
    if source.get("data") == "stand_in":
        words.append("generated stand-in data")
    figure.text(0.01, 0.005, " · ".join(words), fontsize=7, color="#555555", ha="left", va="bottom")
