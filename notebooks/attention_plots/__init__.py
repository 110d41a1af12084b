"""Plots of ladders, scaling, memory and attention, drawn from the result files of a chapter.

Functions that draw take what `Chapter` has read and give a matplotlib figure; none knows a chapter's mechanism.
"""
from . import style
from .comparison import comparison
from .cost import accuracy_against_cost
from .curves import curves, panel
from .explanation import agreements, by_words, encoder_measures, entropy_and_distance, through_layers
from .heads import heads, matrix, plain, spread
from .ladder import ladder, memory
from .lines import lines
from .overview import side_by_side
from .records import film_strip, looks_at, maps_of_image, over_image, weights
from .results import Chapter, Missing
from .roofline import roofline
from .scaling import scaling
from .show import draw, measured, save, say
from .tables import crossover_table, figure_table, fit_table, ladder_table, row_table, sweep_tables
from .viewer import packed, records_of_page, write_viewer
from .words import coloured_words

__all__ = ["Chapter", "Missing", "accuracy_against_cost", "agreements", "by_words", "coloured_words", "comparison", "crossover_table", "curves", "draw", "encoder_measures", "entropy_and_distance", "figure_table", "film_strip", "fit_table", "heads", "ladder", "ladder_table", "lines",
           "looks_at", "maps_of_image", "matrix", "measured", "memory", "over_image", "packed", "panel", "plain", "records_of_page", "roofline", "row_table", "save", "say", "scaling", "side_by_side", "spread", "style", "sweep_tables", "through_layers", "weights", "write_viewer"]
