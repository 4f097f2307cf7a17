#!/usr/bin/env bash
# The browser tests need a real Chromium: install Debian's when it is missing and we may, else say what is skipped.
set -uo pipefail
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    printf 'Installing Chromium for the browser tests ...\n' >&2
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    if apt-get update >"$log" 2>&1 && apt-get install -y --no-install-recommends chromium >>"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 5 "$log" >&2
    rm -f "$log"
fi
printf 'There is no Chromium, so the tests in a real browser are SKIPPED. On Debian: apt install chromium\n' >&2
