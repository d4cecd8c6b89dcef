"""What a cell shows: HTML and text, progress, a trouble that says what to do, questions."""
