"""A worker and the machine that it runs on: what it may take of it, and what is installed there."""

import platform
from importlib.metadata import version
from typing import Any

from impasto.cluster.cluster_settings import ClusterSettings
from impasto.threads import VARIABLES


def installed() -> str:
    """What has to be the same on all machines of a cluster."""
    return f"Impasto {version('impasto')} on Python {platform.python_version()}"


def own_memory(settings: ClusterSettings, workers: int) -> int:
    """Bytes that the worker which asks may hold; `workers`: of the whole run.

    As many as there may be beside it on its machine, or on its card, have the same share.
    """
    import ray

    from impasto.neural.budget import default_budget, resident_memory
    from impasto.neural.device import choose_device

    device, node = choose_device("auto"), ray.get_runtime_context().get_node_id()
    if device.type == "cuda":
        beside = max(1, int(1 / settings.gpus))
    else:
        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        has = next(each["Resources"] for each in nodes if each["NodeID"] == node)
        beside = min(workers, settings.room(has))
    held = resident_memory(device)
    return held + (default_budget(device) - held) // beside


def resources(settings: ClusterSettings) -> dict[str, Any]:
    """What Ray is told of a worker.

    Threads that wait sleep, for spinning takes the processors from the other workers.
    """
    variables = dict.fromkeys(VARIABLES, str(settings.threads)) | {"OMP_WAIT_POLICY": "PASSIVE"}
    if not settings.gpus:
        variables["CUDA_VISIBLE_DEVICES"] = ""  # Ray hides no cards of its own accord
    return {
        "num_cpus": settings.threads,
        "num_gpus": settings.gpus,
        "runtime_env": {"env_vars": variables},
    }
