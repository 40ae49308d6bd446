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


@pytest.mark.parametrize("settings", [{"threads": 3}, {"gpus": 1}])
def test_too_small_a_cluster_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ClusterError, match="2 processors and 0 GPUs, too few"):
        ClusterSettings(**settings).room({"CPU": 2.0})
