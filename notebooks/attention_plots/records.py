"""What attended to what, from an attention record."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import PowerNorm

from .style import foot

_RIGHT, _WRONG = "#005A8C", "#B03A00"


def _grouped(record):
    """The keys in the order of their labels, the queries' labels first; and the labels with their number of keys."""
    labels = record["keys"]["labels"]
    names = list(dict.fromkeys([*(record["queries"].get("labels") or []), *labels]))
    names = [name for name in names if name in labels]
    return [i for name in names for i, label in enumerate(labels) if label == name], [(n, labels.count(n)) for n in names]


def weights(record, layer=0, head=0, group=False, rows_are=None, columns_are=None, reading="Each row is one query: bright is where it looks"):
    """The weights of one head as a heat map: a row a query, a column a key. `group` puts keys of one label side by side
    (never tokens or frames, whose order means something). Colours follow the square root, so that small weights show.
    `rows_are` and `columns_are` name the axes where they are no queries and keys, `reading` says what to see then."""
    matrix = record["weights"][layer, head]
    rows, columns = matrix.shape
    figure, axes = plt.subplots(figsize=(min(11, 3 + 0.1 * columns), min(11, 2.1 + 0.24 * rows)))
    labels = record["keys"].get("labels")
    if group and labels:
        order, groups = _grouped(record)
        matrix = matrix[:, order]
        ends = np.cumsum([count for _, count in groups])
        for end in ends[:-1]:
            axes.axvline(end - 0.5, color="white", linewidth=1)
        axes.set_xticks([end - (count + 1) / 2 for end, (_, count) in zip(ends, groups)], [name for name, _ in groups],
                        rotation=35, ha="right", rotation_mode="anchor", fontsize=8)
    elif labels and columns <= 60:
        axes.set_xticks(range(columns), labels, rotation=90, fontsize=8)
    image = axes.imshow(matrix, cmap="cividis", aspect="auto", interpolation="nearest", norm=PowerNorm(0.5, vmin=0))
    if record["queries"].get("labels") and rows <= 60:
        axes.set_yticks(range(rows), record["queries"]["labels"], fontsize=8)
    axes.set_xlabel(columns_are or f"keys: {columns} {record['keys']['kind']}" + (", by class" if group and labels else ""))
    axes.set_ylabel(rows_are or f"queries: {record['queries']['kind']}")
    axes.grid(False)
    figure.colorbar(image, ax=axes, label="weight", fraction=0.03, pad=0.02)
    words = f"{record['title']}\n{reading}"
    if record["weights"].shape[:2] != (1, 1):
        words += f" (layer {layer + 1}, head {head + 1})"
    figure.suptitle(words, x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, record)
    return figure


def _share(weight):
    return f"{100 * weight:.1f} %" if weight >= 5e-4 else "< 0.1 %"


def _picture(axes, pixels, cmap):
    axes.imshow(pixels, cmap=cmap, vmin=0, vmax=255 if pixels.dtype == np.uint8 else 1)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set_visible(True)


def looks_at(record, most=8, layer=0, head=0, cmap="gray"):
    """Every query picture beside the `most` key pictures it attends to most, with weight and label; a label like the
    query's has a tick, another a cross. Both sides have pixels. `cmap` is for pictures without colour."""
    matrix = record["weights"][layer, head]
    queries, keys = record["queries"], record["keys"]
    most = min(most, matrix.shape[1])
    figure, grid = plt.subplots(len(matrix), most + 1, figsize=(1.12 * (most + 1), 1.42 * len(matrix) + 0.8), squeeze=False)
    names, others = queries.get("labels"), keys.get("labels")
    for place, (row, line) in enumerate(zip(grid, matrix)):
        _picture(row[0], queries["pixels"][place], cmap)
        row[0].spines[:].set_linewidth(2.5)
        if names:
            row[0].set_title(names[place], fontsize=8, loc="center", fontweight="bold", pad=3)
        for axes, key in zip(row[1:], np.argsort(-line, kind="stable")[:most]):
            _picture(axes, keys["pixels"][key], cmap)
            words, colour = _share(line[key]), "black"
            if others:
                same = bool(names) and others[key] == names[place]
                colour = (_RIGHT if same else _WRONG) if names else "black"
                words += "\n" + ("" if not names else "✓ " if same else "✗ ") + others[key]
            axes.set_title(words, fontsize=7.5, loc="center", color=colour, pad=3)
    marks = "; ✓ has the query's class, ✗ another" if names and others else ""
    figure.suptitle(f"{record['title']}\nFramed: the query. Beside it the keys with the largest weights{marks}", x=0.01,
                    ha="left", fontsize=10)
    figure.tight_layout(rect=(0, 0.02, 1, 0.99), h_pad=0.6, w_pad=0.4)
    foot(figure, record)
    return figure


