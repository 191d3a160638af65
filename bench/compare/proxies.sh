# SPDX-License-Identifier: Apache-2.0
# For bench/compare/run: the origin, and one configuration of each proxy that does the same work as the others'.
# Each function starts one and adds it as NAME, "plain port, TLS port": see `add`.

declare -A plain_port tls_port pid_of
add() { plain_port[$1]=$2 tls_port[$1]=$3 pid_of[$1]=$pid; }

said_port() { [[ -s $1.out ]]; }

orders_of() {  # OCTETS: a list of orders as JSON, about as long
  awk -v octets="$1" 'BEGIN {
    printf "["
    for (i = 0; size + 110 < octets || i == 0; ++i) {
      order = sprintf("%s{\"id\":%d,\"sku\":\"A-%d\",\"price\":%.2f,\"tags\":[\"new\",\"sale\"],\"note\":\"two lines\\nof text\",\"internal\":{\"cost\":%d}}", i ? "," : "", 100000 + i, i * 7919 % 10007, i * 31 % 997 / 8, i % 13)
      size += length(order)
      printf "%s", order
    }
    print "]"
  }'
}

start_origins() {
  local size answer='{\"id\":1,\"name\":\"lamp\",\"price\":1250,\"currency\":\"EUR\",\"tags\":[\"home\",\"light\"],\"stock\":17}'
  start sink "$programs/sink"
  until_true 10 said_port sink || fail "sink does not start: $(<sink.err)"
  start_nginx origin "location /body { }" "location /kept { add_header Cache-Control max-age=86400; }" \
    "location /gzip { }" "location /json { }" "location /orders { return 200; }" \
    "location /upload { proxy_request_buffering off; proxy_http_version 1.1; proxy_pass http://127.0.0.1:$(<sink.out); }" \
    "location / { return 200 \"$answer\"; }"
  pin "$other_cores" "$pid"
  mkdir origin/html/{body,kept,gzip,json}
  for size in 1k:1024 100k:102400; do orders_of "${size#*:}" | tee "origin/html/gzip/${size%:*}" >"origin/html/json/${size%:*}"; done
  head -c 1024 /dev/urandom >origin/html/kept/1k
  head -c 102400 /dev/urandom >origin/html/kept/100k
  truncate -s 1M origin/html/body/1m
  truncate -s "$large_body" origin/html/body/large upload.bin
  chmod -R a+rX origin/html
}

# relay_proxy NAME PROCESSES
relay_proxy() {
  start "$1" "$programs/relay" "$origin_port" "$2"
  until_true 10 said_port "$1" || fail "the relay does not start: $(<"$1.err")"
  add "$1" "$(<"$1.out")" 0
}

# nginx_proxy NAME WORKERS HTTP_LINES SERVER_LINES
nginx_proxy() {
  local plain tls master='master_process off;'
  plain=$(free_port) tls=$(free_port)
  (($2 == 1)) || master="worker_processes $2;"
  mkdir -p "$1/tmp"
  cat >"$1/nginx.conf" <<CONFIG
daemon off;
$master
pid $work/$1/nginx.pid;
error_log $work/$1/error.log warn;
events { worker_connections $((descriptors - 100)); }
http {
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_max_body_size 0;
  client_body_temp_path $work/$1/tmp/a; proxy_temp_path $work/$1/tmp/b; fastcgi_temp_path $work/$1/tmp/c;
  uwsgi_temp_path $work/$1/tmp/d; scgi_temp_path $work/$1/tmp/e;
  upstream origin { server 127.0.0.1:$origin_port; keepalive 128; keepalive_requests 100000000; }
  $3
  server {
    listen 127.0.0.1:$plain backlog=4096;
    listen 127.0.0.1:$tls ssl backlog=4096;
    ssl_certificate $work/certificate.pem;
    ssl_certificate_key $work/certificate.key;
    ssl_protocols TLSv1.3;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    $4
  }
}
CONFIG
  start "$1" "$peers/nginx" -e "$work/$1/error.log" -p "$work/$1" -c "$work/$1/nginx.conf"
  add "$1" "$plain" "$tls"
}

