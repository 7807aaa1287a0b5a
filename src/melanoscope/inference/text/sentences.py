"""The sentences of ``phrases.json``, which the web page imports too when it is built.

A key there is a sentence or a group of sentences; ``{name}`` stands for a value that is already
written as text (numbers are rounded by the code on either side).

``{condition}`` and ``{plural}`` are the target's words.

- ``disclaimer``, ``not_a_device``, ``simulated``, ``dermoscopy``, ``forced``, ``rounded``: notices.
- ``headline``, ``caution``: what the network says at its main threshold, by what it says.
- ``probability``, ``decision``, ``sensitivity``, ``specificity``, ``standing``: one result each.
- ``parts``: names of the logit's addends. ``percent``: shares too near an end for a number.
- ``advice``: kind of quality issue -> what to do about it, in the order in which they are listed.
- ``found``: quality measure -> clause with its value and the limit that it is beyond;
  ``non_finite``: outputs of the network that are no numbers.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

PHRASES: Any = json.loads(files(__package__).joinpath("phrases.json").read_text("utf-8"))
"""Content of ``phrases.json``."""
