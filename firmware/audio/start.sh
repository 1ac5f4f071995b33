#!/bin/bash
# What halsorum-audio.service runs: PipeWire, its session manager and its door for the browser, which live and die
# together. WirePlumber 0.4.13 does not link again what it finds in a PipeWire that outlived another WirePlumber
# (measured), so one that dies takes the others along and systemd starts them anew, within a second or two.
# Needs XDG_RUNTIME_DIR and XDG_STATE_HOME; tells systemd when the canceller's nodes can be used.
set -eu

here=$(dirname "$(readlink -f "$0")")
export XDG_CONFIG_HOME=$here
export DISABLE_RTKIT=1
unset DBUS_SESSION_BUS_ADDRESS DISPLAY
programs=()
declare -A names
trap 'kill "${programs[@]}" 2>/dev/null || true' EXIT
trap 'exit 0' TERM INT

say() {
    if [ -n "${NOTIFY_SOCKET:-}" ]; then systemd-notify "$@"; fi
}

# What ended and how: SIGXCPU is PipeWire's real-time thread at the soft LimitRTTIME= of the unit.
ended() {
    local name=${names[$1]:-one of its programs} how="with status $2"
    [ "$2" -gt 128 ] && how="by SIG$(kill -l $(($2 - 128)))"
    if [ "$2" = $((128 + $(kill -l XCPU))) ]; then
        how="by SIGXCPU: it has used the processor longer without a pause than real-time threads may"
    fi
    echo "halsorum-audio: $name ended $how; the sound is started anew" >&2
    exit 1
}

# Whether one of the programs has ended; if so, so do we.
look() {
    local each status=0
    for each in "${programs[@]}"; do
        if ! kill -0 "$each" 2>/dev/null; then
            wait "$each" || status=$?
            ended "$each" "$status"
        fi
    done
}

# Polls every 0.1 s for as long as all programs run: how long that may take is said in one place, the unit's
# TimeoutStartSec=, by which systemd ends what hangs; `systemctl status` then says what was waited for.
until_done() {
    say --status="Waiting for: $*"
    until "$@" >/dev/null 2>&1; do
        look
        sleep 0.1
    done
}

start() {
    "$@" &
    programs+=($!)
    names[$!]=$1
}

# Before pipewire-pulse makes it 0700: its group is to get in, as everywhere in this folder.
rm -f "$XDG_RUNTIME_DIR/pulse/native"
mkdir -p -m 0750 "$XDG_RUNTIME_DIR/pulse"

# How long after the browser's sound the loudspeaker's comes back by the microphone, less some reserve, is a matter of
# the sound card: PipeWire's configuration knows no variables, so it is put in here.
delay_ms=${HALSORUM_PLAY_DELAY_MS:-30}
if ! [[ $delay_ms =~ ^[0-9]{1,3}$ ]]; then
    echo "halsorum-audio: HALSORUM_PLAY_DELAY_MS is $delay_ms, not 0 to 999 (/etc/halsorum/audio.env); 30 is taken" >&2
    delay_ms=30
fi
# A speakerphone that cancels by itself is better left alone: two cancellers in a row spoil each other's work.
canceller=${HALSORUM_ECHO_CANCELLER:-on}
if [[ $canceller != on && $canceller != off ]]; then
    echo "halsorum-audio: HALSORUM_ECHO_CANCELLER is $canceller, not on or off (/etc/halsorum/audio.env); on is taken" >&2
    canceller=on
fi
library=webrtc
[ "$canceller" = on ] || library=null
sed -e "s|@PLAY_DELAY@|$((10#$delay_ms * 48))/48000|" -e "s|@CANCELLER@|aec/libspa-aec-$library|" \
    "$here/pipewire/pipewire.conf" > "$XDG_RUNTIME_DIR/pipewire.conf"

start pipewire -c "$XDG_RUNTIME_DIR/pipewire.conf"
until_done pw-cli info 0
start wireplumber
# Ports are WirePlumber's work: once they are there, it has taken the canceller in.
until_done pw-link --input echo-cancel-sink
start pipewire-pulse
until_done test -S "$XDG_RUNTIME_DIR/pulse/native"
say --ready --status="Sound ready, echo canceller $canceller"
# One that ended while we were polling is not told by wait -n any more: the trap looks, and so do we once.
trap look CHLD
look
status=0
wait -n -p which "${programs[@]}" || status=$?
ended "${which:-0}" "$status"
