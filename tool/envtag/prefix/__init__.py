"""Prefixes: from a lock to a directory in which its Python runs, and into its environment.

Callers import the module that they need: finding an environment (`marker`) and entering it (`activation`) is what every
`run` does, and costs nothing of what creating one (`creation`) does.
"""

from __future__ import annotations
