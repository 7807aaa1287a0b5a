"""The version of the package, which bundles and runs record."""

__version__ = "0.1.0"
