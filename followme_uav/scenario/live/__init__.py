"""The progress of a run while it flies: on the terminal, and on a page for the browser."""
