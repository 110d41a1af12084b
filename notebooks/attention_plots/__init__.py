"""Plots of ladders, scaling, memory and attention, drawn from the result files of a chapter.

Every function takes what `results.Chapter` has read and gives a matplotlib figure; none knows a chapter's mechanism.
"""
from .ladder import ladder, memory
from .records import looks_at, weights
from .results import Chapter
from .scaling import scaling
from . import style
from .style import colour, draw
from .tables import crossover_table, fit_table, ladder_table

__all__ = ["Chapter", "colour", "crossover_table", "draw", "fit_table", "ladder", "ladder_table", "looks_at", "memory",
           "scaling", "weights"]
