# SPDX-License-Identifier: Apache-2.0
# chart.awk SUMMARY: one SVG of what summary.awk wrote. Four panels, as their scales have nothing to do with each other: ratios
# to the floor, small ones and large ones, handshakes as ratios to a plain request, memory. A bar is a median, the line over it the range.
BEGIN {
  FS = "\t"
  width = 860; left = 84; right = 690  # between them the bars; what is right of them is for the numbers
  bar = 13; head = 20; gap = 10
  panels = split("ratio large handshake memory", panel_names, " ")
  large = 4  # times the floor: beside more than that nothing could be told apart
  title["ratio"] = "CPU time per unit of work, × the byte relay doing the same (dashed)"
  title["large"] = "The same, where there is more to do than to pass on"
  title["handshake"] = "CPU time per TLS 1.3 handshake, × a plain request through the byte relay"
  title["memory"] = "User memory per idle keep-alive connection, KiB"
}
/^# / { fact[substr($1, 3)] = $2; next }
$1 == "row" || $5 == "relay" { next }
{
  panel = $3 == "none" ? "memory" : $2 == "handshake" ? "handshake" : "ratio"
  first = panel == "memory" ? 6 : 9
  if ($first == "-") next
  if (!($1 in known)) { known[$1] = panel; order[++rows] = $1; text[$1] = $4 ($2 != "handshake" && $3 == "plain" ? " (× the relay’s plain request)" : "") }
  scale = panel == "memory" ? 1024 : 1
  value[$1, $5] = $first / scale; low[$1, $5] = $(first + 1) / scale; high[$1, $5] = $(first + 2) / scale
  if (high[$1, $5] > highest[$1]) highest[$1] = high[$1, $5]
}

function escaped(t) { gsub(/&/, "\\&amp;", t); gsub(/</, "\\&lt;", t); return t }
# Words are drawn last, over lines and bars.
function say(x, y, class, t) { words = words sprintf("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y, class, escaped(t)) }
function line(x1, y1, x2, y2, class) { out = out sprintf("<path d=\"M%.1f %.1fL%.1f %.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, class) }
# A step of 1, 2 or 5 times a power of ten that gives four to nine marks.
function step_for(top,   power) {
  for (power = 1e-3; power * 10 < top; power *= 10) {}
  return top / power <= 2 ? power / 5 : top / power <= 5 ? power / 2 : power
}
function at(amount) { return left + (right - left) * amount / top }

function draw_panel(panel,   k, p, row, proxy, step, mark, start, label, end_of_bar) {
  if (!(panel in most)) return
  top = most[panel] > 1 || panel != "ratio" ? most[panel] : 1
  step = step_for(top)
  y += 30
  say(16, y, "title", title[panel])
  y += 22
  for (mark = 0; mark <= top * 1.0001; mark += step) say(at(mark), y, "mark", sprintf("%g", mark))
  y += 6
  start = y
  before = out; out = ""
  for (k = 1; k <= rows; ++k) {
    row = order[k]
    if (known[row] != panel) continue
    y += head
    say(16, y - 5, "row", text[row])
    for (p = 1; p <= count; ++p) {
      proxy = proxies[p]
      if (!((row, proxy) in value)) continue
      end_of_bar = at(value[row, proxy]); if (end_of_bar < left) end_of_bar = left
      out = out sprintf("<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" class=\"%s\"/>\n", left, y + 1, end_of_bar - left, bar - 2, proxy)
      if (high[row, proxy] > low[row, proxy]) line(at(low[row, proxy]), y + bar / 2, at(high[row, proxy]), y + bar / 2, "range")
      say(left - 6, y + bar - 3, "name", proxy)
      label = sprintf("%.2f", value[row, proxy])
      if (high[row, proxy] > low[row, proxy]) label = label sprintf(" (%.2f–%.2f)", low[row, proxy], high[row, proxy])
      say((at(high[row, proxy]) > end_of_bar ? at(high[row, proxy]) : end_of_bar) + 6, y + bar - 3, proxy == "gatelab" ? "number ours" : "number", label)
      y += bar
    }
    y += gap
  }
  bars = out; out = before
  for (mark = 0; mark <= top * 1.0001; mark += step) line(at(mark), start, at(mark), y - gap, "grid")
  out = out bars
  if (panel == "ratio" || panel == "large") line(at(1), start, at(1), y - gap, "floor")
}

END {
  if (!rows) { print "chart.awk: no row has a figure to draw" >"/dev/stderr"; exit 1 }
  count = split("gatelab nginx haproxy varnish", proxies, " ")
  for (k = 1; k <= rows; ++k) {
    row = order[k]
    if (known[row] == "ratio" && highest[row] > large) known[row] = "large"
    if (highest[row] > most[known[row]]) most[known[row]] = highest[row]
  }
  y = 4
  for (k = 1; k <= panels; ++k) draw_panel(panel_names[k])
  y += 16
  say(16, y, "note", sprintf("Medians and ranges of %s rounds of %s s, all in turns in one run. Shorter is better.", fact["rounds"], fact["seconds"]))
  y += 15
  say(16, y, "note", sprintf("%s; nginx %s, HAProxy %s, OpenSSL %s; %s.", fact["machine"], fact["nginx"], fact["haproxy"], fact["openssl"], fact["date"]))
  y += 14
  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"gatelab beside nginx and HAProxy\">\n", width, y, width, y
  print "<style>"
  print "text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}"
  print ".title{font-size:14px;font-weight:600}.row{font-weight:600}.name{text-anchor:end;fill:#59636e}.mark{text-anchor:middle;fill:#59636e;font-size:11px}"
  print ".number{fill:#59636e;font-size:11px}.number,.row{paint-order:stroke;stroke:#fff;stroke-width:3px}.ours{fill:#1f2328;font-weight:600}.note{fill:#59636e;font-size:11px}.paper{fill:#fff}"
  print ".gatelab{fill:#2f6fd0}.nginx{fill:#8fb996}.haproxy{fill:#e0b36a}.varnish{fill:#b79ad1}path{fill:none}.grid{stroke:#e4e7eb}.range{stroke:#1f2328;stroke-width:1.5}.floor{stroke:#c0392b;stroke-width:1.5;stroke-dasharray:4 3}"
  print "@media(prefers-color-scheme:dark){text,.ours{fill:#e6edf3}.name,.mark,.number,.note{fill:#9aa4af}.ours{fill:#e6edf3}.number,.row{stroke:#0d1117}.paper{fill:#0d1117}"
  print ".gatelab{fill:#5b9bff}.nginx{fill:#4f7d58}.haproxy{fill:#a67c37}.varnish{fill:#77589a}.grid{stroke:#2a313a}.range{stroke:#e6edf3}.floor{stroke:#ff7b72}}"
  print "</style>"
  printf "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", width, y
  printf "%s%s</svg>\n", out, words
}
