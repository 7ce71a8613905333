# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # bench/run sources all of bench/lib and owns the settings
# docs/benchmarks.md from the results of a whole run. Sourced by bench/run.

page() {
  local row
  cat <<EOF
# Benchmarks

Written by \`make bench\`; do not edit. Losses are in the tables like everything else.

| | |
|---|---|
| date | $(date -u +%Y-%m-%d) |
| machine | $(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo), $cpus processors, $(awk '/MemTotal/ {printf "%.0f GB", $2 / 1048576}' /proc/meminfo)$(systemd-detect-virt -q 2>/dev/null && echo ", virtual") |
| kernel | $(uname -sr) |
| Maestro | $("$maestro" version 2>/dev/null | head -n 1) |
| nginx | $("$nginx" -v 2>&1 | sed 's/.*nginx\///'), one worker, \`proxy_pass\` with a keep-alive pool of 1024 |
| HAProxy | $("$haproxy" -v | awk 'NR == 1 {print $3}'), one thread, \`http-reuse always\`; for streams \`http-no-delay\` |
| load average | before $load_before, after $load_after |
| run | $rounds rounds of $seconds s for each row and target, interleaved; $(($(date +%s) - began)) s in all${BENCH_NICE:+; all of it at nice $BENCH_NICE} |

## What Maestro must reach

EOF
  awk -v mode=claims -f bench/lib/report.awk bench/lib/claims.tsv "$results"
  cat <<EOF

The column *rounds* shows the least and the greatest of the rounds whose median counts.

**Translated traffic**, by the caller's dialect and the provider's:

EOF
  awk -v mode=translated -f bench/lib/report.awk bench/lib/claims.tsv "$results"
  cat <<EOF

## Method

- The proxy under test runs on processor $proxy_cpu, upstream on $upstream_cpu, load generator on $load_cpu, all over 127.0.0.1. Rounds are interleaved
  (direct, nginx, HAProxy, Maestro, direct, …); a ratio is taken within a round, and the median over the rounds counts.
- **CPU** is the processor time of all threads and processes of the proxy, kernel included, read from their CPU clocks at both ends of the window,
  divided by the requests (or events) finished in it. It is the steadiest figure here: requests per second and latencies also contain
  the upstream and the generator, which share a processor. *CPU share* near 1 means that the proxy was what limited the row.
- **Maestro** is the binary and configuration of \`make serve\` with a key: authentication, usage, request log and metrics are on. It has one worker
  on one processor, as nginx and HAProxy have, but two in the memory rows, sixteen in the reuse row and the default at start-up. nginx and HAProxy do none of this;
  \`nginx-log\` is nginx with its stock access log. The upstream is \`maestro mock\`, for TLS rows and uploads nginx with a static reply.
- **Small JSON** is a request of 300 bytes and a reply of 1 KB. *Added* is the difference to the direct row of the same round. In small-1 and ttft-1
  the upstream runs on the proxy's processor, so that direct and proxied requests cross processors equally often; apart-1 is the plain placement.
- **Streams** are checked event by event: order, number, \`[DONE]\`. *Gap* is the time between two events, *lag* how late an event is against the
  earliest schedule of its own stream; both contain the upstream's unevenness (see *direct*). Starts are spread over one pace interval.
- **Translated traffic** is told by two dialects, caller/provider, all of it through Maestro. *Relay* is the same stream of the same provider asked
  in its own dialect (openai/openai, anthropic/anthropic), in the same round; nothing else here does this work, so there is no peer beside it. Every
  caller asks for the same in its own words, and its stream is checked as the others are. Responses are asked for without being stored.
- **Uploads**: 200 small requests per second at fixed times and 64 paced streams, first alone, then while 4 clients send 10 MB bodies without pause.
  Uploaders and their upstream are scheduled only when nothing else wants their processor.
- **Client gone**: the generator is also the silent upstream, so that both instants come from one clock. HAProxy has \`option abortonclose\`.
- **Request log**: bench/records writes that many rows of 30 days as the server's writer does, then reads pages of 50 and figures, 21 times each, the
  files in the page cache; the median of the slowest kind counts. **Stall**: 4000 requests/s; the file system of the data directory lies in one that is frozen.
- **Memory** is resident memory (smaps) of fresh processes, kernel socket buffers not counted; nginx is the sum of master and worker. *Per stream* is
  what 256 streams add, with both their connections, read when four fifths of their events have passed.

## Rows
EOF
  while read -r row _ _ text; do
    if [ -n "$row" ] && grep -q "^$row	" "$results"; then
      printf '\n### %s: %s\n\n' "$row" "$text"
      awk -v only="$row" -v mode=row -f bench/lib/report.awk bench/lib/claims.tsv "$results"
    fi
  done <<<"$rows" | cat -s
}
