# SPDX-License-Identifier: Apache-2.0
# summary.awk ROWS SAMPLES: medians and ranges over rounds, a line a row and proxy. Ratios are taken within each round.
# ROWS: NAME|UNIT|FLOOR|TEXT.  SAMPLES: row, round, proxy, CPU ns (or bytes), units of work, ns by the clock; tab-separated.
BEGIN {
  OFS = "\t"
  print "row", "unit", "floor", "text", "proxy", "cost", "cost_min", "cost_max", "ratio", "ratio_min", "ratio_max", \
    "to_nginx", "to_nginx_min", "to_nginx_max", "rate"
}
FILENAME == ARGV[1] { split($0, part, "|"); order[++rows] = part[1]; unit[part[1]] = part[2]; base[part[1]] = part[3]; text[part[1]] = part[4]; next }
FNR == 1 { FS = "\t"; $0 = $0 }
{
  cost[$1, $3, $2] = $4 / $5
  rate[$1, $3, $2] = $6 > 0 ? $5 / $6 * 1e9 : 0
  if ($2 > rounds[$1]) rounds[$1] = $2
}

function sort(values, count,   i, j, t) {
  for (i = 2; i <= count; ++i) for (j = i; j > 1 && values[j - 1] > values[j]; --j) { t = values[j]; values[j] = values[j - 1]; values[j - 1] = t }
}
function median(values, count) { return count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2 }
# "median min max" of `values`, "- - -" when there is nothing to compare with.
function spread(values, count, format) {
  if (count == 0) return "-" OFS "-" OFS "-"
  sort(values, count)
  return sprintf(format OFS format OFS format, median(values, count), values[1], values[count])
}
function ratios(row, proxy, against,   r, n) {
  n = 0
  for (r = 1; r <= rounds[row]; ++r) if ((row, against, r) in cost && cost[row, against, r] > 0) many[++n] = cost[row, proxy, r] / cost[row, against, r]
  return spread(many, n, "%.4f")
}

END {
  split("relay gatelab nginx haproxy varnish", proxies, " ")
  for (k = 1; k <= rows; ++k) for (p = 1; p <= 5; ++p) {
    row = order[k]; proxy = proxies[p]; count = rounds[row]
    if (!((row, proxy, 1) in cost)) continue
    for (r = 1; r <= count; ++r) { costs[r] = cost[row, proxy, r]; rates[r] = rate[row, proxy, r] }
    sort(rates, count)
    # The relay's own row tells how much it varied, when it did another work than the others.
    against_nginx = (proxy == "relay" && base[row] == "plain") ? "-" OFS "-" OFS "-" : ratios(row, proxy, "nginx")
    print row, unit[row], base[row], text[row], proxy, spread(costs, count, "%.1f"), ratios(row, proxy, "relay"), against_nginx, sprintf("%.1f", median(rates, count))
  }
}
