"""Heads by entropy and distance, ways through the layers, and whether weights explain answers."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import PowerNorm

from .heads import plain
from .results import Missing
from .style import foot, line


def through_layers(records, names):
    """Maps of the same tokens side by side: `records` with one map each (the last layer's mean over heads), `names` above them. Each has a
    scale of its own, colours follow the square root."""
    labels = [plain(label, 14) for label in records[0]["keys"]["labels"]]
    count = len(labels)
    side = min(max(2.2, 0.2 * count), 3.9)
    figure, panels = plt.subplots(1, len(records), figsize=(side * len(records) + 1.6, side + 2.1), squeeze=False)
    for place, (axes, record, name) in enumerate(zip(panels[0], records, names)):
        matrix = record["weights"][-1].mean(axis=0)
        axes.imshow(matrix, cmap="cividis", interpolation="nearest", norm=PowerNorm(0.5, vmin=0))
        axes.set_title(f"{name}, to {matrix.max():.2f}", fontsize=9)
        axes.grid(False)
        axes.set_xticks(range(count) if count <= 40 else [], labels if count <= 40 else [], rotation=90, fontsize=7)
        axes.set_yticks(range(count) if count <= 40 and place == 0 else [], labels if count <= 40 and place == 0 else [], fontsize=7)
    figure.suptitle("What the last layer's positions depend on: its own weights, and through all layers\nEach row is one position: bright is the input it depends on",
                    x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    foot(figure, records[0])
    return figure


def entropy_and_distance(source, rows):
    """Left, every head's entropy as a share of the most there can be, a row a chapter; right, the entropy over the distance of the heads of
    sequences that look at themselves."""
    if not rows:
        raise Missing("there are no heads")
    chapters = list(dict.fromkeys(row["chapter"] for row in rows))
    near = [row for row in rows if row["distance"] is not None]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), width_ratios=(1.25, 1)) if near else (plt.figure(figsize=(7, 4.6)), (None, None))
    left = left or figure.add_subplot()
    for place, chapter in enumerate(chapters):
        found = [row["entropy share"] for row in rows if row["chapter"] == chapter]
        look = line(chapter, "chapters")
        left.plot(found, place + np.linspace(-0.25, 0.25, len(found)) if len(found) > 1 else [place], linestyle="none", marker=look["marker"], color=look["color"], alpha=0.7, markersize=5)
    left.set_yticks(range(len(chapters)), [chapter.replace("_", " ") for chapter in chapters], fontsize=8)
    left.invert_yaxis()
    left.set_xlim(-0.03, 1.03)
    left.set_xlabel("entropy of a row as a share of the most (0: one key has all, 1: all the same)")
    for chapter in dict.fromkeys(row["chapter"] for row in near):
        look = line(chapter, "chapters")
        mine = [row for row in near if row["chapter"] == chapter]
        right.plot([row["distance"] for row in mine], [row["entropy"] for row in mine], linestyle="none", marker=look["marker"], color=look["color"], markersize=6,
                   label=chapter.replace("_", " "))
        # Heads that are alike stand on each other: one name is enough.
        for row in {(round(row["distance"], 1), round(row["entropy"], 1)): row for row in mine[:12]}.values():
            right.annotate(row["head"], (row["distance"], row["entropy"]), xytext=(4, 3), textcoords="offset points", fontsize=7)
    if near:
        right.set_xlabel("distance, tokens")
        right.set_ylabel("entropy, bits")
        right.legend(fontsize=8)
    figure.suptitle("How sharp is each head, and how far does it look? Each mark is a head, the mean over its queries", x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, source)
    return figure


def agreements(found):
    """Left, how often each Kendall's tau occurs over the texts of explanation.json; right, how far other weights with the same answer lie."""
    kinds = [("tau_leave_one_out", "weights, leaving a word out"), ("tau_gradient", "weights, gradient × input"), ("tau_between", "these two with each other")]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.3))
    bins = np.linspace(-1, 1, 21)
    for key, name in kinds:
        values = [text[key] for text in found["texts"] if text[key] is not None]
        if not values:
            continue
        look = line(name, "agreements")
        counts, _ = np.histogram(values, bins)
        left.step(bins, np.append(counts, counts[-1]) / len(values), where="post", color=look["color"], linestyle=look["linestyle"], linewidth=1.8,
                  label=f"{name}: mean {np.mean(values):.2f}")
    left.axvline(0, color="#777777", linewidth=1)
    left.set_xlabel("Kendall's τ of two orders of a text's words")
    left.set_ylabel("share of the texts")
    left.legend(fontsize=8, loc="upper left", frameon=True, framealpha=1)
    left.set_ylim(0, left.get_ylim()[1] * 1.35)
    far = [text["divergence"] for text in found["texts"]]
    right.hist(far, bins=np.linspace(0, 1, 21), color="#0072B2", edgecolor="white")
    right.axvline(np.median(far), color="black", linestyle="--", linewidth=1.5, label=f"median {np.median(far):.2f} bit")
    right.set_xlabel(f"Jensen–Shannon divergence of other weights with the same\nanswer (within {found['epsilon']:g}), bits; 1: no word in common")
    right.set_ylabel("texts")
    right.legend(fontsize=8, loc="upper left")
    figure.suptitle("Do the weights order words as what matters does, and could they have been others?", x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, found)
    return figure


def encoder_measures(text):
    """What texts.json says of each piece, for by_words()."""
    return [("looked at: mean weight", text["received"]), ("rollout: mean weight", text["rollout"]), ("flow: mean", text["flow"]),
            ("left out: 1 − cosine", text["leave_one_out"])]


def by_words(source, text, measures, title):
    """A text's words down the page, a column of bars for each of `measures`, pairs (heading, values): each on a scale of its own."""
    words = [plain(word, 18) for word in text]
    figure, panels = plt.subplots(1, len(measures), figsize=(2.6 * len(measures) + 1, 0.24 * len(words) + 1.5), sharey=True, squeeze=False)
    for place, (axes, (heading, values)) in enumerate(zip(panels[0], measures)):
        look = line(heading, "measures")
        axes.barh(range(len(words)), values, color=look["color"], edgecolor="black", linewidth=0.5, hatch=("", "//", "..", "xx", "++")[place % 5])
        axes.set_title(heading, fontsize=9)
        axes.tick_params(axis="x", labelsize=7)
        axes.grid(axis="y", visible=False)
        axes.locator_params(axis="x", nbins=4)
    panels[0, 0].set_yticks(range(len(words)), words, fontsize=8)
    panels[0, 0].invert_yaxis()
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, source)
    return figure
