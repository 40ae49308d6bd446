"""Pictures: the door to disk, colour, size, and the samples that come with the package."""
