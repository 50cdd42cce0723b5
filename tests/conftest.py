"""For all tests: time says nothing on a shared machine, so no example has a deadline."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("wrapkit", deadline=None)
settings.load_profile("wrapkit")
