"""The host that the cells touch: which it is, SSH to it, its snapshots, and what it says of itself."""
