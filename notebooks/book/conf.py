"""Sphinx's settings for the book: notebooks as they were executed, light and dark, with a search box."""

project = "mailroom, the runbook"
author = "the mailroom authors"
copyright = f"2026 {author}"  # Sphinx names no author by itself
extensions = ["myst_nb"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 2
nb_execution_mode = "off"  # book.py has executed them, in order, on one host
nb_merge_streams = True
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sourcelink = False
html_css_files = ["book.css"]
html_static_path = ["static"]
pygments_style = "friendly"
pygments_dark_style = "monokai"
