# SPDX-License-Identifier: Apache-2.0
# table.awk -v form=text|markdown SUMMARY: the table for people. Columns: what summary.awk writes.
BEGIN {
  FS = "\t"
  if (form == "markdown") {
    print "| | proxy | CPU per unit, or memory | × floor | × nginx | per second |"
    print "|---|---|---|---|---|---|"
  } else {
    printf "%-17s %-8s %9s %-20s %7s %-16s %7s %-16s %10s\n", "row", "proxy", "cost", "(range)", "x floor", "(range)", "x nginx", "(range)", "per second"
  }
}
/^# / { fact[substr($1, 3)] = $2; next }
$1 == "row" { next }

function amount(value, memory,   sign) {
  if (memory) return sprintf("%.2f KiB", value / 1024)
  if (value < 1e6) return sprintf("%.2f us", value / 1e3)
  return sprintf("%.1f ms", value / 1e6)
}
function ratio(value) { return value == "-" ? "-" : sprintf("%.2f", value) }
function range(low, high) { return low == "-" ? "" : sprintf("%.2f..%.2f", low, high) }
function markdown(text) {
  while (match(text, /[0-9] us/)) text = substr(text, 1, RSTART) " µs" substr(text, RSTART + 4)
  gsub(/\.\./, "–", text)
  return text
}
function between(value, span) { return value == "-" ? "" : (span == "" ? value : value " (" span ")") }

{
  memory = $3 == "none"
  low = amount($7, memory); high = amount($8, memory)
  split(low, parts, " ")
  span = (substr(low, length(parts[1]) + 1) == substr(high, index(high, " ")) ? parts[1] : low) ".." high
  title = $1 == last ? "" : $1
  rate = $15 > 0 ? sprintf($15 < 100 ? "%.2f" : "%.0f", $15) : ""
  name = $5 == "relay" && $3 == "plain" ? "relay*" : $5
  if (form == "markdown") {
    head = title == "" ? "" : "`" $1 "`: " $4
    print markdown("| " head " | " ($5 == "gatelab" ? "**gatelab**" : $5 == "relay" && $3 == "plain" ? "relay (plain request)" : $5) " | " between(amount($6, memory), span) " | " \
      between(ratio($9), range($10, $11)) " | " between(ratio($12), range($13, $14)) " | " rate " |")
  } else {
    if (title != "" && last != "") print ""
    printf "%-17s %-8s %9s %-20s %7s %-16s %7s %-16s %10s\n", title, name, amount($6, memory), span, ratio($9), range($10, $11), ratio($12), range($13, $14), rate
  }
  last = $1
  if (name == "relay*") starred = 1
}
END {
  if (form == "markdown") {
    print ""
    printf "Medians (and ranges) of %s rounds of %s s, on %s: %s; Linux %s, TCP %s; nginx %s, HAProxy %s, OpenSSL %s, wrk %s, curl %s. ", fact["rounds"], fact["seconds"],
      fact["date"], fact["machine"], fact["kernel"], fact["congestion"], fact["nginx"], fact["haproxy"], fact["openssl"], fact["wrk"], fact["curl"]
    printf "%s connections under load, %s idle ones; large bodies of %s octets.\n", fact["connections"], fact["idle_connections"], fact["large_body_bytes"]
    exit
  }
  print ""
  printf "medians (and ranges) of %s rounds; %s, TCP %s; ratios are taken within each round\n", fact["rounds"], fact["machine"], fact["congestion"]
  if (fact["congestion"] ~ /^bbr/) print "this machine\047s TCP paces what it sends: on loopback its timers are most of what a large answer costs (docs/performance.md)"
  if (starred) print "*: the relay speaks no TLS; here the floor is its plain keep-alive request, measured beside the others"
}
