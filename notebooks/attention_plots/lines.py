"""Lines between tokens: what a token looks at, as threads from it (Vig 2019 draws heads so)."""
import matplotlib.pyplot as plt
import numpy as np

from .heads import plain
from .style import foot

_MOST = 60  # tokens of a side that can be told apart on a page


def lines(record, heads=None, least=0.05):
    """A panel for each of `heads`, pairs (layer, head) counted from 0; all, where none are given. On the left what looks, on the right what is
    looked at; a line is the thicker and darker the larger the weight. Weights below `least` are left out."""
    layers, count, rows, columns = record["weights"].shape
    heads = heads or [(layer, head) for layer in range(layers) for head in range(count)]
    across = min(4, len(heads))
    down = -(-len(heads) // across)
    shown = max(min(rows, _MOST), min(columns, _MOST))
    figure, panels = plt.subplots(down, across, figsize=(2.9 * across, (0.16 * shown + 0.5) * down + 0.9), squeeze=False)
    for axes in panels.ravel():
        axes.set_axis_off()
    for axes, (layer, head) in zip(panels.ravel(), heads):
        matrix = record["weights"][layer, head, :_MOST, :_MOST]
        for row, column in np.argwhere(matrix >= least):
            weight = matrix[row, column]
            axes.plot([0, 1], [row, column], color="#0072B2", alpha=float(min(1, 0.15 + weight)), linewidth=0.4 + 3 * weight, solid_capstyle="round")
        for side, place, align in (("queries", -0.05, "right"), ("keys", 1.05, "left")):
            for at in range(min(record[side]["count"], _MOST)):
                labels = record[side].get("labels")
                axes.text(place, at, plain(labels[at], 14) if labels else str(at + 1), fontsize=7, ha=align, va="center")
        axes.set_xlim(-0.75, 1.75)
        axes.set_ylim(max(len(matrix), matrix.shape[1]) - 0.5, -0.5)
        axes.set_title(f"head {layer + 1}.{head + 1}", fontsize=9)
    cut = f", the first {_MOST} tokens" if max(rows, columns) > _MOST else ""
    figure.suptitle(f"{plain(record['title'], 90)}\nOn the left what looks, on the right what it looks at; weights from {least:g}{cut}", x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, record)
    return figure
