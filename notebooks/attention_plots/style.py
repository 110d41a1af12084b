"""One look for every figure: colours that survive greyscale and colour blindness, and a foot that says where from."""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)

# Okabe and Ito (2008), ordered so that neighbours differ in lightness; each with a marker and a line of its own.
_COLOURS = ["#0072B2", "#E69F00", "#000000", "#56B4E9", "#D55E00", "#009E73", "#CC79A7", "#7F7F7F"]
_MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
_LINES = ["-", "--", "-.", ":"]
_order = []

plt.rcParams.update({"figure.dpi": 110, "savefig.dpi": 140, "font.size": 10, "axes.grid": True, "grid.alpha": 0.3,
                     "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 11,
                     "axes.titlelocation": "left", "legend.frameon": False, "svg.hashsalt": "attention"})


def _place(name):
    if name not in _order:
        _order.append(name)
    return _order.index(name)


def colour(name):
    """The colour that stands for `name` in every figure of this run."""
    return _COLOURS[_place(name) % len(_COLOURS)]


def line(name):
    """Colour, marker and line style of `name`, as arguments of plot()."""
    place = _place(name)
    return {"color": colour(name), "marker": _MARKERS[place % len(_MARKERS)], "linestyle": _LINES[place % len(_LINES)],
            "markersize": 5, "linewidth": 1.6}


def foot(figure, source):
    """The line below a figure: machine, date, and whether the data or the run is not the full one."""
    machine = source["machine"]
    words = [machine["cpu"], machine["compiler"], machine["date"][:10]]
    if source["mode"] == "quick":
        words.append("quick run")
    if source["data"] == "stand_in":
        words.append("generated stand-in data")
    figure.text(0.01, 0.005, " · ".join(words), fontsize=7, color="#555555", ha="left", va="bottom")


def draw(chapter, name, figure):
    """Saves the figure as SVG and PNG under the chapter's figures/; in a notebook the picture is shown."""
    folder = chapter.folder / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"{name}.{suffix}", bbox_inches="tight")
    plt.close(figure)
    try:
        from IPython.display import Image
    except ImportError:
        return folder / f"{name}.png"
    return Image(filename=str(folder / f"{name}.png"))
