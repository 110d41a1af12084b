"""What attended to what, from an attention record."""
import matplotlib.pyplot as plt
import numpy as np

from .style import foot


def weights(record, layer=0, head=0):
    """The weights of one head as a heat map: a row a query, a column a key."""
    matrix = record["weights"][layer, head]
    figure, axes = plt.subplots(figsize=(min(11, 2 + 0.12 * matrix.shape[1]), 1.6 + 0.28 * matrix.shape[0]))
    image = axes.imshow(matrix, cmap="cividis", aspect="auto", vmin=0)
    labels = record["queries"].get("labels")
    if labels:
        axes.set_yticks(range(len(labels)), labels, fontsize=8)
    key_labels = record["keys"].get("labels")
    if key_labels and len(key_labels) <= 40:
        axes.set_xticks(range(len(key_labels)), key_labels, rotation=90, fontsize=8)
    axes.set_xlabel("keys")
    axes.set_ylabel("queries")
    axes.grid(False)
    figure.colorbar(image, ax=axes, label="weight", fraction=0.03, pad=0.02)
    axes.set_title(record["title"])
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, {**record, "mode": record.get("mode", "full")})
    return figure


def looks_at(record, most=8, layer=0, head=0):
    """Every query picture beside the key pictures it attends to most, with their weights."""
    matrix = record["weights"][layer, head]
    queries, keys = record["queries"], record["keys"]
    figure, grid = plt.subplots(len(matrix), most + 1, figsize=(1.12 * (most + 1), 1.36 * len(matrix) + 0.8))
    for row, line in zip(grid, matrix):
        place = list(grid[:, 0]).index(row[0])
        label = queries["labels"][place]
        row[0].imshow(queries["pixels"][place], cmap="gray_r")
        row[0].set_title(label, fontsize=8, loc="center", fontweight="bold", pad=3)
        for axes, key in zip(row[1:], np.argsort(-line)[:most]):
            axes.imshow(keys["pixels"][key], cmap="gray_r")
            other = keys["labels"][key]
            axes.set_title(f"{line[key]:.3f}" if other == label else f"{line[key]:.3f}\n{other}", fontsize=8, loc="center",
                           color="black" if other == label else "#B03A00", pad=3)
        for axes in row:
            axes.set_xticks([])
            axes.set_yticks([])
            axes.grid(False)
            axes.spines[:].set_visible(True)
        row[0].spines[:].set_linewidth(2)
    figure.suptitle(record["title"] + "\nleft, framed: who asks. Then the most attended, with weights; another class is named.",
                    x=0.01, ha="left", fontsize=10)
    figure.tight_layout(rect=(0, 0.02, 1, 0.985), h_pad=0.5)
    foot(figure, {**record, "mode": record.get("mode", "full")})
    return figure
