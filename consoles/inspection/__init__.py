"""The image review: pictures by digest, a desk of tasks, verdicts that are signed."""
