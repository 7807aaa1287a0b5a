"""Commands that are killed, stopped or signaled anywhere, and started again.

`victim.py` is the process that runs one command line and kills itself at an exact event,
`fork_server.py` starts victims without importing PyTorch anew, `commands.py` is the table of
commands, `outcome.py` says what is compared, and `workplace.py` runs a command of the table.
"""
