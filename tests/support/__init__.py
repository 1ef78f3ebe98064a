"""What the tests share: real wheels, a real index, a real conda channel, real git.

Import as `from support.wheels import make_wheel`; fixtures over these are in `tests/conftest.py`.
"""

from __future__ import annotations
