"""Two runs of the benchmarks held against each other. Nothing here needs more than Python itself: the table must come out where
there is no matplotlib, and the figure of it is attention_plots/comparison.py.

documents.py    reads what `./course bench --json` or a chapter has written, and refuses what is not that
differences.py  what else than the code differs between the two: machine, compiler, flags, pinning, settings
judging.py      the statistics: ratio of the medians, its interval, and when it counts
pairs.py        which entry of one file belongs to which of the other
report.py       the comparison as a document, as Markdown, and as a table for the terminal
"""
