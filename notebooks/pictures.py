#!/usr/bin/env python3
"""Draws what `./course run 06 --image` has found: RESULTS/06_convolutional_attention/image/pictures.html, and its figures beside it.

For each picture its classes by each network, and the places that the networks look at. Figures of an earlier call go. Exit status: 0
fine; 2 there is nothing to draw, one line says why.
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


def section(picture, classes):
    """One picture of pictures.json as a part of the page."""
    rows = ""
    for reading in picture["readings"]:
        best = sorted(zip(reading["probabilities"], classes), reverse=True)[:3]
        shares = ", ".join(f"{name} {share:.2f}" for share, name in best)
        rows += f"<tr><td>{html.escape(reading['network'])}</td><td>{html.escape(shares)}</td></tr>\n"
    return f"""<h2>{html.escape(picture["file"])}</h2>
<table><tr><th>network</th><th>likeliest classes</th></tr>
{rows}</table>
<p><img src="figures/{picture["record"]}.svg" alt="Where the networks look in {html.escape(picture["file"])}"></p>
"""


def build(chapter):
    """Makes figures and page. Raises Missing where there are no pictures."""
    found = chapter.read("pictures")
    remove_figures(chapter, "picture_*")
    for picture in found["pictures"]:
        plots.save(chapter, picture["record"], plots.maps_of_image(chapter.record(picture["record"])))
    sections = "".join(section(picture, found["classes"]) for picture in found["pictures"])
    write_page(chapter, "pictures", "Your pictures", """<p>Each picture was cut to what differs from its corner, made 28 × 28 pixels and dark where its edge was bright, as
the pictures that the networks have learnt from. They know ten kinds of clothes and nothing else: of anything else they will say one of the ten.</p>""",
               sections, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", required=True, metavar="DIR")
    options = parser.parse_args()
    chapter = Chapter("06_convolutional_attention/image", options.results, "full")
    return exit_status(lambda: build(chapter), remedy="give the pictures again")


if __name__ == "__main__":
    sys.exit(main())
