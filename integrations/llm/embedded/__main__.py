"""Get the weights, then become the model server: `python -m integrations.llm.embedded standard --folder X --port N`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .weights import find_weights


def main() -> int:
    parser = argparse.ArgumentParser(description="Fetch an embedded model and serve it on loopback.")
    parser.add_argument("model", help="standard, lite, tiny, or the path of a GGUF file")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pid-file", type=Path)
    given = parser.parse_args()
    if given.pid_file:
        given.pid_file.write_text(str(os.getpid()))  # the same process serves, after exec
    weights = find_weights(
        name_or_path=given.model, folder=given.folder, progress=lambda text: print(text, flush=True)
    )
    command = [
        sys.executable,
        "-m",
        "integrations.llm.embedded.server",
        "--model",
        str(weights),
        "--port",
        str(given.port),
    ]
    os.execv(sys.executable, command)  # noqa: S606 - our own module


if __name__ == "__main__":
    raise SystemExit(main())
