"""Results of scripted flights as tables, comparisons and a page."""
