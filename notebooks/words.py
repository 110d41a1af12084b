#!/usr/bin/env python3
"""Draws what `./course run 08 --word` has found: RESULTS/08_sequence_to_sequence/word/words.html, and its figures beside it.

A map for each word: which letters each phoneme looks at. Figures of an earlier call go. Exit status: 0 fine; 2 there is nothing
to draw, one line says why.
"""
import argparse
import html
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import attention_plots as plots  # noqa: E402
from attention_plots.files import exit_status  # noqa: E402
from attention_plots.own_page import remove_figures, write_page  # noqa: E402
from attention_plots.results import Chapter  # noqa: E402

def section(word):
    """One word of words.json as a part of the page."""
    known = " or ".join(word["dictionary"]) or "does not have it"
    return f"""<h2>{html.escape(word["word"])}</h2>
<p>{html.escape(word["phonemes"])} (probability {word["probability"]:.3f}). The dictionary: {html.escape(known)}.</p>
<p><img src="figures/{word["record"]}.svg" alt="The weight of each letter for each phoneme of {html.escape(word["word"])}"></p>
"""


def build(chapter):
    """Makes figures and page. Raises Missing where there are no words."""
    found = chapter.read("words")
    remove_figures(chapter, "word_*")
    for word in found["words"]:
        record = chapter.record(word["record"])
        plots.save(chapter, word["record"], plots.weights(record, rows_are="phonemes, as they are said", columns_are="letters",
                                                          reading="Each row is one phoneme: bright is the letter it looks at"))
    sections = "".join(map(section, found["words"]))
    write_page(chapter, "words", "Your words", """<p>A row is a phoneme that is said, a column a letter that is looked at; a row sums to 1. A letter's
annotation knows its neighbours: a map says where the model reads, not what it concludes.</p>""", sections, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", required=True, metavar="DIR")
    options = parser.parse_args()
    chapter = Chapter("08_sequence_to_sequence/word", options.results, "full")
    return exit_status(lambda: build(chapter), remedy="give the words again")


if __name__ == "__main__":
    sys.exit(main())
