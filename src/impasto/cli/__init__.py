"""The command line: one command a function; what they do is elsewhere."""

import signal
import sys

from cyclopts import CycloptsError, UnusedCliTokensError

from impasto.cli import (  # noqa: F401 (they add the commands)
    animating,
    batching,
    comparing,
    filming,
    filtering,
    installation,
    moving,
    painting,
    plotting,
    seeing,
    sweeping,
)
from impasto.cli.program import app, fail
from impasto.errors import ExitStatus, ImpastoError, ran_out

__all__ = ["app", "main"]


def main() -> None:
    """Run a command; errors become one sentence on standard error and an exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app(sys.argv[1:], exit_on_error=False, print_error=False, result_action="return_value")
    except UnusedCliTokensError as error:
        words = " ".join(error.unused_tokens or ())
        fail(f"too many arguments: {words}; see the command with --help", ExitStatus.USAGE)
    except CycloptsError as error:
        fail(str(error), ExitStatus.USAGE)
    except ImpastoError as error:
        fail(str(error), error.status)
    except KeyboardInterrupt:
        fail("stopped; nothing was written", ExitStatus.INTERRUPTED)
    except Exception as error:
        if not ran_out(error):
            raise
        fail(
            "memory ran out; make the picture smaller, or end other programs",
            ExitStatus.OUT_OF_MEMORY,
        )
