"""TRIPOD+AI, CLAIM and CLEAR Derm, filled from the facts of a run."""
