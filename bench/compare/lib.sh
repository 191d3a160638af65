# SPDX-License-Identifier: Apache-2.0
# For bench/compare/run: reading the CPU time and the memory of a proxy with all its processes, and what this machine is.

# family PID: it and all that descend from it.
family() {
  local child children
  echo "$1"
  children=$(cat "/proc/$1/task"/*/children 2>/dev/null) || true
  for child in $children; do family "$child"; done
}

# cpu_nanoseconds PID: user and system time so far of the whole family, all threads. The scheduler's own count where the
# kernel shows it; else clock ticks, which are coarse.
cpu_nanoseconds() {
  local total=0 one file spent rest
  for one in $(family "$1"); do
    if [[ -r /proc/$one/schedstat ]]; then
      for file in "/proc/$one/task"/*/schedstat; do
        read -r spent rest <"$file" 2>/dev/null && total=$((total + spent))
      done
    else
      total=$((total + $(cpu_ticks "$one") * (1000000000 / $(getconf CLK_TCK))))
    fi
  done
  echo "$total"
}

# anonymous_bytes PID: resident memory that is the family's own, without files and without what the kernel holds.
anonymous_bytes() {
  local total=0 one kilobytes
  for one in $(family "$1"); do
    kilobytes=$(sed -n 's/^RssAnon:\s*\([0-9]*\) kB/\1/p' "/proc/$one/status")
    total=$((total + ${kilobytes:-0} * 1024))
  done
  echo "$total"
}

# settled_bytes PID: the same, once two readings in a row agree (a proxy may tidy up for a while). False if none do: a
# figure that still moves is not one.
settled_bytes() {
  local last=-1 now
  for _ in {1..60}; do
    now=$(anonymous_bytes "$1")
    ((now == last)) && { echo "$now"; return 0; }
    last=$now
    sleep 0.5
  done
  return 1
}

# pin CORES PID: every thread of the family.
pin() {
  local one
  for one in $(family "$2"); do taskset -apc "$1" "$one" >/dev/null; done
}

now_nanoseconds() { date +%s%N; }

# facts: what the figures depend on, "NAME<TAB>VALUE" a line. Nothing that names the machine.
facts() {
  local kind=physical
  grep -q '^flags.*\bhypervisor\b' /proc/cpuinfo && kind=virtual
  printf '%s\t%s\n' \
    date "$(date -u +%F)" \
    machine "a $kind machine, $(nproc) cores, $(uname -m)" \
    kernel "$(uname -r | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')" \
    congestion "$(cat /proc/sys/net/ipv4/tcp_congestion_control)" \
    gatelab "$("$GATELAB" --version | grep -o '[0-9][0-9.]*' | head -n 1)" \
    nginx "$("$peers/nginx" -v 2>&1 | sed 's|.*/||')" \
    haproxy "$("$peers/haproxy" -v | sed -n '1s/HAProxy version \([0-9.]*\).*/\1/p')" \
    wrk "$("$peers/wrk" -v 2>&1 | sed -n '1s|wrk [a-z]*/\{0,1\}\([0-9.]*\).*|\1|p')" \
    curl "$(curl -V | sed -n '1s/curl \([0-9.]*\).*/\1/p')" \
    openssl "$("$peers/haproxy" -vv | sed -n 's/^Running on OpenSSL version : OpenSSL \([0-9.a-z]*\).*/\1/p')" \
    rounds "$rounds" \
    seconds "$seconds" \
    connections "$connections" \
    idle_connections "$idle_connections" \
    large_body_bytes "$large_body"
}
