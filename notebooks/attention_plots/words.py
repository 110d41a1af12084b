"""Lines of text whose words stand on grounds by weight."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from .heads import plain
from .style import foot

_LETTER = 0.078  # inches of a letter of the monospaced font, 9 points
_MOST = 120      # letters on a line


def _lines(words):
    """The places of the words, in letters: (line, column) of each, and the number of lines."""
    places, line, column = [], 0, 0
    for word in words:
        if column > 0 and column + len(word) > _MOST:
            line, column = line + 1, 0
        places.append((line, column))
        column += len(word) + 1
    return places, line + 1


def coloured_words(source, texts, title):
    """Texts, each {"title", "words", "weights"}: every word on a ground that is the darker the larger its weight, the largest of a text
    black, with that weight beside the title."""
    texts = [{**text, "words": [plain(word, 40) for word in text["words"]]} for text in texts]
    layout = [_lines(text["words"]) for text in texts]
    height = sum(count + 1.9 for _, count in layout)
    figure, axes = plt.subplots(figsize=(10, 0.235 * height + 0.85))
    axes.set_axis_off()
    axes.set_xlim(0, _MOST)
    axes.set_ylim(height, 0)
    top = 0.6
    for text, (places, count) in zip(texts, layout):
        weights = np.asarray(text["weights"], float)
        largest = weights.max()
        axes.text(0, top, f"{plain(text['title'], 90)} · largest weight {largest:.2f}, equal weights {1 / len(weights):.2f}", fontsize=8.5, color="#444444", va="center")
        for word, weight, (line, column) in zip(text["words"], weights, places):
            share = weight / largest if largest > 0 else 0
            axes.add_patch(Rectangle((column - 0.4, top + 0.6 + line), len(word) + 0.8, 0.86, color=str(1 - 0.95 * share), linewidth=0))
            axes.text(column + len(word) / 2, top + 1.02 + line, word, family="monospace", fontsize=9, ha="center", va="center",
                      color="white" if share > 0.5 else "black")
        top += count + 1.9
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    figure.set_figwidth(_MOST * _LETTER + 0.6)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, source)
    return figure
