"""Which of several networks is best: comparisons with the best, and what choosing it flatters."""
