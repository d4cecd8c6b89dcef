"""The class: a mail host for each learner, the board that shows them all, and mail between them.

The hosts are the lab's, and so is what separates them (lab/places.py). Commands: python -m classroom --help
"""
