"""What accuracy costs: a point a network, with the interval of its mean."""
import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

from .style import foot, line

_COSTS = (("µs a picture", "time of a picture, one thread, µs", "Time"),
          ("MFLOP a picture", "operations of a picture, MFLOP", "Operations"),
          ("weights", "weights, thousands", "Weights"))


def accuracy_against_cost(found):
    """The rows of fashion_accuracy.json: test accuracy over time, operations and weights. Bars are the 95 % intervals."""
    figure, grid = plt.subplots(1, len(_COSTS), figsize=(11, 4.6), sharey=True)
    for axes, (key, label, title) in zip(grid, _COSTS):
        for row in found["rows"]:
            look = line(row["network"], "network")
            cost = row[key] / (1000 if key == "weights" else 1)
            axes.errorbar(cost, 100 * row["accuracy"], yerr=100 * row["95 % ±"], capsize=3, label=row["network"],
                          color=look["color"], marker=look["marker"], markersize=7, linestyle="none")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_xlabel(label)
        axes.set_title(title, fontsize=10)
    grid[0].set_ylabel("test accuracy, %")
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(0.01, 0.91), ncols=len(labels), fontsize=8.5, columnspacing=1.2, handletextpad=0.2)
    figure.suptitle("Accuracy against cost: up is better, left is cheaper", x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 0.88))
    foot(figure, found)
    return figure
