#!/usr/bin/env bash
# Make requirements/run.txt and dev.txt again. They name no host and hold a hash of every file, for every Python we support.
set -euo pipefail
command -v uv >/dev/null || { printf 'This needs uv, in a virtual environment of its own and on the PATH.\n' >&2; exit 2; }
compile() {
    uv pip compile --generate-hashes --universal --no-header --no-annotate --no-emit-index-url \
        --python-version 3.11 --quiet --upgrade "$@"
}
compile setup.cfg requirements/run.in -o requirements/run.txt
compile setup.cfg requirements/dev.in --constraint requirements/run.txt -o requirements/dev.txt
