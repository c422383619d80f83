#!/bin/sh
# Runs Mosquitto once Andaman has written the files that say whom to let in, and has it read them
# again whenever they change. Keeps the log below 64 MB.
set -u
access=${ACCESS:-/mosquitto/access} log=${LOG:-/mosquitto/log/mosquitto.log}
configuration=${1:-/mosquitto/config/mosquitto.conf}
broker=''

leave() {
    [ -n "$broker" ] && kill -TERM "$broker" && wait "$broker"
    exit
}
trap leave TERM INT

state() { cat "$access/acl" "$access/passwords" | cksum; }

until [ -s "$access/passwords" ] && [ -s "$access/acl" ]; do
    sleep 1 & wait $!
done
known=$(state)
mosquitto -c "$configuration" &
broker=$!
while kill -0 "$broker" 2>/dev/null; do
    sleep 2 & wait $!
    now=$(state)
    if [ "$now" != "$known" ]; then
        known=$now
        kill -HUP "$broker"
    fi
    if [ "$(wc -c <"$log" 2>/dev/null || echo 0)" -gt 67108864 ]; then
        : >"$log"
    fi
done
wait "$broker"
