#!/bin/sh
# Makes .venv when there is none that works, and installs the named requirement files (with hashes) that changed since.
# A second run does nothing and takes a moment: sh config/install.sh requirements.txt [requirements-dev.txt]
set -u
cd "$(dirname "$0")/.." || exit 1

usable() {
    [ ! -e .venv/being-made ] && .venv/bin/python -c '
import sys, pip
sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

if ! usable; then
    python=$(sh config/find-python.sh) || exit 1
    [ -e .venv ] && echo "The .venv here is unfinished or does not run any more; it is made again."
    rm -rf .venv
    echo "Making .venv with $("$python" -V) ($python)"
    mkdir .venv && touch .venv/being-made # left behind when interrupted
    "$python" -m venv .venv || {
        echo "The virtual environment could not be made; the lines above say why. Nothing else was changed." >&2
        exit 1
    }
    rm .venv/being-made
fi

for file in "$@"; do
    installed=.venv/installed-$file
    cmp -s "$file" "$installed" && continue
    echo "Installing $file; the first time this takes a minute or two"
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 .venv/bin/python -m pip install --require-hashes -r "$file" || {
        cat >&2 <<END
Not everything in $file could be installed; the lines above say why. What was fetched is kept.
Without a connection to the package index: connect, then run the same command again; it goes on where it stopped.
With "THESE PACKAGES DO NOT MATCH THE HASHES": an index serves other files than were tested; do not go round it.
With "No matching distribution found": there is no build for this machine; use Linux or macOS with Python 3.12 to 3.14.
END
        exit 1
    }
    cp "$file" "$installed"
done
