"""The settings of each effect."""

from collections.abc import Mapping, Sequence
from typing import Any

from impasto.errors import UsageError
from impasto.filter_settings import QuantizeSettings, SuperpixelSettings
from impasto.motion.coherence_settings import CoherenceSettings
from impasto.motion.video_settings import EffectName
from impasto.settings import PaintSettings, Settings

OF_PICTURES = frozenset({"size", "init", "seed", "enhance"})
"""What of `PaintSettings` has no say in frames: the clip's size is chosen before, they start from
their photos or from frames before them, and enhancing each by itself would make them flicker."""

MODELS: Mapping[EffectName, tuple[type[Settings], ...]] = {
    "paint": (PaintSettings, CoherenceSettings),
    "quantize": (QuantizeSettings,),
    "superpixels": (SuperpixelSettings,),
}
"""Whose fields the settings of each effect are."""


def fields_of(model: type[Settings]) -> list[str]:
    """The settings of a model that have a say in frames."""
    left_out = OF_PICTURES if model is PaintSettings else frozenset[str]()
    return [name for name in model.model_fields if name not in left_out]


def own_settings(effect: EffectName, values: Mapping[str, Any]) -> tuple[Settings, ...]:
    """An effect's settings from values by name; UsageError for what is none of its own."""
    models = MODELS[effect]
    known = {name for model in models for name in fields_of(model)}
    for name in values:
        if name not in known:
            raise UsageError(_strange(name, effect))
    return tuple(
        model.checked({name: values[name] for name in fields_of(model) if name in values})
        for model in models
    )


def decisive(own: Sequence[Settings]) -> dict[str, Any]:
    """Those that decide frames, by name, for a recipe; files are named there by their bytes."""
    found: dict[str, Any] = {}
    for settings in own:
        names = set(fields_of(type(settings))) - {"memory", "palette", "device", "precision"}
        found |= settings.model_dump(mode="json", include=names)
    return found


def _strange(name: str, effect: EffectName) -> str:
    """Why a setting cannot be given with an effect."""
    written = name.replace("_", "-")
    owners = [
        other for other, models in MODELS.items() for model in models if name in fields_of(model)
    ]
    if owners:
        effects = " or ".join(f"--effect {owner}" for owner in owners)
        return f"{written} is a setting of {effects}, not of {effect}; add that, or leave it out"
    return f"no setting {name!r} of videos with the effect {effect}"
