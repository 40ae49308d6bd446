"""What a worker of a cluster may take of its machine."""

import os
import secrets
import subprocess
import sys

import pytest

SHARES = """
import ray
from impasto.cluster.cluster_settings import ClusterSettings
from impasto.cluster.machine import own_memory

ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
share = ray.remote(num_cpus=1)(own_memory)
runs = [(1, 1), (1, 2), (1, 9), (2, 9)]
print(*ray.get([share.remote(ClusterSettings(threads=t), workers) for t, workers in runs]))
"""


@pytest.mark.xdist_group("clusters")
@pytest.mark.skipif(sys.platform == "win32", reason="Ray is started by hand there")
def test_workers_of_one_machine_share_its_memory() -> None:
    own = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    done = subprocess.run(
        [sys.executable, "-c", SHARES], env=os.environ | own, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    alone, two, full, wide = map(int, done.stdout.split())
    assert two / alone == pytest.approx(1 / 2, abs=0.15)
    assert full / alone == pytest.approx(1 / 4, abs=0.15)  # four processors: no more fit
    assert wide / alone == pytest.approx(1 / 2, abs=0.15)
