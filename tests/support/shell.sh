# SPDX-License-Identifier: Apache-2.0
# For scripts that start gatelab and its peers: free ports, readiness without fixed sleeps, and a clean end that stops
# only what was started here. Source it; it needs GATELAB (the program) and makes a work directory, which it also enters.
set -euo pipefail
export LC_ALL=C.UTF-8
GATELAB=$(realpath "$GATELAB")
GATELAB_ROOT=${GATELAB_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
GATELAB_PEERS=${GATELAB_PEERS:-$GATELAB_ROOT/build/peers}
work=$(mktemp -d "${TMPDIR:-/tmp}/gatelab.XXXXXX")
cd "$work"
started=()

finish() {
  local status=$? pid
  trap - EXIT INT TERM
  for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do
    ended "$pid" 10 || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if ((status != 0 && status != 77)); then
    local file
    for file in "$work"/*.err "$work"/*/error.log; do
      [[ -s $file ]] && { echo "--- ${file##*/}"; tail -n 30 "$file"; } >&2
    done
  fi
  cd /
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() { echo "FAIL: $*" >&2; exit 1; }
# skip WHY: the test can't be run here. In CI that is a failure, so that no test goes missing unnoticed.
skip() {
  [[ -n ${CI:-} ]] && fail "$* (in CI this must not be missing)"
  echo "SKIP: $*" >&2
  exit 77
}

# peer NAME: unpacks it if need be; $peers/bin/NAME is there afterwards.
peer() {
  "$GATELAB_ROOT/tests/support/peers" "$GATELAB_PEERS" "$1" || skip "$1 can't be unpacked on this machine"
}

# until_true SECONDS COMMAND…: tries again and again; false when the time is over.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.02
  done
}
gone() { ! kill -0 "$1" 2>/dev/null || [[ $(sed -n 's/^State:\s*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) == Z ]]; }
ended() { until_true "$2" gone "$1"; }  # PID SECONDS

# A port that nothing listens on, below the kernel's range for outgoing connections.
free_port() {
  local port
  while true; do
    port=$((RANDOM % 12000 + 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

answers() { curl -s -o /dev/null --max-time 2 "$1"; }

# start NAME COMMAND…: in the background, output in NAME.out and NAME.err; sets pid.
start() {
  local name=$1
  shift
  "$@" >"$name.out" 2>"$name.err" </dev/null &
  pid=$!
  started+=("$pid")
}

is_ready() { [[ $(head -n 1 "$1.out" 2>/dev/null) == *'"ready":true'* ]] || gone "$2"; }

# start_gatelab NAME CONFIG [FLAG…]: sets pid, url (of the first listener) and admin.
start_gatelab() {
  local name=$1 config=$2 line
  shift 2
  start "$name" "$GATELAB" run "$config" "$@"
  until_true 30 is_ready "$name" "$pid" || fail "gatelab says no ready line"
  line=$(head -n 1 "$name.out")
  url=$(sed -n 's/.*"listeners":\["\([^"]*\)".*/\1/p' <<<"$line")
  admin=$(sed -n 's/.*"admin":"\([^"]*\)".*/\1/p' <<<"$line")
  [[ -n $url ]] || fail "gatelab did not start: $(tail -n 5 "$name.err")"
}

# start_nginx NAME [LINE_IN_SERVER…]: an origin in a directory of its own; sets pid, origin_port.
start_nginx() {
  local name=$1 attempt
  shift
  peer nginx
  for attempt in 1 2 3; do
    origin_port=$(free_port)
    mkdir -p "$name/tmp" "$name/html"
    chmod 755 "$work" "$name" "$name/html"
    cat >"$name/nginx.conf" <<CONFIG
daemon off;
master_process off;
pid $work/$name/nginx.pid;
error_log $work/$name/error.log warn;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 75s;
  client_body_temp_path $work/$name/tmp/body;
  proxy_temp_path $work/$name/tmp/proxy;
  fastcgi_temp_path $work/$name/tmp/fastcgi;
  uwsgi_temp_path $work/$name/tmp/uwsgi;
  scgi_temp_path $work/$name/tmp/scgi;
  client_max_body_size 0;
  default_type application/json;
  server {
    listen 127.0.0.1:$origin_port backlog=4096;
    root $work/$name/html;
    $(printf '%s\n' "$@")
  }
}
CONFIG
    start "$name" "$GATELAB_PEERS/bin/nginx" -e "$work/$name/error.log" -p "$work/$name" -c "$work/$name/nginx.conf"
    if until_true 10 nginx_up "$pid" && ! gone "$pid"; then return 0; fi
  done
  fail "nginx does not start"
}
# start_apache NAME [LINE_IN_CONFIGURATION…]: an origin as start_nginx makes one, of Apache's httpd; sets pid, origin_port.
start_apache() {
  local name=$1 attempt module
  shift
  peer apache2
  for attempt in 1 2 3; do
    origin_port=$(free_port)
    mkdir -p "$name/html"
    chmod 755 "$work" "$name" "$name/html"
    {
      echo "ServerName 127.0.0.1"
      echo "Listen 127.0.0.1:$origin_port"
      for module in mpm_event authz_core dir mime proxy proxy_http headers; do
        echo "LoadModule ${module}_module $GATELAB_PEERS/tree/usr/lib/apache2/modules/mod_$module.so"
      done
      echo "TypesConfig /dev/null"
      echo "Mutex default:$work/$name"
      echo "PidFile $work/$name/pid"
      echo "ErrorLog $work/$name/error.log"
      echo "DocumentRoot $work/$name/html"
      echo "KeepAlive On"
      printf '%s\n' "$@"
    } >"$name/apache.conf"
    start "$name" "$GATELAB_PEERS/bin/apache2" -X -d "$work/$name" -f "$work/$name/apache.conf"
    if until_true 10 nginx_up "$pid" && ! gone "$pid"; then return 0; fi
  done
  fail "apache2 does not start"
}
nginx_up() { gone "$1" || answers "http://127.0.0.1:$origin_port/"; }

# in_window PERIOD NEED: returns when a fixed window of PERIOD seconds lasts NEED seconds more, so that what is counted
# next is counted in one window.
in_window() {
  while (($1 - $(date +%s) % $1 < $2)); do sleep 0.2; done
}

# cpu_ticks PID: user and system time so far, in clock ticks, all threads.
cpu_ticks() {
  local stat
  [[ -r /proc/$1/stat ]] || fail "CPU time is read from /proc, which is not mounted here"
  stat=$(<"/proc/$1/stat")
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  echo $((${12} + ${13}))
}
