"""The pages of the book, as Markdown for Sphinx: lessons, ladders, rungs, notebooks, the headers' reference."""
