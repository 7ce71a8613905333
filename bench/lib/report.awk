# Medians, ratios and verdicts from the results of a run. Called by bench/run as
#   awk -v mode=row -v only=ROW -f report.awk claims.tsv results.tsv     what one row measured, as a Markdown table
#   awk -v mode=claims         -f report.awk claims.tsv results.tsv     what Maestro must reach, and whether it does
#   awk -v mode=translated     -f report.awk claims.tsv results.tsv     the same for translated traffic, by pairs of dialects
# Results are lines of row, round, target, key, value. Ratios are taken within a round, then the median over rounds.
BEGIN {
  FS = "\t"
  pairs = "openai/openai anthropic/anthropic openai/anthropic anthropic/openai responses/openai gemini/openai ollama/openai"
  targets_n = split("direct nginx nginx-log haproxy maestro " pairs, targets, " ")
}
FNR == 1 { file++ }
file == 1 {
  if ($0 !~ /^#/ && NF >= 6) { n_claims++; c_row[n_claims] = $1; c_key[n_claims] = $2; c_how[n_claims] = $3; c_limit[n_claims] = $4; c_unit[n_claims] = $5; c_text[n_claims] = $6 }
  next
}
{
  value[$1, $2, $3, $4] = $5
  if (!(($1, $3, $4) in count)) count[$1, $3, $4] = 0
  series[$1, $3, $4, ++count[$1, $3, $4]] = $5
  if ($2 + 0 > rounds[$1]) rounds[$1] = $2 + 0
  seen[$1, $3] = 1
}

function median_of(list, n,    i, j, t) {
  for (i = 2; i <= n; i++) {
    t = list[i]
    for (j = i - 1; j >= 1 && list[j] > t; j--) list[j + 1] = list[j]
    list[j + 1] = t
  }
  return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}
function median(row, target, key,    i, n, list) {
  n = count[row, target, key]
  if (!n) return "-"
  for (i = 1; i <= n; i++) list[i] = series[row, target, key, i] + 0
  return median_of(list, n)
}
function extreme(row, target, key, sign,    i, n, best) {
  n = count[row, target, key]
  if (!n) return "-"
  best = series[row, target, key, 1] + 0
  for (i = 2; i <= n; i++) if (sign * (series[row, target, key, i] - best) > 0) best = series[row, target, key, i] + 0
  return best
}
# target against another in the same round: "/" or "-". Leaves the spread in pair_low and pair_high.
function paired(row, target, other, key, op,    r, n, list, a, b) {
  n = 0
  for (r = 1; r <= rounds[row]; r++) {
    if (!((row, r, target, key) in value) || !((row, r, other, key) in value)) continue
    a = value[row, r, target, key]; b = value[row, r, other, key]
    if (op == "/" && b <= 0) continue
    list[++n] = op == "/" ? a / b : a - b
  }
  if (!n) return "-"
  a = median_of(list, n)
  pair_low = list[1]; pair_high = list[n]
  return a
}
# Requests that failed spoil a row, whatever it measured.
function faults(row, target,    n, i, list, sum, x) {
  n = split("errors status_errors unfinished broken failed upload_errors upload_status_errors", list, " ")
  for (i = 1; i <= n; i++) {
    x = extreme(row, target, list[i], 1)
    if (x != "-") sum += x
  }
  return sum + 0
}
function extra(row, target, key,    r, n, list) {
  for (r = 1; r <= rounds[row]; r++)
    if ((row, r, target, "busy_" key) in value) list[++n] = value[row, r, target, "busy_" key] - value[row, r, target, "quiet_" key]
  return n ? median_of(list, n) : "-"
}
# Values that are made of others.
function derived(row, target, key, how,    a, b) {
  if (key == "bad_streams") {
    a = extreme(row, target, "broken", 1); b = extreme(row, target, "failed", 1)
    return a == "-" ? "-" : a + b + extreme(row, target, "unfinished", 1)
  }
  if (key == "missed") { a = median(row, target, "json_missed"); return a == "-" ? "-" : a + median(row, target, "stream_missed") }
  if (key == "rss_mb") { a = median(row, target, "rss_kb"); return a == "-" ? "-" : a / 1024 }
  if (key == "rss_growth_kb") { a = median(row, target, "rss_end_kb"); return a == "-" ? "-" : a - median(row, target, "rss_early_kb") }
  if (how == "most") return extreme(row, target, key, 1)
  if (how == "least") return extreme(row, target, key, -1)
  return median(row, target, key)
}
# A pair is caller/provider; the relay of the same stream is what asks that provider in its own dialect.
function relay_of(pair) { sub(/^.*\//, "", pair); return pair "/" pair }
function is_of_pairs(how) { return how == "above" || how == "times" || how == "each" }
function figure(row, target, key, how) {
  pair_low = pair_high = ""
  if (how == "above") return paired(row, target, relay_of(target), key, "-")
  if (how == "times") return paired(row, target, relay_of(target), key, "/")
  if (how == "ratio") return paired(row, target, "nginx", key, "/")
  if (how == "added") return paired(row, target, "direct", key, "-")
  if (how == "extra") return extra(row, target, key)
  return derived(row, target, key, how)
}
function short(x) {
  if (x == "-" || x == "") return "-"
  if (x < 0) return "-" short(-x)
  if (x == 0) return "0"
  if (x >= 1000) return sprintf("%.0f", x)
  if (x >= 100) return sprintf("%.0f", x)
  if (x >= 10) return sprintf("%.1f", x)
  return sprintf("%.2f", x)
}
function print_claims(    i, m, spread, verdict) {
  print "| what | must be | Maestro | rounds | nginx | HAProxy | |"
  print "|---|--:|--:|--:|--:|--:|---|"
  for (i = 1; i <= n_claims; i++) {
    if (is_of_pairs(c_how[i])) continue
    if ((partial || c_row[i] == "soak") && !((c_row[i], "maestro") in seen)) continue
    m = figure(c_row[i], "maestro", c_key[i], c_how[i])
    spread = pair_low == "" ? "" : short(pair_low) " – " short(pair_high)
    if (m == "-") verdict = "not measured"
    else if (faults(c_row[i], "maestro")) verdict = "MISS: " faults(c_row[i], "maestro") " requests failed"
    else if (c_how[i] == "ratio" && faults(c_row[i], "nginx")) verdict = "invalid: requests through nginx failed"
    else if (c_how[i] == "least") verdict = m >= c_limit[i] ? "reached" : "MISS"
    else verdict = m <= c_limit[i] ? "reached" : "MISS"
    printf "| %s | %s %s %s | %s | %s | %s | %s | %s |\n", c_text[i], c_how[i] == "least" ? "≥" : "≤", c_limit[i], c_unit[i], short(m), spread, \
      short(figure(c_row[i], "nginx", c_key[i], c_how[i])), short(figure(c_row[i], "haproxy", c_key[i], c_how[i])), verdict
  }
}
function print_translated(    i, p, n, pair, m, bad, worst, verdict, line) {
  n = split(pairs, pair, " ")
  printf "| what | must be |"
  for (p = 1; p <= n; p++) if (pair[p] != relay_of(pair[p])) printf " %s |", pair[p]
  print " |"
  printf "|---|--:|"
  for (p = 1; p <= n; p++) if (pair[p] != relay_of(pair[p])) printf "--:|"
  print "---|"
  for (i = 1; i <= n_claims; i++) {
    if (!is_of_pairs(c_how[i])) continue
    line = ""; bad = 0; verdict = "reached"
    for (p = 1; p <= n; p++) {
      if (pair[p] == relay_of(pair[p])) { bad += faults(c_row[i], pair[p]); continue }
      m = figure(c_row[i], pair[p], c_key[i], c_how[i])
      line = line " " short(m) " |"
      bad += faults(c_row[i], pair[p])
      if (m == "-") verdict = verdict == "MISS" ? verdict : "not measured"
      else if (m > c_limit[i]) verdict = "MISS"
    }
    if (partial && verdict == "not measured") continue
    if (bad) verdict = "MISS: " bad " requests failed"
    printf "| %s%s | ≤ %s %s |%s %s |\n", c_text[i], c_how[i] == "above" ? ", above the relay" : c_how[i] == "times" ? ", against the relay" : "", \
      c_limit[i], c_unit[i], line, verdict
  }
}
function print_columns(row, keys, titles,    n, i, k, t, key, title) {
  n = split(keys, key, " "); split(titles, title, "|")
  printf "| %s |", row
  for (k = 1; k <= n; k++) printf " %s |", title[k]
  printf "\n|---|"
  for (k = 1; k <= n; k++) printf "--:|"
  printf "\n"
  for (i = 1; i <= targets_n; i++) {
    t = targets[i]
    if (!((row, t) in seen)) continue
    printf "| %s |", t
    for (k = 1; k <= n; k++) {
      if (key[k] ~ /^ratio:/) printf " %s |", t == "direct" ? "" : short(paired(row, t, "nginx", substr(key[k], 7), "/"))
      else if (key[k] ~ /^added:/) printf " %s |", t == "direct" ? "" : short(paired(row, t, "direct", substr(key[k], 7), "-"))
      else if (key[k] ~ /^above:/) printf " %s |", short(paired(row, t, relay_of(t), substr(key[k], 7), "-"))
      else if (key[k] ~ /^times:/) printf " %s |", short(paired(row, t, relay_of(t), substr(key[k], 7), "/"))
      else if (key[k] ~ /^extra:/) printf " %s |", short(extra(row, t, substr(key[k], 7)))
      else if (key[k] ~ /^max:/) printf " %s |", short(extreme(row, t, substr(key[k], 5), 1))
      else if (t == "direct" && key[k] ~ /cpu/) printf "  |"
      else printf " %s |", short(median(row, t, key[k]))
    }
    printf "\n"
  }
  printf "\n"
}
function print_row(row) {
  if (row ~ /^(small|apart|prompt|tls)/)
    print_columns(row, "cpu_us ratio:cpu_us rps p50_us added:p50_us p99_us cpu_share max:errors max:status_errors", "CPU µs/request|× nginx|req/s|p50 µs|added p50|p99 µs|CPU share|errors|not 200")
  else if (row ~ /^(burst|ttft)/)
    print_columns(row, "cpu_us ratio:cpu_us sps ttft_p50_us ttft_p99_us added:ttft_p99_us p50_us p99_us max:broken max:failed", "CPU µs/stream|× nginx|streams/s|TTFT p50 µs|TTFT p99|added TTFT p99|stream p50 µs|stream p99|broken|failed")
  else if (row ~ /^paced/)
    print_columns(row, "cpu_event_us ratio:cpu_event_us eps gap_p99_us max:gap_max_us lag_p50_us lag_p99_us max:events_lost max:broken max:failed", "CPU µs/event|× nginx|events/s|gap p99 µs|gap max|lag p50|lag p99|lost|broken|failed")
  else if (row == "translate-small")
    print_columns(row, "cpu_us above:cpu_us times:cpu_us rps p50_us p99_us cpu_share max:errors max:status_errors", "CPU µs/request|above relay|× relay|req/s|p50 µs|p99 µs|CPU share|errors|not 200")
  else if (row == "translate-burst")
    print_columns(row, "cpu_us above:cpu_us times:cpu_us sps ttft_p50_us p50_us p99_us cpu_share max:broken max:failed", "CPU µs/stream|above relay|× relay|streams/s|TTFT p50 µs|stream p50 µs|stream p99|CPU share|broken|failed")
  else if (row == "translate-paced")
    print_columns(row, "cpu_event_us above:cpu_event_us times:cpu_event_us eps gap_p99_us max:gap_max_us lag_p99_us max:events_lost max:broken max:failed", "CPU µs/event|above relay|× relay|events/s|gap p99 µs|gap max|lag p99|lost|broken|failed")
  else if (row == "translate-memory")
    print_columns(row, "at_rest_kb streaming_kb per_stream_kb above:per_stream_kb max:events_lost max:broken max:failed", "at rest KB|streaming KB|per stream KB|above relay|lost|broken|failed")
  else if (row == "uploads")
    print_columns(row, "quiet_small_p99_us busy_small_p99_us extra:small_p99_us quiet_stream_gap_p99_us busy_stream_gap_p99_us extra:stream_gap_p99_us max:quiet_stream_gap_max_us max:busy_stream_gap_max_us upload_rps max:upload_errors max:upload_status_errors", "small p99 µs quiet|busy|above|event gap p99 µs quiet|busy|above|gap max quiet|busy|uploads/s|upload errors|not 200")
  else if (row == "cancel")
    print_columns(row, "json_p50_us json_max_us json_missed stream_p50_us stream_max_us stream_missed", "JSON p50 µs|max|never|stream p50 µs|max|never")
  else if (row == "reuse")
    print_columns(row, "reused_pct upstream_requests p50_us errors status_errors", "warm connections %|requests|p50 µs|errors|not 200")
  else if (row == "idle")
    print_columns(row, "rss_kb warm_kb loaded_kb per_conn_kb opened closed errors status_errors", "at rest KB|after 1 s of load KB|holding KB|per connection KB|opened|closed|errors|not 200")
  else if (row == "start")
    print_columns(row, "start_ms max:start_ms", "start ms|slowest")
  else if (row == "policy")
    print_columns(row, "auth_us allowlists_us reserve_us settle_us policy_us headers_us change_ms whole_ms", "owner of the token µs|allowlists|reserve|settle|together|headers|a user changed ms|everybody read ms")
  else if (row == "records")
    print_columns(row, "rows put_ns write_rows_s write_us row_bytes roll_up_ms list_ms figure_ms", "rows|a worker's part, ns a row|written rows/s|writer µs/row|bytes/row|rolling up a day ms|slowest page ms|slowest figure ms")
  else if (row == "stall")
    print_columns(row, "quiet_small_p50_us busy_small_p50_us quiet_small_p99_us busy_small_p99_us extra:small_p99_us max:quiet_small_max_us max:busy_small_max_us max:quiet_small_errors max:busy_small_errors max:busy_small_status_errors rows_lost", "p50 µs quiet|stalled|p99 µs quiet|stalled|above|max quiet|stalled|errors quiet|stalled|not 200|rows lost")
  else if (row == "soak")
    print_columns(row, "rss_begin_kb rss_early_kb rss_end_kb max:errors max:status_errors", "after 50 k requests KB|after 250 k|after 1 M|errors|not 200")
}
END {
  if (mode == "claims") print_claims()
  else if (mode == "translated") print_translated()
  else print_row(only)
}
