"""Plots of ladders, scaling, memory and attention, drawn from the result files of a chapter.

Functions that draw take what `Chapter` has read and give a matplotlib figure; none knows a chapter's mechanism.
"""
from . import style
from .comparison import comparison
from .cost import accuracy_against_cost
from .curves import curves, panel
from .heads import heads, matrix, plain, spread
from .ladder import ladder, memory
from .overview import side_by_side
from .records import film_strip, looks_at, maps_of_image, over_image, weights
from .results import Chapter, Missing
from .roofline import roofline
from .scaling import scaling
from .show import draw, measured, save, say
from .tables import crossover_table, figure_table, fit_table, ladder_table, row_table, sweep_tables
from .words import coloured_words

__all__ = ["Chapter", "Missing", "accuracy_against_cost", "coloured_words", "comparison", "crossover_table", "curves", "draw", "figure_table", "film_strip", "fit_table", "heads", "ladder", "ladder_table",
           "looks_at", "maps_of_image", "matrix", "measured", "memory", "over_image", "panel", "plain", "roofline", "row_table", "save", "say", "scaling", "side_by_side", "spread", "style", "sweep_tables", "weights"]
