"""A Ray cluster, joined or started."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from impasto.collection.cluster_settings import AUTO
from impasto.errors import ClusterError
from impasto.extras import extra


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """While it lasts, this process is part of the cluster; yields the package `ray`.

    A cluster that was started for this ends with it; others stay. Raises MissingExtra, and
    ClusterError where there is no cluster at that address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told what runs here
    with extra("cluster", "painting on a cluster"):
        import ray
    if ray.is_initialized():  # by the program that calls
        yield ray
        return
    try:
        ray.init(
            address=None if address == AUTO else address,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        first = str(error).strip().partition("\n")[0]
        raise ClusterError(
            f"cannot join the cluster {address}: {first}; see on its first machine with ray status "
            "whether it runs, or choose --cluster auto"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()
