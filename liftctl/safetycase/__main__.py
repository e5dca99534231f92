"""`python -m liftctl.safetycase`: writes docs/safety/ (`make docs`)."""

from __future__ import annotations

from liftctl.safetycase.book import write

write()
