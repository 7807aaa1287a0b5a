"""Why an answer is what it is: Integrated Gradients, Shapley values, overlays, a page of all."""
