"""Why an answer is what it is: Integrated Gradients, Shapley values, overlays, the sheet."""
