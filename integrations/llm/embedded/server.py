"""The embedded model server: llama.cpp on loopback, in a process of its own.

    EMBEDDED_API_KEY=... python -m integrations.llm.embedded.server --model FILE.gguf --port N

It ends with the process that started it, however that one ends, and at once on SIGTERM or Ctrl-C: it keeps nothing
that would be lost. Settings: EMBEDDED_THREADS (1), EMBEDDED_PARALLEL (1), EMBEDDED_CONTEXT (8192 tokens a slot).
"""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .catalogue import embedded_models, model_name_of
from .profile import API_KEY_ENV

# Prompts that lost their slot wait here for their next request; a few instruction prefixes fit.
CACHE_MIB = 256
# A small model that runs away is stopped here, whatever the request allowed.
LONGEST_ANSWER = 4096
PARENT_CHECK_SECONDS = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    parent = os.getppid()
    parser = argparse.ArgumentParser(description="Serve a GGUF model on loopback.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=_setting("EMBEDDED_THREADS", 1))
    parser.add_argument("--parallel", type=int, default=_setting("EMBEDDED_PARALLEL", 1))
    parser.add_argument(
        "--context", type=int, default=_setting("EMBEDDED_CONTEXT", 8192), help="tokens a slot"
    )
    parser.add_argument("--outlive-parent", action="store_true", help="go on when the starting process ends")
    given = parser.parse_args(arguments)
    key = os.environ.get(API_KEY_ENV, "")
    if not key:
        return _say(f"{API_KEY_ENV} is not set. Set it to a random key for the embedded model server.")
    if not given.model.is_file():
        return _say(f"There is no model file {given.model}. Fetch one, or name another in EMBEDDED_MODEL.")
    if problem := missing_instructions(_cpu_flags()):
        return _say(problem)
    # The default handlers end the process even while it computes; Python's would wait for that.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not given.outlive_parent:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    began = time.monotonic()
    try:
        server = serve(
            model=given.model,
            port=given.port,
            key=key,
            threads=given.threads,
            parallel=given.parallel,
            context=given.context,
        )
    except ImportError as error:
        return _say(why_not_importable(error))
    except RuntimeError as error:
        return _say(
            f"The embedded model server could not start: {error}. Is port {given.port} free, and the file whole?"
        )
    title = title_of(given.model)
    seconds = time.monotonic() - began
    print(
        f"Embedded model {title} is ready at {server.listening_address} after {seconds:.1f} s"
        f" ({given.threads} thread{'s' if given.threads > 1 else ''}, {given.parallel} at a time)",
        flush=True,
    )
    while True:
        signal.pause()


def serve(*, model: Path, port: int, key: str, threads: int, parallel: int, context: int) -> Any:
    """Start llama.cpp's server in this process and return it once the model is loaded; it runs as long as the
    object lives. Raises ImportError without the library or what it needs, RuntimeError when it cannot start."""
    import xllamacpp  # needs libgomp and loads 50 MB: only the process that serves should

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {title_of(model)}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.api_keys = [key]
    parameters.ui = False
    parameters.offline = True
    parameters.n_gpu_layers = 0
    parameters.n_ctx = context * parallel
    parameters.n_parallel = parallel
    parameters.n_predict = LONGEST_ANSWER
    parameters.cache_prompt = True
    parameters.cache_ram_mib = CACHE_MIB
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.endpoint_slots = False
    parameters.verbosity = 0
    return xllamacpp.Server(parameters)


def title_of(model: Path) -> str:
    """The name under which the model answers, and which runs keep."""
    known = embedded_models().get(model_name_of(model))
    return known.title if known else model.stem


def missing_instructions(cpu_flags: frozenset[str] | None) -> str:
    """What to tell when the processor lacks what the prebuilt library is made for; empty when it is there or cannot
    be known."""
    if cpu_flags is None or "avx2" in cpu_flags:
        return ""
    return (
        "This processor has no AVX2, which the embedded model needs. Set OPENAI_BASE_URL or OPENAI_API_KEY to use"
        " a model elsewhere."
    )


def why_not_importable(error: ImportError) -> str:
    if "libgomp" in str(error):
        return (
            "The embedded model needs the library libgomp, which this system lacks. Install it (Debian and Ubuntu:"
            " apt-get install libgomp1; Fedora: dnf install libgomp; Alpine: apk add libgomp) and start again."
        )
    return f"The embedded model library xllamacpp cannot be loaded ({error}). Run the installation again."


def _cpu_flags() -> frozenset[str] | None:
    """None where the processor does not list them, or is no x86 one (those need no AVX2)."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    flags = next((line for line in lines if line.startswith("flags")), None)
    return frozenset(flags.partition(":")[2].split()) if flags else None


def _end_with(parent: int) -> None:
    # A killed parent cannot tell its children; that they were handed to another process is seen by asking.
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(0)


def _setting(name: str, default: int) -> int:
    given = os.environ.get(name, "").strip()
    return int(given) if given.isdigit() and int(given) > 0 else default


def _say(problem: str) -> int:
    print(problem, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
