"""The link to a Chinese customs gate: JGS/T 14—2015. MANUAL.md says what it speaks and how it is put to work."""
