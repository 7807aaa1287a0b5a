"""A fuzzer that follows what code was reached (atheris) on what reads strangers' files.

`make fuzz SECONDS=60`, or `python -m tests.fuzz decoder --seconds 60`. docs/fuzzing.md says what is
kept and how a finding becomes a test.
"""