# haproxy_proxy NAME THREADS FRONTEND_LINES OTHER_SECTIONS
haproxy_proxy() {
  local plain tls maxconn=4096
  plain=$(free_port) tls=$(free_port)
  # It takes two descriptors a connection for granted, more than may be had: hence no strict-limits.
  [[ $1 != idle* ]] || maxconn=$((idle_connections + 200))
  cat >"$1.cfg" <<CONFIG
global
  nbthread $2
  maxconn $maxconn
  no strict-limits
  log stdout format raw local0
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 60s
  option http-keep-alive
frontend in
  bind 127.0.0.1:$plain
  bind 127.0.0.1:$tls ssl crt $work/both.pem ssl-min-ver TLSv1.3
$3
backend origin
  http-reuse always
  server one 127.0.0.1:$origin_port
$4
CONFIG
  start "$1" "$peers/haproxy" -f "$work/$1.cfg"
  add "$1" "$plain" "$tls"
}

# gatelab_proxy NAME WORKERS TOP_LEVEL_LINES ROUTES
gatelab_proxy() {
  cat >"$1.yaml" <<CONFIG
gatelab: 1
listeners:
  - { name: plain, address: 127.0.0.1:0, max_body: 4GiB, max_connections: 100000, idle_timeout: 600s }
  - name: secure
    address: 127.0.0.1:0
    max_connections: 100000
    idle_timeout: 600s
    tls: { certificate: $work/certificate.pem, key: $work/certificate.key, min_version: 1.3 }
upstreams: { origin: { url: http://127.0.0.1:$origin_port } }
$3
routes:
$4
CONFIG
  start_gatelab "$1" "$1.yaml" --workers "$2" --no-watch
  add "$1" "${url##*:}" "$(head -n 1 "$1.out" | sed -n 's|.*https://127.0.0.1:\([0-9]*\).*|\1|p')"
}

# --- what they do: each starts the proxies NAME-nginx, NAME-haproxy and NAME-gatelab ---

# Everything under one path, and nothing else.
passing() {  # NAME WORKERS PROXY…
  local name=$1 workers=$2 proxy
  shift 2
  for proxy in "$@"; do
    case $proxy in
      nginx) nginx_proxy "$name-nginx" "$workers" '' 'location / { proxy_pass http://origin; }' ;;
      haproxy) haproxy_proxy "$name-haproxy" "$workers" '  use_backend origin if { path_beg / }' '' ;;
      gatelab) gatelab_proxy "$name-gatelab" "$workers" '' "  - { name: all, match: { path: /* }, upstream: origin }" ;;
    esac
  done
}

