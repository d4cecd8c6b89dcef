"""A letter: sent, followed, looked at, moved, held and released."""
