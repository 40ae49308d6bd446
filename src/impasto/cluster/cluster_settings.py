"""Which cluster does the work, and what of it is taken."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from impasto.errors import ClusterError, UsageError
from impasto.settings import Settings

AUTO = "auto"


class ClusterSettings(Settings):
    """A Ray cluster and its workers."""

    cluster: str = Field(
        AUTO,
        description="work on a Ray cluster: its address, or 'auto' for the one that this machine "
        "is part of, or else a new one on it",
    )
    workers: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto", description="workers on the cluster; 'auto' is as many as it has room for"
    )
    gpus: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="graphics cards of each worker on the cluster; with 0.5, two share one",
    )
    threads: int = Field(1, ge=1, description="threads that each worker computes with")

    @classmethod
    def asked(cls, values: Mapping[str, Any]) -> "ClusterSettings | None":
        """The cluster that is asked for, if one is; UsageError for workers without one."""
        if values and values.get("cluster") is None:
            name = next(iter(values))
            raise UsageError(
                f"--{name} is of a cluster's workers; add --cluster auto, or leave it out"
            )
        return cls.checked(dict(values)) if values else None

    def room(self, *machines: Mapping[str, float]) -> int:
        """For how many workers machines with these resources have room; ClusterError for none.

        A worker lives on one of them: what several have left over makes no further one.
        """
        room = sum(map(self._on, machines))
        if room < 1:
            cpus, gpus = (
                max((has.get(kind, 0.0) for has in machines), default=0.0)
                for kind in ("CPU", "GPU")
            )
            wanted = f"{self.threads} threads" + (f" and {self.gpus:g} GPUs" if self.gpus else "")
            raise ClusterError(
                f"no machine of the cluster has room for a worker with {wanted}: the largest have "
                f"{cpus:g} processors and {gpus:g} GPUs; take fewer of them, or add a machine"
            )
        return room

    def _on(self, has: Mapping[str, float]) -> int:
        room = int(has.get("CPU", 0.0)) // self.threads
        return min(room, int(has.get("GPU", 0.0) / self.gpus)) if self.gpus else room
