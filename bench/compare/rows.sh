# SPDX-License-Identifier: Apache-2.0
# For bench/compare/run: the rows of the table. A row has a name, a text, what it is counted in, what its floor is, how its
# proxies are set up (`prepare`) and how they are driven (`drive`).

# NAME | one of what | floor: `same` (the relay does the same work) or `plain` (the relay's plain request) | text
# The floor `none` stands for memory: bytes a connection, no CPU time.
rows_table="
plain|request|same|keep-alive requests
full|request|same|keep-alive requests: route, API key, rate limit, JSON access log
key|request|same|keep-alive requests with an API key
token|request|same|keep-alive requests with one JSON Web Token, RS256
fresh-rs256|request|same|a new token for each request, RS256
fresh-es256|request|same|a new token for each request, ES256
tls|request|plain|TLS 1.3 keep-alive requests
handshake-full|handshake|plain|TLS 1.3 handshakes, full
handshake-resumed|handshake|plain|TLS 1.3 handshakes, resumed
churn|request|same|a new connection for each request
body-1m|body|same|1 MiB bodies
download-1g|body|same|1 GiB bodies, down
upload-1g|body|same|1 GiB bodies, up
routes-1|request|same|1 route
routes-10|request|same|10 routes, a random one asked for
routes-100|request|same|100 routes, a random one asked for
routes-1000|request|same|1,000 routes, a random one asked for
routes-10000|request|same|10,000 routes, a random one asked for
cache-1k|request|plain|hits in a cache, 1 KiB
cache-100k|request|plain|hits in a cache, 100 KiB
cache-tls-1k|request|plain|hits in a cache, 1 KiB, TLS 1.3
cache-tls-100k|request|plain|hits in a cache, 100 KiB, TLS 1.3
gzip-1k|request|same|answers of 1 KiB of JSON, compressed (level 5)
gzip-100k|request|same|answers of 100 KiB of JSON, compressed (level 5)
json-1k|request|same|answers of 1 KiB of JSON, of which members are removed
json-100k|request|same|answers of 100 KiB of JSON, of which members are removed
validate-1k|request|same|requests with 1 KiB of JSON, held to a schema
validate-100k|request|same|requests with 100 KiB of JSON, held to a schema
workers-1|request|same|1 worker, free to use every core
workers-2|request|same|2 workers, free to use every core
idle|connection|none|idle keep-alive connections
idle-tls|connection|none|idle keep-alive connections, TLS 1.3
"
all_rows() { cut -d'|' -f1 <<<"$rows_table" | grep .; }
row_field() { awk -F'|' -v row="$1" -v field="$2" '$1 == row { print $field }' <<<"$rows_table"; }

# chosen_rows NAME[,NAME…]: a name may be a pattern such as routes-*.
chosen_rows() {
  local patterns pattern row known
  IFS=, read -ra patterns <<<"$1"
  for pattern in "${patterns[@]}"; do
    known=0
    # shellcheck disable=SC2053
    for row in $(all_rows); do [[ $row == $pattern ]] && known=1; done
    ((known)) || { echo "bench/compare/run: --rows: there is no row \`$pattern\`; there are: $(all_rows | paste -sd ' ')" >&2; return 2; }
  done
  for row in $(all_rows); do
    # shellcheck disable=SC2053
    for pattern in "${patterns[@]}"; do [[ $row == $pattern ]] && { echo "$row"; break; }; done
  done
  return 0
}

# The set of proxies that a row is measured on; several rows share one.
set_of() {
  case $1 in
    full | routes-* | workers-* | idle*) echo "$1" ;;
    key | token | fresh-*) echo auth ;;
    cache-*) echo cache ;;
    gzip-* | json-* | validate-*) echo bodies ;;
    *) echo base ;;
  esac
}

# names_of ROW: the proxies that do it. nginx checks no tokens and looks into no JSON, Varnish speaks no TLS, HAProxy compresses with
# a library of its own that has no such levels.
names_of() {
  case $1 in
    idle*) echo nginx haproxy gatelab ;;
    token | fresh-*) echo relay haproxy gatelab ;;
    cache-tls-*) echo relay nginx gatelab ;;
    cache-*) echo relay nginx varnish gatelab ;;
    gzip-*) echo relay nginx gatelab ;;
    json-* | validate-*) echo relay gatelab ;;
    *) echo relay nginx haproxy gatelab ;;
  esac
}

# prepare SET: starts its proxies, pinned to the proxy's core (but for workers-*).
prepare() {
  local proxy
  case $1 in
    full) full full ;;
    cache) caching cache ;;
    bodies) changing bodies ;;
    auth) guarded auth ;;
    routes-*) routed "$1" "${1#routes-}" ;;
    workers-*) passing "$1" "${1#workers-}" nginx haproxy gatelab ;;
    idle*) return 0 ;;  # each measurement starts its own
    *) passing base 1 nginx haproxy gatelab ;;
  esac
  relay_proxy "$1-relay" "$([[ $1 == workers-* ]] && echo "${1#workers-}" || echo 1)"
  for proxy in relay nginx haproxy varnish gatelab; do
    [[ -n ${plain_port[$1-$proxy]:-} ]] || continue
    until_true 10 serves "${plain_port[$1-$proxy]}" "$1" || fail "$1: $proxy does not answer with 200: $(tail -n 3 "$1-$proxy.err" 2>/dev/null)"
    [[ $1 == workers-* ]] || pin "$proxy_core" "${pid_of[$1-$proxy]}"
  done
}
path_in() {
  case $1 in
    routes-*) echo "/r/${1#routes-}" ;;
    cache) echo /kept/1k ;;
    bodies) echo /json/1k ;;
    *) echo /items/1 ;;
  esac
}
serves() { [[ $(curl -s -o /dev/null -w '%{http_code}' --max-time 5 -H "X-Api-Key: $key" "http://127.0.0.1:$1$(path_in "$2")") == 200 ]]; }

