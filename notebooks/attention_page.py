#!/usr/bin/env python3
"""Draws what `./course run 05 --text` has found: RESULTS/05_visualising_attention/text/attention.html, and figures beside it.

The page holds the reader's texts and needs no network: choose layer and head, hover a token, copy a figure. Figures of an earlier
call go. Exit status: 0 fine; 2 there is nothing to draw, one line says why.
"""
import argparse
import html
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import attention_plots as plots  # noqa: E402
from attention_plots.files import exit_status  # noqa: E402
from attention_plots.own_page import remove_figures  # noqa: E402
from attention_plots.results import Chapter, Missing  # noqa: E402


def figures(chapter, found, text):
    """The figures of one text; their names."""
    name = text["record"]
    record = chapter.record(name)
    drawn = {f"{name}_heads": plots.heads(record), f"{name}_lines": plots.lines(record),
             f"{name}_layers": plots.through_layers([record, chapter.record(f"{name}_rollout"), chapter.record(f"{name}_flow")], ["last layer, mean", "rollout", "flow"])}
    if len(text["pieces"]) <= 60:
        drawn[f"{name}_pieces"] = plots.by_words(found, text["pieces"], plots.encoder_measures(text), "Piece by piece: how much it is looked at, and how far the embedding turns without it")
    for file, figure in drawn.items():
        plots.save(chapter, file, figure)
    return list(drawn)


def build(chapter):
    """Makes figures and page. Raises Missing where there are no texts."""
    found = chapter.read("texts")
    remove_figures(chapter, "*")
    links = ""
    for number, text in enumerate(found["texts"], 1):
        names = figures(chapter, found, text)
        links += f"<li>{html.escape(text['text'][:80])}: " + ", ".join(f'<a href="figures/{n}.svg">{n.partition("_")[2].partition("_")[2]}</a>' for n in names) + "</li>\n"
    explained = ""
    try:
        explanation = chapter.read("explanation")
    except Missing:
        explanation = None
    if explanation:
        shown = [{"title": f"{t['class']}: {kind}", "words": t["words"], "weights": t[key]}
                 for t in explanation["shown"] for key, kind in (("weights", "its weights"), ("other", "other weights, the same answer"))]
        plots.save(chapter, "two_weightings", plots.coloured_words(explanation, shown, "The classifier's weights, and others with the same answer"))
        explained = '<li><a href="figures/two_weightings.svg">do the weights of a classifier explain what it says of your texts?</a></li>\n'
    records, page = plots.records_of_page(chapter)
    plots.write_viewer(chapter.folder / "attention.html", "Your text", f"""<p class="small">The Universal Sentence Encoder Lite (Cer et al. 2018), two layers of four
heads, read your text in pieces, 128 at most.</p>
<details class="small"><summary>Figures as files</summary><ul>
{links}{explained}</ul></details>""", records, page)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", required=True, metavar="DIR")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a script that the font lacks shows as boxes
    chapter = Chapter("05_visualising_attention/text", options.results, "full")
    return exit_status(lambda: build(chapter), remedy="give the text again")


if __name__ == "__main__":
    sys.exit(main())
