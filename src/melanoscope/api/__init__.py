"""What notebooks use: the commands as functions, and their results as tables with figures."""