# Route, API key, rate limit and a JSON access log; gatelab counts its metrics too.
full() {  # NAME
  echo "$key mobile" >keys.map
  nginx_proxy "$1-nginx" 1 "
  map \$http_x_api_key \$consumer { default ''; $key mobile; }
  limit_req_zone \$consumer zone=each:10m rate=1000000r/s;
  log_format line escape=json '{\"time\":\"\$time_iso8601\",\"request_id\":\"\$request_id\",\"client\":\"\$remote_addr\",\"method\":\"\$request_method\",\"host\":\"\$host\",\"target\":\"\$request_uri\",\"status\":\$status,\"consumer\":\"\$consumer\",\"response_bytes\":\$body_bytes_sent,\"duration\":\$request_time,\"upstream\":\"\$upstream_addr\",\"upstream_time\":\"\$upstream_response_time\",\"user_agent\":\"\$http_user_agent\"}';
  access_log $work/$1-nginx/access.log line buffer=64k flush=1s;" \
    "location /items { if (\$consumer = '') { return 401; } limit_req zone=each burst=1000000 nodelay; proxy_pass http://origin; }"
  haproxy_proxy "$1-haproxy" 1 "  http-request set-var(txn.consumer) req.hdr(X-Api-Key),map($work/keys.map)
  http-request deny deny_status 401 unless { var(txn.consumer) -m found }
  http-request track-sc0 var(txn.consumer) table limits
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000000000 }
  log global
  log-format '{\"time\":\"%t\",\"client\":\"%ci\",\"method\":\"%HM\",\"target\":\"%HU\",\"status\":%ST,\"consumer\":\"%[var(txn.consumer)]\",\"response_bytes\":%B,\"duration\":%Ta,\"upstream\":\"%b/%s\",\"upstream_time\":%Tr}'
  use_backend origin if { path_beg /items }" \
    "backend limits
  stick-table type string size 100k expire 10m store http_req_rate(60s)"
  gatelab_proxy "$1-gatelab" 1 "admin: { address: 127.0.0.1:0 }
log: { access: $work/$1-gatelab.log, format: json }
consumers: [ { name: mobile, keys: [ { value: $key } ] } ]" "  - name: items
    match: { path: /items/* }
    policies:
      - api-key: { header: X-Api-Key }
      - rate-limit: { rate: 1000000000/m, algorithm: fixed-window, key: consumer }
    upstream: origin"
}

# varnish_proxy NAME: one worker thread at a time as the others have, its memory as large as theirs, its log not read.
varnish_proxy() {
  local plain
  plain=$(free_port)
  mkdir -p "$1"
  printf 'vcl 4.1;\nbackend origin { .host = "127.0.0.1"; .port = "%s"; }\n' "$origin_port" >"$1.vcl"
  start "$1" "$peers/varnishd" -F -n "$work/$1" -a "127.0.0.1:$plain" -f "$work/$1.vcl" -s malloc,64m -j none -T none \
    -p thread_pools=1 -p thread_pool_min=5 -p thread_pool_max=10 -p "cc_command=exec gcc -g -O2 -I$GATELAB_PEERS/tree/usr/include/varnish -fpic -shared -Wl,-x -o %o %s"
  # Its first children compile the configuration; the one that serves is the last.
  until_true 60 answers "http://127.0.0.1:$plain/" || fail "Varnish does not serve: $(tail -n 5 "$1.err")"
  pid=$(pgrep -n -P "$pid")
  add "$1" "$plain" 0
}

# Everything under one path, kept for as long as the origin says.
caching() {  # NAME
  mkdir -p "$1-nginx/cache"
  nginx_proxy "$1-nginx" 1 "proxy_cache_path $work/$1-nginx/cache keys_zone=kept:10m max_size=64m inactive=1d;
  sendfile on; tcp_nopush on; open_file_cache max=1000 inactive=1d;" \
    'location / { proxy_pass http://origin; proxy_cache kept; proxy_ignore_headers Expires; }'
  varnish_proxy "$1-varnish"
  gatelab_proxy "$1-gatelab" 1 'caches: { default: { size: 64MiB } }' "  - { name: all, match: { path: /* }, policies: [ { cache: {} } ], upstream: origin }"
}

# What looks into bodies: /gzip, /json, /orders.
changing() {  # NAME
  nginx_proxy "$1-nginx" 1 'gzip on; gzip_comp_level 5; gzip_types application/json; gzip_proxied any; gzip_min_length 256;' 'location / { proxy_pass http://origin; }'
  gatelab_proxy "$1-gatelab" 1 '' "  - { name: gzip, match: { path: /gzip/* }, policies: [ { compress: { codings: [ gzip ], level: { gzip: 5 }, min_size: 256B } } ], upstream: origin }
  - { name: json, match: { path: /json/* }, policies: [ { json: { response: { remove: [ '\$..internal' ] } } } ], upstream: origin }
  - name: orders
    match: { path: /orders }
    policies:
      - validate: { body: { schema: { type: array, items: { type: object, required: [ id, sku ], properties: { id: { type: integer, minimum: 1 }, sku: { type: string, pattern: '^A-[0-9]+$' }, price: { type: number }, tags: { type: array, items: { type: string } } } } } } }
    upstream: origin"
}

# An API key under /items, a token's signature under /rs256 and /es256. HAProxy checks the signature and no claim, gatelab
# also issuer, audience and expiry.
guarded() {  # NAME
  local alg small tokens=$((quick ? 2000 : 40000))
  for alg in RS256 ES256; do
    small=${alg,,}
    if [[ $alg == RS256 ]]; then openssl genrsa -out "$small.key" 2048 2>/dev/null; else openssl ecparam -genkey -name prime256v1 -noout -out "$small.key"; fi
    openssl pkey -in "$small.key" -pubout -out "$small.pem"
    "$GATELAB" mint jwt --key "$small.key" --alg "$alg" --claim iss=https://idp.example --aud bench --sub mobile --ttl 12h --count "$tokens" >"$small.tokens"
  done
  echo "$key mobile" >keys.map
  nginx_proxy "$1-nginx" 1 "map \$http_x_api_key \$consumer { default ''; $key mobile; }" \
    "location /items { if (\$consumer = '') { return 401; } proxy_pass http://origin; }"
  haproxy_proxy "$1-haproxy" 1 "  http-request set-var(txn.consumer) req.hdr(X-Api-Key),map($work/keys.map) if { path_beg /items }
  http-request deny deny_status 401 if { path_beg /items } !{ var(txn.consumer) -m found }
  http-request set-var(txn.bearer) http_auth_bearer if !{ path_beg /items }
  http-request deny deny_status 401 if { path_beg /rs256 } !{ var(txn.bearer),jwt_header_query('\$.alg') -m str RS256 }
  http-request deny deny_status 401 if { path_beg /rs256 } !{ var(txn.bearer),jwt_verify(RS256,$work/rs256.pem) 1 }
  http-request deny deny_status 401 if { path_beg /es256 } !{ var(txn.bearer),jwt_header_query('\$.alg') -m str ES256 }
  http-request deny deny_status 401 if { path_beg /es256 } !{ var(txn.bearer),jwt_verify(ES256,$work/es256.pem) 1 }
  use_backend origin if { path_beg / }" ''
  gatelab_proxy "$1-gatelab" 1 "consumers: [ { name: mobile, keys: [ { value: $key } ] } ]
issuers:
  rs256: { issuer: https://idp.example, audiences: [bench], keys: { pem: $work/rs256.pem } }
  es256: { issuer: https://idp.example, audiences: [bench], keys: { pem: $work/es256.pem } }" "  - { name: items, match: { path: /items/* }, policies: [ { api-key: { header: X-Api-Key } } ], upstream: origin }
  - { name: rs256, match: { path: /rs256/* }, policies: [ { jwt: { issuer: rs256 } } ], upstream: origin }
  - { name: es256, match: { path: /es256/* }, policies: [ { jwt: { issuer: es256 } } ], upstream: origin }"
}

# COUNT exact paths, /r/1 to /r/COUNT; anything else is 404.
routed() {  # NAME COUNT
  nginx_proxy "$1-nginx" 1 '' "$(seq "$2" | sed 's|.*|location = /r/& { proxy_pass http://origin; }|')
    location / { return 404; }"
  seq "$2" | sed 's|.*|/r/& origin|' >"$1.map"
  haproxy_proxy "$1-haproxy" 1 "  use_backend %[path,map($work/$1.map,nowhere)]" "backend nowhere
  http-request deny deny_status 404"
  gatelab_proxy "$1-gatelab" 1 '' "$(seq "$2" | sed 's|.*|  - { name: r&, match: { path: /r/& }, upstream: origin }|')"
}
