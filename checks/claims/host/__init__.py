"""The host itself: what comes before the first chapter."""
