"""What differs from one process that makes frames to another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """Where inputs lie, and what a process may take; as given, by default."""

    files: Mapping[str, str] = field(default_factory=dict)
    """{path as given: path here}; what is not among them lies where it says."""
    memory: Callable[[], int] | None = None
    """Tells the bytes to hold at most where settings say `auto`."""

    def path(self, given: object) -> str:
        """Where a file lies that was given by this path."""
        return self.files.get(str(given), str(given))
