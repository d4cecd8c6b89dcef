"""What a run costs, measured side by side in one run."""
