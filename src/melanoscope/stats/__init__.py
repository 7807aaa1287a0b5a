"""From predictions to numbers that hold: metrics, intervals, comparisons. No torch, no polars."""
