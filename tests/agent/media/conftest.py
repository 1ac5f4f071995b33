from __future__ import annotations

from hypothesis import settings

# Fewer examples than hypothesis' hundred: these tests run on every change, beside a hundred others.
settings.register_profile("media", max_examples=40, deadline=None)
settings.load_profile("media")
