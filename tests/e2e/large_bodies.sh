# SPDX-License-Identifier: Apache-2.0
# Bodies stream: 2 GB up (with a length and chunked) and 2 GB down, and clients that stop reading, within 64 MiB.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
size=$((2 << 30))
((sanitized)) && size=$((64 << 20))
start sink "$E2E_ORIGIN"
listening() { [[ -s sink.out ]]; }
until_true 10 listening || fail "the sink does not start"
start_nginx origin "location /upload { proxy_request_buffering off; proxy_http_version 1.1; proxy_pass http://127.0.0.1:$(<sink.out); }"
truncate -s "$size" origin/html/large.bin   # sparse: takes no room
truncate -s "$size" upload.bin
sum=$("$E2E_ORIGIN" sum <upload.bin)
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: plain, address: 127.0.0.1:0 } ]
log: { access: $work/access.log, format: json }
upstreams: { origin: { url: http://127.0.0.1:$origin_port, timeouts: { total: 10m } } }
routes: [ { name: all, upstream: origin } ]
CONFIG
start_gatelab gateway gateway.yaml

expect_equal "download" "$(curl -s --max-time 250 -o /dev/null -w '%{http_code} %{size_download}' "$url/large.bin")" "200 $size"
expect_equal "upload" "$(curl -s --max-time 250 -T upload.bin "$url/upload")" "$sum"
expect_equal "chunked upload" "$(curl -s --max-time 250 -T - "$url/upload" <upload.bin)" "$sum"
# Eight clients that take a little and go: what the origin has ready must not pile up here.
stopped=()
for _ in {1..8}; do
  curl -s --limit-rate 64k --max-time 2 -o /dev/null "$url/large.bin" &
  stopped+=("$!")
done
for one in "${stopped[@]}"; do wait "$one" || true; done

peak=unknown
if [[ -r /proc/$pid/status ]]; then peak=$(sed -n 's/^VmHWM:\s*\([0-9]*\) kB/\1/p' "/proc/$pid/status"); fi
if ((sanitized == 0)) && [[ $peak != unknown ]]; then
  ((peak < 64 * 1024)) || fail "resident memory went up to $peak KiB"
fi
logged() { (($(lines access.log) >= 11)); }
until_true 10 logged || fail "not every exchange was logged: $(<access.log)"
expect_equal "logged uploads" "$(grep -c "\"request_bytes\":$size\\b" access.log)" 2
expect_equal "logged download" "$(grep -c "\"response_bytes\":$size\\b" access.log)" 1
expect_equal "logged clients that went away" "$(grep -c '"reason":"client-gone"' access.log)" 8
echo "peak of resident memory: $peak KiB"
