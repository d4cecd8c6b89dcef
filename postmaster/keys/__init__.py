"""The keys that sign a domain's letters (DKIM), and how the next one takes over."""
