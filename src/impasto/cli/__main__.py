"""`python -m impasto.cli` is `impasto`."""

from impasto.cli import main

main()
