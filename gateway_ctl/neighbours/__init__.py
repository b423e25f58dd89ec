"""The gate's neighbours on paper: bonded-zone release notes, terminals' messages to customs, container gate reports.

Each module turns bytes into words and words into bytes; how files come and go is edge/lane/papers.py. Pure.
"""
