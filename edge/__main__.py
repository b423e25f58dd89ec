"""`python -m edge ...` is `quaygate ...`."""

from edge.cli import main

main()
