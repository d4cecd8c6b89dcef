"""The marks of chapter 5: what each step leaves in Dovecot's configuration, in Postfix's, and beside them."""

from __future__ import annotations

from notebooks.workbench.mark import Landmark

LANDMARKS: dict[str, Landmark] = {}
