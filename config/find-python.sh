#!/bin/sh
# Prints the path of the newest Python from 3.12 to 3.14 that really runs: on PATH, under pyenv, or through uv.
# A pyenv shim is on PATH but fails unless its version is chosen, and Debian's python3 may lack venv: each is tried.
set -u

version_of() { # prints "3 13" for a Python that can make a virtual environment, nothing otherwise
    "$1" -c 'import ensurepip, sqlite3, ssl, sys, venv; print(*sys.version_info[:2])' 2>/dev/null </dev/null
}

newest="" newest_minor=11
consider() {
    version=$(version_of "$1") || return 0
    minor=${version#3 }
    case $version in "3 12" | "3 13" | "3 14") ;; *) return 0 ;; esac
    if [ "$minor" -gt "$newest_minor" ]; then newest=$1 newest_minor=$minor; fi
}

for name in python3.14 python3.13 python3.12 python3; do
    found=$(command -v "$name") && consider "$found"
done
for found in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-4]*/bin/python; do
    [ -x "$found" ] && consider "$found"
done
if [ -z "$newest" ] && command -v uv >/dev/null; then
    found=$(uv python find --no-project '>=3.12,<3.15' 2>/dev/null) || {
        echo "No Python from 3.12 on was found; uv installs one." >&2
        uv python install 3.13 >&2 && found=$(uv python find --no-project 3.13)
    }
    [ -n "$found" ] && consider "$found"
fi
if [ -z "$newest" ]; then
    cat >&2 <<'END'
No Python from 3.12 to 3.14 that runs was found: not on PATH, not under pyenv, not through uv. Nothing was changed.
Install one, then run the same command again:
  Debian, Ubuntu   apt install python3.13 python3.13-venv   (or 3.12, where that is the newest)
  macOS            brew install python@3.13
  anywhere         install uv (https://docs.astral.sh/uv/), which then brings its own Python
END
    exit 1
fi
echo "$newest"
