"""The errors a person can cause or meet, each with the exit status of the command that raises it.

A message is one sentence that says what, where and what to do next.
"""

from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """What the process returns to the shell; these numbers are stable."""

    OK = 0
    USAGE = 2
    BAD_INPUT = 3
    OUT_OF_MEMORY = 4
    PARTIAL = 5
    INTERRUPTED = 130


class ImpastoError(Exception):
    """Base of all expected errors; anything else that escapes is a defect of Impasto."""

    status: ClassVar[ExitStatus] = ExitStatus.BAD_INPUT


class UsageError(ImpastoError):
    """The request makes no sense: an unknown value, an output that would destroy an input."""

    status = ExitStatus.USAGE


class UnreadableImage(ImpastoError):
    """An input picture is missing, damaged, empty, not a picture, or too large to be one."""


class UnreadableVideo(ImpastoError):
    """An input video is missing, damaged from the start, without pictures, or no video at all."""


class UnwritableOutput(ImpastoError):
    """The output cannot be written: no such folder, no permission, no space."""


class BadWeights(ImpastoError):
    """A weight file is missing, damaged, unsafe, or does not hold VGG-19."""


class BadRecipe(ImpastoError):
    """A recipe or checkpoint is missing, damaged, or its inputs are gone or changed."""


class BadLog(ImpastoError):
    """The log of a painting is missing, damaged, or not one."""


class MissingExtra(ImpastoError):
    """A package that only some commands need is not installed."""


class ClusterError(ImpastoError):
    """A cluster cannot be joined or has no room; its workers do not begin, differ, or all die."""


class NotEnoughMemory(ImpastoError):
    """The job needs more memory than there is."""

    status = ExitStatus.OUT_OF_MEMORY


class Interrupted(ImpastoError):
    """Somebody stopped the job; the message says what was saved and how to go on."""

    status = ExitStatus.INTERRUPTED


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory could not be allocated.

    PyTorch has an error of its own only for CUDA; it words that of Linux and macOS, of Windows,
    and of Apple's GPU differently, oneDNN does not say why it gave up, libraries that do not fit
    are not imported, and threads find no room for their stacks.
    """
    phrases = (
        "can't allocate memory",
        "not enough memory",
        "out of memory",
        "could not create a",
        "failed to map segment",
        "Cannot allocate memory",
        "Error creating thread",
    )
    return isinstance(error, MemoryError) or any(phrase in str(error) for phrase in phrases)
