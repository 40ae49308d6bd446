"""Impasto turns photographs into artwork on your own machine."""
