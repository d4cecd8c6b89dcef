"""Exercises: a real fault on the learner's own host, told as a user tells it, and graded by the checks.

The faults are data (faults/*.toml). What is going on is written down in the lab's folder, so that this works alone and in a class.
"""
