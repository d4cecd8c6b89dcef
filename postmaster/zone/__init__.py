"""The records by which others find this server, and believe it: which are needed, and whether they are there."""
