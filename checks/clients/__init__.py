"""Protocols as a client speaks them, and the host as its own tools show it. No check stands here."""
