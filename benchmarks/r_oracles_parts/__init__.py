"""Parts of the comparison with R; see benchmarks/r_oracles.py."""
