"""Results of scripted flights as tables, comparisons and an HTML report."""
