"""Small paintings, and what their events say."""

from typing import Any

from impasto.events import Event, Painted, Step

SMALL: dict[str, Any] = {"precision": "float32", "size": 32, "steps": 3, "coarse_steps": 3}
TWO_LEVELS: dict[str, Any] = SMALL | {"size": 64, "levels": 2}


def last(events: list[Event]) -> Painted:
    found = events[-1]
    assert isinstance(found, Painted)
    return found


def steps(events: list[Event]) -> list[Step]:
    return [event for event in events if isinstance(event, Step)]
