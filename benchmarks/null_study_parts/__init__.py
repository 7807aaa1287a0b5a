"""Parts of the study of the statistics themselves; see benchmarks/null_study.py."""
