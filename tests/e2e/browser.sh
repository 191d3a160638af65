# SPDX-License-Identifier: Apache-2.0
# Chromium on a page over `tls: local`: before it trusts the local CA it refuses, after the command that `mint ca --trust-help`
# names it loads the page, opens a WebSocket and an event stream beside it, and posts what it saw.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
peer chromium
peer certutil
export XDG_DATA_HOME=$work/data
start streams "$E2E_STREAMS" serve
listening() { [[ -s streams.out ]]; }
until_true 10 listening || fail "the origin of the streams does not start"
start_nginx origin 'types { text/html html; text/javascript js; }'
cat >origin/html/page.html <<'PAGE'
<!doctype html>
<meta charset="utf-8">
<title>gatelab</title>
<script src="page.js" defer></script>
PAGE
cat >origin/html/page.js <<'SCRIPT'
const report = text => fetch('/result', { method: 'POST', body: text });
window.onerror = message => report('error: ' + message);

// A text of every kind of letter, and 200,000 octets in one message; each must come back as it was.
function socket() {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket('wss://' + location.host + '/socket');
    const octets = new Uint8Array(200000).map((_, i) => i * 7 + (i >> 8));
    const back = [];
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => { ws.send('grüße, 世界 🎈'); ws.send(octets); };
    ws.onmessage = event => {
      back.push(event.data);
      if (back.length === 2) ws.close(1000);
    };
    ws.onerror = () => reject('the WebSocket failed');
    ws.onclose = event => {
      if (back.length !== 2 || back[0] !== 'grüße, 世界 🎈') return reject('the text came back as ' + back[0]);
      const got = new Uint8Array(back[1]);
      if (got.length !== octets.length || got.some((octet, i) => octet !== octets[i])) return reject('the octets are others');
      resolve('websocket ' + event.code + ' clean ' + event.wasClean);
    };
  });
}

// Each event is sent only when the one before has been released: by this page, which must have had it.
function events() {
  return new Promise((resolve, reject) => {
    const seen = [];
    const source = new EventSource('/events?stream=browser&count=3');
    source.onmessage = event => {
      seen.push(event.lastEventId + ' ' + event.data);
      if (seen.length < 3) return fetch('/release?stream=browser', { method: 'POST' });
      source.close();
      resolve('events ' + seen.join(', '));
    };
    source.onerror = () => reject('the event stream failed after ' + seen.length);
  });
}

Promise.all([socket(), events()])
  .then(seen => report([location.protocol, 'secure ' + isSecureContext, ...seen].join('; ')), why => report('failed: ' + why));
SCRIPT
chmod -R a+rX origin/html
cat >gateway.yaml <<CONFIG
gatelab: 1
listeners: [ { name: secure, address: 127.0.0.1:0, tls: local } ]
log: { access: $work/access.log, format: json }
upstreams:
  pages: { url: http://127.0.0.1:$origin_port }
  streams: { url: http://127.0.0.1:$(head -n 1 streams.out) }
routes:
  - { name: socket, match: { path: /socket }, upstream: streams }
  - { name: events, match: { path: /events }, upstream: streams }
  - { name: release, match: { path: /release }, upstream: streams }
  - { name: result, match: { path: /result }, upstream: streams }
  - { name: pages, upstream: pages, websocket: false }
CONFIG
start_gatelab gateway gateway.yaml --no-watch
page=https://localhost:${url##*:}/page.html

# A home of its own: no profile and no trust of whoever runs this. The sandbox wants rights that containers do not give.
export HOME=$work/home
mkdir home
start_browser() {  # PROFILE
  start "$1" "$GATELAB_PEERS/bin/chromium" --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --remote-debugging-port=0 \
    --user-data-dir="$work/$1" "$page"
  browser=$pid
}
end_browser() {
  kill -TERM "$browser" 2>/dev/null || true
  ended "$browser" 20 || fail "chromium does not end"
}

start_browser stranger
refused() { grep -q '"phase":"handshake","reason":"tls-alert"' access.log || gone "$browser"; }
until_true 60 refused || fail "chromium, which does not trust the local CA, does not refuse its certificate: $(<access.log)"
! gone "$browser" || skip "chromium does not run on this machine: $(tail -n 3 stranger.err)"
! grep -q '"status":200' access.log || fail "a page was served to a browser that does not trust it"
end_browser

"$GATELAB" mint ca --trust-help >help.txt
trust=$(sed -n 's/^Chromium on Linux *//p' help.txt)
[[ -n $trust ]] || fail "mint ca --trust-help has no line for Chromium: $(<help.txt)"
trust_in() { PATH=$GATELAB_PEERS/bin:$PATH HOME=$1 XDG_DATA_HOME=$2 bash -c "$trust" >trust.txt 2>&1 </dev/null || fail "\`$trust\`: $(<trust.txt)"; }
trust_in "$HOME" "$XDG_DATA_HOME"
# Where no browser has ever run it works too.
mkdir fresh
trust_in "$work/fresh" ''
"$GATELAB_PEERS/bin/certutil" -d "sql:$work/fresh/.pki/nssdb" -L >listed.txt
grep -q '^gatelab .*C,,' listed.txt || fail "the CA is not in a new store: $(<listed.txt)"

start_browser friend
reported() { grep -q '^result ' streams.out || gone "$browser"; }
until_true 60 reported || fail "the page reports nothing: $(<streams.out) $(tail -n 5 friend.err) $(<access.log)"
expect_equal "what the page saw" "$(sed -n 's/^result //p' streams.out)" \
  "https:; secure true; websocket 1000 clean true; events 1 event 1 of browser, 2 event 2 of browser, 3 event 3 of browser"
end_browser
ended_well() { grep -q '"status":101,"route":"socket".*"reason":"tunnel-closed"' access.log && grep -q '"status":200,"route":"events"' access.log; }
until_true 10 ended_well || fail "the streams were not logged: $(<access.log)"
expect_equal "requests over TLS 1.3" "$(grep -c '"tls_version":"1.3"' access.log)" "$(grep -c '"status":[1-9]' access.log)"
