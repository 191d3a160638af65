#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a real nginx logs and a curl command say becomes a recording; no secret is in it; what is wrong is told and nothing written.
source "$(dirname "${BASH_SOURCE[0]}")/../support/shell.sh"

start_nginx origin 'location /a { return 200 ok; }' "access_log $work/origin/access.log combined;"
until_true 10 answers "http://127.0.0.1:$origin_port/a" || fail "nginx does not answer"
curl -s -o /dev/null -A 'e2e "quoted"' "http://127.0.0.1:$origin_port/a?api_key=hunter2&page=3"
logged() { grep -q 'page=3' origin/access.log; }
until_true 10 logged || fail "nginx has logged nothing"
echo "curl 'http://shop.test/b' -H 'Cookie: sid=hunter2' --json '{\"password\":\"hunter2\",\"id\":7}'" >b.curl

"$GATELAB" record import origin/access.log b.curl --out all.gtl 2>import.err || fail "refused: $(cat import.err)"
[[ $(head -n 1 all.gtl) == '{"gatelab":"recording","version":1}' ]] || fail "no first line"
grep -q 'page=3' all.gtl || fail "the request is missing"
grep -q 'e2e \\"quoted\\"' all.gtl || fail "the agent is missing"
bodies=$(sed -n 's/.*"base64":"\([^"]*\)".*/\1/p' all.gtl | base64 -d)
[[ $bodies == *'"id":7'* ]] || fail "the body is missing: $bodies"
grep -q hunter2 all.gtl && fail "a secret is in the file"
[[ $bodies == *hunter2* ]] && fail "a secret is in a body"
hashes=$({ grep -o 'redacted:[0-9a-f]*' all.gtl; grep -o 'redacted:[0-9a-f]*' <<<"$bodies"; } | sort | uniq -c | awk '{ print $1 }')
[[ $hashes == 3 ]] || fail "one secret in three places is not one hash: $hashes"

"$GATELAB" record import all.gtl --out again.gtl 2>import.err || fail "its own recording is refused: $(cat import.err)"
diff <(sed 's/import-[0-9]*//' all.gtl) <(sed 's/import-[0-9]*//' again.gtl) || fail "imported twice is not the same"

status=0
echo nonsense | cat origin/access.log - >bad.log
"$GATELAB" record import bad.log --out bad.gtl 2>bad.said || status=$?
[[ $status == 3 && ! -e bad.gtl ]] || fail "a bad line: exit $status"
grep -q "bad.log:$(wc -l <bad.log)" bad.said || fail "no line is named: $(cat bad.said)"
