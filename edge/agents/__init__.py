"""One process each; they know the rooms below and never each other."""