# wrk_load SECONDS CONNECTIONS URL [FLAG…]: prints how many requests were answered with 200.
wrk_load() {
  local duration=$1 clients=$2 target=$3 text
  shift 3
  text=$(taskset -c "$other_cores" "$peers/wrk" -t1 -c"$clients" -d"${duration}s" "$@" "$target")
  if grep -qE 'Non-2xx|Socket errors' <<<"$text"; then echo "$text" >&2; return 1; fi
  sed -n 's/^ *\([0-9]*\) requests in.*/\1/p' <<<"$text"
}

# FILE PATH: a script for wrk that sends the file's tokens in turn. There are more of them than a proxy remembers, and whoever
# forgets the oldest first never meets one that it knows.
each_token() {
  cat <<LUA
local requests, at = {}, 0
function init()
  for token in io.lines("$1") do requests[#requests + 1] = wrk.format("GET", "$2", { ["Authorization"] = "Bearer " .. token }) end
end
function request() at = at % #requests + 1; return requests[at] end
LUA
}

posted() {  # FILE: a script for wrk
  cat <<LUA
function init()
  local file = io.open("$1")
  wrk.method, wrk.headers["Content-Type"], wrk.body = "POST", "application/json", file:read("*a")
end
LUA
}

random_route() {  # COUNT: a script for wrk
  cat <<LUA
local requests = {}
function init() math.randomseed(1); for i = 1, $1 do requests[i] = wrk.format("GET", "/r/" .. i) end end
function request() return requests[math.random(#requests)] end
LUA
}

curl_load() {  # EXPECTED_STATUS_AND_SIZE CURL_ARGUMENT…
  local got
  got=$(taskset -c "$other_cores" curl -s -o /dev/null --max-time 600 -H Expect: "${@:2}")
  [[ $got == "$1" ]] || { echo "curl: got status and size \`$got\`, not \`$1\`" >&2; return 1; }
  echo 1
}

# drive ROW PROXY PLAIN_PORT TLS_PORT SECONDS: loads a proxy, prints how many units of work it did.
drive() {
  local plain=http://127.0.0.1:$3 row=$1
  # What the relay can't do is measured against its plain request.
  [[ $2 == relay && $(row_field "$1" 3) == plain ]] && row=plain
  case $row in
    tls) wrk_load "$5" "$connections" "https://127.0.0.1:$4/items/1" ;;
    handshake-*) taskset -c "$other_cores" "$programs/shaker" handshakes "$4" "$5" 4 "${row#handshake-}" ;;
    churn) wrk_load "$5" "$connections" "$plain/items/1" -H 'Connection: close' ;;
    body-1m) wrk_load "$5" 8 "$plain/body/1m" ;;
    download-1g) curl_load "200 $large_body" -w '%{http_code} %{size_download}' "$plain/body/large" ;;
    upload-1g) curl_load "200 $large_body" -w '%{http_code} %{size_upload}' -T upload.bin "$plain/upload" ;;
    cache-tls-*) wrk_load "$5" "$connections" "https://127.0.0.1:$4/kept/${row##*-}" ;;
    cache-*) wrk_load "$5" "$connections" "$plain/kept/${row##*-}" ;;
    gzip-*) wrk_load "$5" 16 "$plain/gzip/${row##*-}" -H 'Accept-Encoding: gzip' ;;
    json-*) wrk_load "$5" 16 "$plain/json/${row##*-}" ;;
    validate-*) posted "$work/origin/html/json/${row##*-}" >"$row.lua"; wrk_load "$5" 16 "$plain/orders" -s "$row.lua" ;;
    token) wrk_load "$5" "$connections" "$plain/rs256/items" -H "Authorization: Bearer $(head -n 1 rs256.tokens)" ;;
    fresh-*) each_token "$work/${row#fresh-}.tokens" "/${row#fresh-}/items" >"$row.lua"; wrk_load "$5" "$connections" "$plain" -s "$row.lua" ;;
    routes-*) random_route "${row#routes-}" >"$row.lua"; wrk_load "$5" "$connections" "$plain" -s "$row.lua" ;;
    *) wrk_load "$5" "$connections" "$plain/items/1" -H "X-Api-Key: $key" ;;
  esac
}

# measure ROW PROXY SECONDS: prints CPU nanoseconds, units of work and nanoseconds by the clock. On a machine so busy that
# not one unit is done in the time, it is tried again with more time.
measure() {
  local name cpu clock units duration=$3
  name=$(set_of "$1")-$2
  for _ in 1 2 3; do
    cpu=$(cpu_nanoseconds "${pid_of[$name]}") clock=$(now_nanoseconds)
    units=$(drive "$1" "$2" "${plain_port[$name]}" "${tls_port[$name]}" "$duration") || return 1
    clock=$(($(now_nanoseconds) - clock)) cpu=$(($(cpu_nanoseconds "${pid_of[$name]}") - cpu))
    if ((units > 0 && cpu > 0)); then
      echo "$cpu $units $clock"
      return 0
    fi
    duration=$((duration * 4))
  done
  echo "nothing was measured: $units units of work, $cpu ns of CPU time in $((clock / 1000000)) ms; is the machine busy?" >&2
  return 1
}
