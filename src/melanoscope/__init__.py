"""melanoscope: which network recognises melanoma, does transfer learning help, and does it hold.

Research software, not a medical device.
"""

__version__ = "0.1.0"
