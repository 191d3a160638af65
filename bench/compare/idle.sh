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

shaker_is_ready() { [[ $(head -n 1 "$1.out" 2>/dev/null) == ready ]] || gone "$2"; }

# measure_idle ROW PROXY ROUND: sets `measured` to the bytes for all connections, their number, and 0.
measure_idle() {
  # The client's files have names of their own: what an earlier one said must not be taken for this one's `ready`.
  local name=$1-$3-$2 shaker=shaker-$1-$3-$2 proxy_pid client kind=plain port before after
  passing "$1-$3" 1 "$2"
  proxy_pid=${pid_of[$name]} port=${plain_port[$name]}
  until_true 10 serves "$port" "$1" || fail "$1: $2 does not answer"
  if [[ $1 == idle-tls ]]; then
    kind=tls port=${tls_port[$name]}
    "$programs/shaker" handshakes "$port" 1 1 full >/dev/null || fail "$1: $2 does not do the work"
  fi
  pin "$proxy_core" "$proxy_pid"
  before=$(settled_bytes "$proxy_pid") || fail "$1: the memory of $2 does not settle before the first connection"
  start "$shaker" taskset -c "$other_cores" "$programs/shaker" idle "$port" "$idle_connections" "$kind"
  client=$pid
  until_true 300 shaker_is_ready "$shaker" "$client" || fail "$1: $2 did not let $idle_connections connections in within 300 s"
  gone "$client" && fail "$1: $2 does not let $idle_connections connections in: $(<"$shaker.err")"
  after=$(settled_bytes "$proxy_pid") || fail "$1: the memory of $2 does not settle with idle connections"
  stop "$client" || fail "$1: $2 does not keep $idle_connections idle connections: $(<"$shaker.err")"
  # HAProxy waits for its clients, who are gone; gatelab drains; the status tells nothing about memory.
  stop "$proxy_pid" || true
  measured="$((after - before)) $idle_connections 0"
}
