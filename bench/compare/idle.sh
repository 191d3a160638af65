# SPDX-License-Identifier: Apache-2.0
# For bench/compare/run: the rows idle and idle-tls. Each measurement has a proxy of its own, as one that has seen many
# connections before keeps their memory.

# stop PID: waits for its end; its exit status.
stop() {
  local one kept=()
  kill -TERM "$1" 2>/dev/null || true
  ended "$1" 60 || kill -KILL "$1" 2>/dev/null || true
  for one in "${started[@]}"; do [[ $one == "$1" ]] || kept+=("$one"); done
  started=("${kept[@]}")
  wait "$1"
}

shaker_is_ready() { [[ $(head -n 1 shaker.out) == ready ]] || gone "$1"; }

# measure_idle ROW PROXY ROUND: sets `measured` to the bytes for all connections, their number, and 0.
measure_idle() {
  local name=$1-$3-$2 proxy_pid client kind=plain port before after
  passing "$1-$3" 1 "$2"
  proxy_pid=${pid_of[$name]} port=${plain_port[$name]}
  until_true 10 serves "$port" "$1" || fail "$1: $2 does not answer"
  if [[ $1 == idle-tls ]]; then
    kind=tls port=${tls_port[$name]}
    "$programs/shaker" handshakes "$port" 1 1 full >/dev/null || fail "$1: $2 does not do the work"
  fi
  pin "$proxy_core" "$proxy_pid"
  before=$(settled_bytes "$proxy_pid")
  start shaker taskset -c "$other_cores" "$programs/shaker" idle "$port" "$idle_connections" "$kind"
  client=$pid
  until_true 300 shaker_is_ready "$client" || fail "$1: $2 did not let $idle_connections connections in within 300 s"
  after=$(settled_bytes "$proxy_pid")
  stop "$client" || fail "$1: $2 does not keep $idle_connections idle connections: $(<shaker.err)"
  # HAProxy waits for its clients, who are gone; gatelab drains; the status tells nothing about memory.
  stop "$proxy_pid" || true
  measured="$((after - before)) $idle_connections 0"
}
