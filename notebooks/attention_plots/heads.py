"""All heads of a model side by side, and square tables of numbers as pictures."""
import unicodedata

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import PowerNorm

from .style import foot, line


def plain(text, most=60):
    """Text of a user or of a vocabulary fit for a figure: one line, no formulas, not too long."""
    text = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return (text if len(text) <= most else text[:most - 1] + "…").replace("$", r"\$")


def heads(record, reading="Each row is one query: bright is where it looks. Each panel has a scale of its own"):
    """The weights of every head of a record of tokens: a row of panels a layer, a panel a head. Colours follow the square root,
    so that small weights show; the largest weight stands above each panel."""
    layers, count, rows, columns = record["weights"].shape
    labels = [plain(label, 14) for label in record["keys"].get("labels") or []]
    named = labels if columns <= 40 else []
    side = min(max(1.5, 0.19 * columns), 3.6)
    size = min(7, 62 * side / columns)  # of the letters: a label has the height of its cell
    figure, grid = plt.subplots(layers, count, figsize=(count * (side + 0.25) + 1.5, layers * (side + 0.4) + 1.6), squeeze=False)
    for layer in range(layers):
        for head in range(count):
            axes, matrix = grid[layer, head], record["weights"][layer, head]
            axes.imshow(matrix, cmap="cividis", interpolation="nearest", norm=PowerNorm(0.5, vmin=0))
            axes.set_title(f"head {layer + 1}.{head + 1}, to {matrix.max():.2f}", fontsize=9)
            axes.grid(False)
            axes.set_xticks(range(columns) if named and layer == layers - 1 else [], named if layer == layers - 1 else [], rotation=90, fontsize=size)
            axes.set_yticks(range(rows) if named and head == 0 else [], named if head == 0 else [], fontsize=size)
    if not named:
        figure.supxlabel(f"keys: {columns} pieces", fontsize=9)
        figure.supylabel(f"queries: {rows} pieces", fontsize=9)
    figure.suptitle(f"{plain(record['title'], 90)}\n{reading}", x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, record)
    return figure


def matrix(source, values, rows, columns, title, label, form="{:.2f}", highest=None):
    """Numbers as a picture with each number in its cell: `values` [rows][columns], `label` names them with their unit. Bright is
    large, as in the maps; up to 20 columns have their numbers."""
    values = np.asarray(values, float)
    rows, columns = [plain(name, 44) for name in rows], [plain(name, 24) for name in columns]
    figure, axes = plt.subplots(figsize=(min(12, 2.6 + 0.62 * len(columns) + 0.055 * max(map(len, rows))), min(11, 1.9 + 0.36 * len(rows))))
    image = axes.imshow(values, cmap="cividis", vmin=min(0, values.min()), vmax=highest, aspect="auto", interpolation="nearest")
    low, high = image.get_clim()
    if len(columns) <= 20:
        for (row, column), value in np.ndenumerate(values):
            bright = (value - low) / max(high - low, 1e-12) > 0.5
            axes.text(column, row, form.format(value), ha="center", va="center", fontsize=8, color="black" if bright else "white")
    few = len(rows) <= 50
    axes.set_xticks(range(len(columns)) if few else [], columns if few else [], rotation=0 if max(map(len, columns)) <= 5 else 35,
                    ha="center" if max(map(len, columns)) <= 5 else "right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(range(len(rows)) if few else [], rows if few else [], fontsize=8)
    axes.grid(False)
    figure.colorbar(image, ax=axes, label=label, fraction=0.04, pad=0.02)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, source)
    return figure


def spread(source, rows, by, key, kinds, title, xlabel, ylabel):
    """One mark for each row at its value of `key`, a column for each value of the field `by`; `kinds` are pairs (name, condition)
    that part the rows: a marker each, beside each other, and a short line at the mean of each."""
    names = list(dict.fromkeys(row[by] for row in rows))
    figure, axes = plt.subplots(figsize=(10, 4.4))
    axes.axhline(0, color="#777777", linewidth=1)
    for place, (kind, belongs) in enumerate(kinds):
        look = line(kind, "kinds")
        shift = 0.36 * (place - (len(kinds) - 1) / 2)
        for column, name in enumerate(names):
            values = [row[key] for row in rows if row[by] == name and belongs(row)]
            if not values:
                continue
            # Side by side in their order, so that equal ones do not hide each other.
            across = column + shift + np.linspace(-0.1, 0.1, len(values))
            axes.plot(across, values, linestyle="none", marker=look["marker"], color=look["color"], markersize=4.5, alpha=0.75,
                      label=kind if column == 0 else None)
            axes.plot([column + shift - 0.15, column + shift + 0.15], [np.mean(values)] * 2, color="black", linewidth=2,
                      label="mean" if column == 0 and place == 0 else None)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.legend(loc="upper left", bbox_to_anchor=(0, 1.1), ncol=3, fontsize=9, borderaxespad=0)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, source)
    return figure
