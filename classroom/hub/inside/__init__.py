"""What runs on the hub itself. JupyterHub is installed there only."""
