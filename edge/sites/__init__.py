"""Site files: one to learn from, and the schema that editors check against."""
