# SPDX-License-Identifier: Apache-2.0
# Who asks how much: /consumers of the admin API, and `gatelab top` over it.
source "${GATELAB_ROOT:?ctest sets it}/tests/e2e/common.sh"
start_nginx origin 'location /missing/ { return 404; }' 'location / { return 200 "item\n"; }'
write_gateway gateway.yaml 1000/h
sed -i 's/name: mobile,/name: mobile, groups: [ gold ],/; s/path: \/open\/\*/path: \/missing\/*/' gateway.yaml
start_gatelab gateway gateway.yaml --no-watch --workers 2
curl -s -o /dev/null -H "X-Api-Key: $key" "$url/items/[1-30]"
curl -s -o /dev/null -H "X-Api-Key: $second_key" "$url/items/[1-10]"
curl -s -o /dev/null "$url/missing/[1-20]"
expect_equal "without a key" "$(status "$url/items/1")" 401

field() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
curl -s "$admin/consumers?limit=2&buckets=true" >consumers.txt
expect_equal "largest first" "$(field '[c["name"] for c in d["consumers"]]' <consumers.txt)" "['mobile', '(anonymous)']"
expect_equal "the others" "$(field 'd["left_out"]' <consumers.txt)" 1
expect_equal "a class" "$(field 'd["consumers"][0]["class"]' <consumers.txt)" gold
expect_equal "requests" "$(field 'd["consumers"][0]["requests"], d["consumers"][0]["response_bytes"]' <consumers.txt)" "(30, 150)"
expect_equal "errors" "$(field 'd["consumers"][1]["errors"]' <consumers.txt)" "{'client': 21, 'server': 0, 'unanswered': 0}"
expect_equal "buckets" "$(field 'sum(n for us, n in d["consumers"][0]["buckets_us"])' <consumers.txt)" 30
expect_equal "quantiles" "$(field '0 < c["p50"] <= c["p90"] <= c["p99"] < 5000 if (c := d["consumers"][0]["latency_ms"]) else 0' <consumers.txt)" True
expect_equal "by name" "$(curl -s "$admin/consumers?sort=name" | field '[c["name"] for c in d["consumers"]]')" "['(anonymous)', 'mobile', 'web']"
expect_equal "by errors" "$(curl -s "$admin/consumers?sort=errors&limit=1" | field 'd["consumers"][0]["name"]')" "(anonymous)"
for query in limit=0 limit=x limit=10001 sort=size 'sort=%ff'; do expect_equal "$query" "$(status "$admin/consumers?$query")" 400; done
expect_equal "a foreign name" "$(status -H 'Host: evil.example' "$admin/consumers")" 403

exits 0 "$GATELAB" top "$admin" --once
expect_equal "rows" "$(sed 1d out.txt | awk '{print $1, $2, $3}' | tr '\n' ';')" "mobile gold 30;(anonymous) (anonymous) 21;web (no-group) 10;"
! grep -q $'\x1b' out.txt || fail "escapes without a terminal"
exits 0 "$GATELAB" top "$admin" --once --sort name --limit 1
grep -q '^(anonymous) ' out.txt || fail "sorted by name: $(<out.txt)"
grep -q '^and 2 more$' out.txt || fail "the others are not told: $(<out.txt)"
exits 0 "$GATELAB" top "$admin" --once --json
expect_equal "as JSON" "$(field '[(c["name"], c["requests"]) for c in d["consumers"]]' <out.txt)" "[('mobile', 30), ('(anonymous)', 21), ('web', 10)]"

# Rates of what lies between two looks.
start top "$GATELAB" top "$admin" --interval 200ms --json
top=$pid
has_looked() { [[ -s top.out ]]; }
until_true 10 has_looked || fail "nothing is shown: $(<top.err)"
curl -s -o /dev/null -H "X-Api-Key: $second_key" "$url/items/[1-7]"
seen_all() { [[ $(python3 -c 'import json; print(sum(c["requests"] for l in open("top.out") for c in json.loads(l)["consumers"] if c["name"] == "web"))' 2>/dev/null) == 7 ]]; }
until_true 10 seen_all || fail "what was asked for meanwhile: $(<top.out)"
kill -INT "$top"
code=0
wait "$top" || code=$?
expect_equal "exit code when interrupted" "$code" 130

exits 4 "$GATELAB" top "http://127.0.0.1:$(free_port)" --once
grep -q 'no gateway answers at' err.txt || fail "nobody is told: $(<err.txt)"
exits 4 "$GATELAB" top "http://127.0.0.1:$origin_port" --once
grep -q 'is no gatelab' err.txt || fail "what is no gateway passes for one: $(<err.txt)"
exits 2 "$GATELAB" top "$admin" --interval soon
exits 2 "$GATELAB" top "$admin" --sort size
