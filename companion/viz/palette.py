"""Colours that keep their meaning through the whole book, and the column they stand in."""

# Told apart under every common colour blindness; the site's style sheet holds the same values (a test compares them).
COLOURS = {"real": "#0072B2", "fake": "#D55E00", "generator": "#009E73", "critic": "#AA4499"}
GREY = "#6B7280"
INK = "#1F2933"
WIDTH = 7.0  # inches: the book's column
DPI = 110  # pixels to an inch of it
