"""A host's mail log as lines and events, and its settings."""
