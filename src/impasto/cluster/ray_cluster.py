"""A Ray cluster, joined or started."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from impasto.cluster.cluster_settings import AUTO
from impasto.errors import ClusterError, UsageError
from impasto.extras import extra

PATIENCE = 10.0
"""Seconds that an address has to answer."""


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """While it lasts, this process is part of the cluster; yields the package `ray`.

    A cluster that was started for this ends with it; others stay. Raises MissingExtra, and
    ClusterError where there is no cluster at that address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told what runs here
    if _has_token():
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    with extra("cluster", "work on a cluster"):
        import ray
    if ray.is_initialized():  # by the program that calls
        yield ray
        return
    check(address)
    try:
        with _own_sigterm():
            ray.init(
                address=None if address == AUTO else address,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        first = str(error).strip().partition("\n")[0]
        raise ClusterError(
            f"cannot join the cluster {address}: {first}; see whether its first machine has the "
            "same version of Ray and the same token, or choose --cluster auto"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Ray takes SIGTERM for itself when it begins, and dies of it; ours ends the run in order."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def check(address: str) -> None:
    """Refuse an address where nobody answers; Ray itself would try for minutes."""
    if address == AUTO:
        return
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not (host and port.isdecimal()):
        raise UsageError(f"cluster must be auto or an address as 192.0.2.10:6379, not {address}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except OSError as error:
        raise ClusterError(
            f"cannot join the cluster {address}: {error.strerror or error}; see on its first "
            "machine with ray status whether it runs, or choose --cluster auto"
        ) from error


def _has_token() -> bool:
    """Whether there is a token for clusters that ask for one, where Ray looks for it."""
    given = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return given or Path.home().joinpath(".ray", "auth_token").is_file()
