"""For how many workers a cluster has room."""

from typing import Any

import pytest

from impasto.cluster.cluster_settings import ClusterSettings
from impasto.errors import ClusterError


@pytest.mark.parametrize(
    ("settings", "has", "room"),
    [
        ({}, {"CPU": 2.0}, 2),
        ({"threads": 4}, {"CPU": 11.0}, 2),
        ({"gpus": 0.5}, {"CPU": 16.0, "GPU": 2.0}, 4),
        ({"gpus": 1, "threads": 8}, {"CPU": 16.0, "GPU": 8.0}, 2),
    ],
)
def test_room_is_what_processors_and_cards_allow(
    settings: dict[str, Any], has: dict[str, float], room: int
) -> None:
    assert ClusterSettings(**settings).room(has) == room


def test_a_worker_lives_on_one_machine() -> None:
    machines = [{"CPU": 8.0}, {"CPU": 7.0}, {"CPU": 3.0, "GPU": 4.0}]
    assert ClusterSettings(threads=3).room(*machines) == 2 + 2 + 1
    assert ClusterSettings(threads=3, gpus=1).room(*machines) == 1
    with pytest.raises(ClusterError, match="room for a worker with 9 threads: the largest have 8"):
        ClusterSettings(threads=9).room(*machines)


@pytest.mark.parametrize("settings", [{"threads": 3}, {"gpus": 1}])
def test_too_small_a_cluster_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ClusterError, match="have 2 processors and 0 GPUs; take fewer"):
        ClusterSettings(**settings).room({"CPU": 2.0})
