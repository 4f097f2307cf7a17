#!/usr/bin/env bash
# The demonstration: an instance with invented cases, the web server and the clock, until Ctrl-C.
set -euo pipefail
meldpunt=.venv/bin/meldpunt
export MELDPUNT_INSTANCE=${MELDPUNT_INSTANCE:-instance}
# localhost, not 127.0.0.1: a browser refuses passkeys on an address of numbers.
export MELDPUNT_BASE_URL=${MELDPUNT_BASE_URL:-http://localhost:$PORT}

answers() { (exec 3<>"/dev/tcp/localhost/$PORT") 2>/dev/null; }

if answers; then
    printf 'Port %s is in use already. Another one: make run PORT=%s\n' "$PORT" "$((PORT + 1))" >&2
    exit 2
fi

if [ ! -e "$MELDPUNT_INSTANCE/server.key" ]; then
    printf 'Making a demonstration with invented cases in %s ...\n' "$MELDPUNT_INSTANCE"
    # Half a demonstration would be taken for a whole one next time.
    held=$(find "$MELDPUNT_INSTANCE" -mindepth 1 ! -name .gitkeep 2>/dev/null | head -n 1)
    if ! "$meldpunt" demo; then
        [ -n "$held" ] || find "$MELDPUNT_INSTANCE" -mindepth 1 ! -name .gitkeep -delete
        exit 1
    fi
fi

children=()
stop() {
    trap - EXIT INT TERM
    for child in "${children[@]}"; do kill -TERM "$child" 2>/dev/null || true; done
    wait "${children[@]}" 2>/dev/null || true
}
trap stop EXIT
trap 'stop; exit 0' INT TERM

"$meldpunt" serve --port "$PORT" & children+=($!)
"$meldpunt" clock & children+=($!)

for _ in {1..300}; do
    answers && break
    kill -0 "${children[0]}" 2>/dev/null || break
    sleep 0.1
done
if answers; then
    printf '\nThe meldpunt is on %s\nThe accounts of the demonstration:\n' "$MELDPUNT_BASE_URL"
    "$meldpunt" demo accounts
    printf '\nCtrl-C stops it.\n'
fi

# Neither is of use without the other: when one ends, both do, and with its status.
wait -n "${children[@]}"
