"""The pages of the book, as Markdown for Sphinx: lessons, ladders, rungs, notebooks and the reference of the headers."""
