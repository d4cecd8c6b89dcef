"""Experiments on a lab host: break it, try what the article printed, change Amavis for a moment, read the wire."""
