"""Every knob with its default, for pyinfra. `deploys/knobs.py` says why each exists (as a table: docs/knobs.md); a host or a
group of the inventory may set its own value. This file holds no secret."""

from deploys.knobs import defaults as _defaults

globals().update(_defaults())
