"""Every knob with its default, for pyinfra. They stand, each with its why, in `deploys/knobs.py` (as a table: docs/knobs.md);
a host or a group of the inventory may set its own. No secret stands here."""

from deploys.knobs import defaults as _defaults

globals().update(_defaults())
