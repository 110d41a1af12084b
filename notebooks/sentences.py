#!/usr/bin/env python3
"""Draws what `./course run 04 --text` has found: RESULTS/04_self_attention/text/sentences.html, and its figures beside it.

One picture of how similar the sentences are, and one of all heads for each sentence that has a map. Figures of an earlier call
go. Exit status: 0 fine; 2 there is nothing to draw, one line says why.
"""
import argparse
import html
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import attention_plots as plots  # noqa: E402
from attention_plots.files import exit_status  # noqa: E402
from attention_plots.own_page import remove_figures, write_page  # noqa: E402
from attention_plots.results import Chapter  # noqa: E402

MOST_ROWS = 200  # of the page's table


def similarities(found):
    """The picture of how similar the sentences are."""
    texts = [sentence["text"] for sentence in found["sentences"]]
    values = found["similarities"]
    count = len(values)
    rows = [f"{number}  {text}" for number, text in enumerate(texts[:count], 1)]
    title = "How similar are the sentences? Bright: the same direction of their 512 numbers"
    if count < len(texts):
        title += f"\nThe first {count} of {len(texts)} sentences"
    return plots.matrix(found, values, rows, [str(number) for number in range(1, count + 1)], title, "product of two embeddings", highest=1)


def row(number, sentence):
    pieces = f"{sentence['pieces']}" + (f", {sentence['pieces_taken']} taken" if sentence["pieces"] > sentence["pieces_taken"] else "")
    return f"<tr><td>{number}</td><td>{pieces}</td><td>{html.escape(sentence['text']) or '<i>(empty)</i>'}</td></tr>\n"


def build(chapter):
    """Makes figures and page. Raises Missing where there are no sentences."""
    found = chapter.read("sentences")
    sentences = found["sentences"]
    records = [sentence["record"] for sentence in sentences if sentence["record"]]
    remove_figures(chapter, "sentence_*")
    plots.save(chapter, "similarities", similarities(found))
    for name in records:
        plots.save(chapter, name, plots.heads(chapter.record(name)))

    table = "".join(row(number, sentence) for number, sentence in enumerate(sentences[:MOST_ROWS], 1))
    more = f"<p class=small>And {len(sentences) - MOST_ROWS} more: sentences.json holds all.</p>" if len(sentences) > MOST_ROWS else ""
    couples = "".join(f"<tr><td>{c['first']}</td><td>{c['second']}</td><td>{c['similarity']:.3f}</td></tr>\n" for c in found["most_similar"])
    maps = "".join(f'<p><img src="figures/{name}.svg" alt="The weights of all heads for sentence {name.rpartition("_")[2]}"></p>\n' for name in records)
    left = sum(sentence["record"] is None and sentence["pieces"] > 0 for sentence in sentences)
    note = f"<p class=small>{left} more sentences have no map: the first {len(records)} are drawn.</p>" if left else ""
    introduction = f"""<p>The Universal Sentence Encoder Lite (Cer et al. 2018) turns a sentence into 512 numbers. It is a transformer encoder of two layers
with four heads each, trained by others. It takes 128 pieces of a sentence.</p>
<table><tr><th></th><th>pieces</th><th>sentence</th></tr>
{table}</table>{more}"""
    sections = f"""<h2>How similar are they?</h2>
<p><img src="figures/similarities.svg" alt="How similar each sentence is to each other; sentences.json holds the numbers"></p>
<table><tr><th>sentence</th><th>and</th><th>similarity</th></tr>
{couples}</table>
<h2>What do the heads look at?</h2>
<p>Above the four heads of the first layer, below those of the second. A row is a piece that asks, a column a piece that is looked
at; a row sums to 1. A weight is not an explanation: it says where a head reads, not what the model concludes.</p>
{maps}{note}
"""
    write_page(chapter, "sentences", "Your sentences", introduction, sections, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", required=True, metavar="DIR")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a script that the font lacks shows as boxes
    chapter = Chapter("04_self_attention/text", options.results, "full")
    return exit_status(lambda: build(chapter), remedy="give the sentences again")


if __name__ == "__main__":
    sys.exit(main())
