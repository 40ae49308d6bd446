"""Frames made by this process, one after the other."""

from collections.abc import Generator, Sequence

from impasto.motion.shots import Making, Reel, Report, Task, carry_out
from impasto.threads import limited


class Alone:
    """Carries out tasks in this process."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def carry_out(self, tasks: Sequence[Task], making: Making) -> Generator[Report]:
        """Make the frames of all tasks; raises the errors of clips, paintings and disks."""
        if not tasks:
            return
        effect, reel = making.effect(making.place), Reel(making)
        with limited(self._threads):
            for task in tasks:
                yield from carry_out(task, making, effect, reel)