def maps_of_image(record, columns=5, cmap="gray_r", layer=0, head=0):
    """The picture that the keys are places of, and beside it one map a query, many in a row. Each map has a scale of its own."""
    grid, queries = record["keys"]["grid"], record["queries"]
    count = record["weights"].shape[2]
    rows = -(-(count + 1) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(1.95 * columns, 2.1 * rows + 0.9), squeeze=False)
    panels = panels.ravel()
    for axes in panels:
        axes.set_axis_off()
    if record["keys"].get("pixels") is not None:
        panels[0].set_axis_on()
        _picture(panels[0], record["keys"]["pixels"], cmap)
        panels[0].set_title("the picture", fontsize=9)
    for query, axes in enumerate(panels[1:count + 1]):
        axes.set_axis_on()
        image = record["weights"][layer, head, query].reshape(grid)
        axes.imshow(image, cmap="cividis", interpolation="nearest", vmin=0)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.grid(False)
        axes.set_title(queries["labels"][query], fontsize=9)
    figure.suptitle(f"{record['title']}\nBright: where it looks, each map as shares of its own sum", x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    foot(figure, record)
    return figure


def film_strip(record, columns=6, cmap="gray", layer=0, head=0):
    """The frames that the keys are, in the order of time; below them, a line for each row of the weights, the frames that it picks. In the strip the
    picks of the last row are framed."""
    pixels, labels = record["keys"]["pixels"], record["keys"]["labels"]
    matrix = record["weights"][layer, head]
    count = len(pixels)
    strips = -(-count // columns)
    height = 1.25 * strips + 0.3 * len(matrix) + 1.7
    figure = plt.figure(figsize=(1.75 * columns, height))
    top, middle = 1 - 0.8 / height, (0.3 * len(matrix) + 0.85) / height
    grid = figure.add_gridspec(strips, columns, left=0.02, right=0.98, bottom=middle, top=top, wspace=0.05, hspace=0.3)
    for frame in range(count):
        axes = figure.add_subplot(grid[frame // columns, frame % columns])
        _picture(axes, pixels[frame], cmap)
        picked = matrix[-1, frame] > 0
        axes.spines[:].set_linewidth(3 if picked else 0.5)
        axes.spines[:].set_color(_WRONG if picked else "#888888")
        axes.set_title(f"{labels[frame]} ●" if picked else labels[frame], fontsize=8, pad=2, loc="center")
    axes = figure.add_axes((0.26, 0.5 / height, 0.72, 0.3 * len(matrix) / height))
    for row, line in enumerate(matrix):
        chosen = [frame for frame in range(count) if line[frame] > 0]
        axes.plot(chosen, [row] * len(chosen), "o", color=_WRONG if row == len(matrix) - 1 else _RIGHT, markersize=7)
    axes.set_xticks(range(count), labels, fontsize=7.5)
    axes.set_yticks(range(len(matrix)), record["queries"]["labels"], fontsize=8)
    axes.set_ylim(len(matrix) - 0.5, -0.5)
    axes.set_xlim(-0.5, count - 0.5)
    axes.set_xlabel("frame", fontsize=8)
    figure.suptitle(f"{record['title']}\nFramed, with a dot: picked by {record['queries']['labels'][-1]}", x=0.01, ha="left", fontsize=11)
    foot(figure, record)
    return figure


def over_image(record, layer=0, heads=(0,), cmap="gray_r"):
    """The weights over the one picture that the keys are places of: a row a query, a column a head. The picture is grey, the
    weights lie over it, each panel on a scale of its own."""
    grid = record["keys"]["grid"]
    pixels = record["keys"].get("pixels")
    queries = record["queries"]
    count = record["weights"].shape[2]
    figure, panels = plt.subplots(count, len(heads) + 1, figsize=(2.3 * (len(heads) + 1), 2.25 * count + 0.9), squeeze=False)
    extent = (0, grid[1], grid[0], 0)
    for query in range(count):
        if pixels is not None:
            _picture(panels[query, 0], pixels, cmap)
        panels[query, 0].set_ylabel(queries["labels"][query] if queries.get("labels") else f"query {query + 1}", fontsize=8.5)
        for column, head in enumerate(heads, 1):
            axes = panels[query, column]
            image = record["weights"][layer, head, query].reshape(grid)
            drawn = axes.imshow(image, cmap="cividis", extent=extent, norm=PowerNorm(0.5, vmin=0), interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.grid(False)
            figure.colorbar(drawn, ax=axes, fraction=0.045, pad=0.02).ax.tick_params(labelsize=6.5)
            if query == 0:
                axes.set_title(f"head {head + 1}" if len(heads) > 1 else "where it looks", fontsize=9)
    panels[0, 0].set_title("the picture", fontsize=9)
    figure.suptitle(f"{record['title']}\nEach row is one query: bright is where it looks", x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    foot(figure, record)
    return figure
