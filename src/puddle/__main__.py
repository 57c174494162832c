"""`python -m puddle` is the command `puddle`."""

from puddle.cli import main

main()
