"""Weights from a hub over HTTP: one file, resumed where it was cut."""

import os
import time
from pathlib import Path
from typing import BinaryIO

import httpx

from .catalogue import EmbeddedModel, HubMirror
from .progress import Progress, Tell
from .trust import accept

CONNECT_SECONDS = 5.0
# A line that carries less than this in one window is as good as dead: another mirror is quicker than waiting.
STALL_SECONDS = 20.0
STALL_BYTES = 64 * 1024
CONTINUATIONS = 5


class MirrorFailed(Exception):
    """This mirror did not give the weights; the text says why, for a person."""


def fetch_from_hub(
    *,
    model: EmbeddedModel,
    mirror: HubMirror,
    path: Path,
    hub_url: str,
    tell: Tell,
    connect_seconds: float = CONNECT_SECONDS,
    stall_seconds: float = STALL_SECONDS,
) -> None:
    """Put the model's file at `path`, or raise MirrorFailed.

    What has arrived stays in `path` + ".part" and the next run goes on from there, except when the hash of the
    finished file was wrong: then nothing of it is kept.
    """
    url = f"{hub_url.rstrip('/')}/{mirror.repo}/resolve/main/{mirror.file}"
    part = path.with_name(path.name + ".part")
    timeout = httpx.Timeout(stall_seconds, connect=connect_seconds)
    continuations = 0
    with httpx.Client(timeout=timeout, follow_redirects=True) as client:
        while (have := _size(part)) != model.bytes:
            if have > model.bytes:
                part.unlink()
                continue
            try:
                _fetch_rest(client, url, part, model, tell, stall_seconds)
            except _Cut as cut:
                arrived = _size(part) - have
                continuations += 1
                if arrived <= 0 or continuations > CONTINUATIONS:
                    raise MirrorFailed(f"{httpx.URL(url).host}: {cut}") from cut
                tell(f"{model.title}: the download was cut ({cut}); going on from where it stopped")
    if not accept(part, path, model):
        raise MirrorFailed(f"{httpx.URL(url).host}: what it sent has another SHA-256, so it was deleted")


class _Cut(Exception):
    """The line ended early; what arrived is kept."""


def _fetch_rest(
    client: httpx.Client, url: str, part: Path, model: EmbeddedModel, tell: Tell, stall_seconds: float
) -> None:
    have = _size(part)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    host = httpx.URL(url).host
    try:
        with client.stream("GET", url, headers=headers) as response:
            if response.status_code == 416:
                part.unlink(missing_ok=True)
                raise MirrorFailed(
                    f"{host}: it refused to go on with the part that was here; that part was deleted"
                )
            if response.status_code not in (200, 206):
                raise MirrorFailed(f"{host}: it answered {response.status_code}")
            if have and not _continues(response, have):
                have = 0
            announced = response.headers.get("content-length")
            if announced and announced.isdigit() and have + int(announced) != model.bytes:
                raise MirrorFailed(
                    f"{host}: its file has {have + int(announced):,} bytes where {model.bytes:,} are expected"
                )
            progress = Progress(label=model.title, total=model.bytes, tell=tell, done=have)
            with part.open("ab" if have else "wb") as file:
                _copy(response, file, progress, stall_seconds)
                file.flush()
                os.fsync(file.fileno())
    except httpx.ConnectTimeout as error:
        raise MirrorFailed(f"{host}: no connection in time") from error
    except httpx.ConnectError as error:
        raise MirrorFailed(f"{host}: it cannot be reached") from error
    except httpx.TimeoutException as error:
        raise _Cut("it fell silent") from error
    except httpx.TransportError as error:
        raise _Cut("the connection broke") from error
    except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
        raise MirrorFailed(f"{host}: its address does not work") from error


def _continues(response: httpx.Response, have: int) -> bool:
    return response.status_code == 206 and response.headers.get("content-range", "").startswith(
        f"bytes {have}-"
    )


def _copy(response: httpx.Response, file: BinaryIO, progress: Progress, stall_seconds: float) -> None:
    window_began, window_bytes = time.monotonic(), 0
    for chunk in response.iter_raw():
        file.write(chunk)
        progress.add(len(chunk))
        window_bytes += len(chunk)
        if progress.done > progress.total:
            raise MirrorFailed("it sent more bytes than the model has")
        if time.monotonic() - window_began > stall_seconds:
            if window_bytes < STALL_BYTES:
                raise _Cut("it sent next to nothing")
            window_began, window_bytes = time.monotonic(), 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
