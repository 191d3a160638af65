# SPDX-License-Identifier: Apache-2.0
# json.awk FACTS SAMPLES SUMMARY: all of a run as one JSON document. CPU in nanoseconds, memory in bytes.
BEGIN { FS = "\t" }
function quoted(text) { gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); return "\"" text "\"" }
function value(text) { return text == "-" ? "null" : text ~ /^-?[0-9]+(\.[0-9]+)?$/ ? text : quoted(text) }
function versions(name) { return name ~ /^(gatelab|nginx|haproxy|varnish|wrk|curl|openssl)$/ }
function field(name, text) { return quoted(name) ": " text }
function spread(name, at) { return field(name, "{" field("median", value($at)) ", " field("min", value($(at + 1))) ", " field("max", value($(at + 2))) "}") }
FILENAME == ARGV[1] {
  if (versions($1)) peers = peers (peers == "" ? "" : ", ") field($1, quoted($2))
  else run = run (run == "" ? "" : ", ") field($1, value($2))
  next
}
FILENAME == ARGV[2] {
  samples = samples (samples == "" ? "" : ",\n") "    {" field("row", quoted($1)) ", " field("round", $2) ", " field("proxy", quoted($3)) ", " \
    ($1 ~ /^idle/ ? field("bytes", $4) ", " field("connections", $5) : field("cpu_ns", $4) ", " field("units", $5) ", " field("clock_ns", $6)) "}"
  next
}
/^# / || $1 == "row" { next }
{
  results = results (results == "" ? "" : ",\n") "    {" field("row", quoted($1)) ", " field("text", quoted($4)) ", " field("proxy", quoted($5)) ", " \
    field("unit", quoted($2)) ", " field("floor", quoted($3)) ", " spread($3 == "none" ? "bytes" : "cpu_ns", 6) ", " \
    spread("ratio_to_floor", 9) ", " spread("ratio_to_nginx", 12) ", " field("units_per_second", $3 == "none" ? "null" : value($15)) "}"
}
END {
  print "{"
  print "  " field("run", "{" run "}") ","
  print "  " field("versions", "{" peers "}") ","
  print "  " field("results", "[\n" results "\n  ]") ","
  print "  " field("samples", "[\n" samples "\n  ]")
  print "}"
}
