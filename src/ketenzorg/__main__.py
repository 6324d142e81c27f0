"""`python -m ketenzorg`."""

from ketenzorg.cli import main

main()
