"""What came of the work, in figures: one filter, one file for each report, and the same rows for page and files."""
