"""Who makes the frames of a film."""

from collections.abc import Mapping
from dataclasses import dataclass

from impasto.cluster.cluster_settings import ClusterSettings
from impasto.motion.alone import Alone
from impasto.motion.cluster import Cluster
from impasto.motion.crew import Crew
from impasto.motion.shots import Makers


@dataclass(frozen=True)
class Staff:
    """Workers as they are asked for."""

    workers: int
    """On this machine."""
    threads: int
    """Of each."""
    cluster: ClusterSettings | None = None
    """Whose workers make the frames instead."""

    def makers(self, fitting: int, files: Mapping[str, str], versions: Mapping[str, str]) -> Makers:
        """Those who do the work.

        fitting: workers that there is memory for here. files: {path as given: where it lies here}
        of all inputs. versions: of what decides the frames, which have to be the same everywhere.
        """
        if self.cluster is not None:
            return Cluster(self.cluster, files, versions)
        return Crew(fitting, self.threads) if fitting > 1 else Alone(self.threads)
