#!/usr/bin/env bash
# tools/install.sh run|dev: bring .venv up to date with requirements/run.txt or dev.txt and the project itself.
# Does nothing when they are as they were at the last install.
set -euo pipefail
which=$1
lock=requirements/$which.txt
venv_python=.venv/bin/python

say() { printf '%s\n' "$*" >&2; }
digest() { sha256sum "$1" setup.cfg pyproject.toml | sha256sum | cut -d ' ' -f 1; }

if ! command -v "$PYTHON" >/dev/null; then
    say "Python is missing. On Debian: apt install python3 python3-venv"
    exit 2
fi
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "$PYTHON is $("$PYTHON" --version); this needs Python 3.11 or newer (PYTHON=python3.12 names another)."
    exit 2
fi

# A virtual environment works in one place only; one that was moved, or half made, is made again.
if [ -e .venv ]; then
    if ! "$venv_python" -m pip --version >/dev/null 2>&1 ||
        { [ -e .venv/installed-in ] && [ "$(cat .venv/installed-in)" != "$PWD" ]; }; then
        rm -rf .venv
    fi
fi
if [ ! -e .venv ]; then
    say "Making a virtual environment in .venv ..."
    if ! "$PYTHON" -m venv .venv; then
        rm -rf .venv
        say "Python cannot make a virtual environment. On Debian: apt install python3-venv"
        exit 2
    fi
fi

wanted=$(digest "$lock")
[ -e ".venv/installed-$which" ] && [ "$(cat ".venv/installed-$which")" = "$wanted" ] && exit 0

say "Installing the locked packages of $lock ..."
rm -f .venv/installed-*
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
"$venv_python" -m pip install --quiet --require-hashes --only-binary :all: -r "$lock"
# The lock holds setuptools, so that this step fetches nothing that is not locked.
"$venv_python" -m pip install --quiet --no-deps --no-build-isolation --editable .

printf '%s\n' "$PWD" > .venv/installed-in
printf '%s\n' "$wanted" > ".venv/installed-$which"
# All that is in run.txt is in dev.txt too (tests/house proves it), so one environment serves both.
[ "$which" = run ] || digest requirements/run.txt > .venv/installed-run
