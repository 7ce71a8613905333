# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # bench/run sources all of bench/lib and owns the settings
# What is measured. Each row is a function that takes a target and a round and records key=value pairs; `rows` lists them
# in order with their style: "round" rows run for every target in every round, interleaved (A B C A B C), "once" rows run
# once per target. Sourced by bench/run.
#
# A target is a proxy, or for translated traffic two dialects, caller/provider, through Maestro: where they are the same it
# is the relay of that stream, which the others are measured against.
#
#   name        style  targets                              what
rows='
  small-1      round  direct,nginx,haproxy,maestro         small JSON, 1 connection, upstream beside the proxy
  apart-1      round  direct,nginx,haproxy,maestro         small JSON, 1 connection, upstream beside the generator
  small-64     round  direct,nginx,nginx-log,haproxy,maestro  small JSON, 64 connections
  small-512    round  direct,nginx,nginx-log,haproxy,maestro  small JSON, 512 connections
  tls-64       round  nginx,haproxy,maestro                small JSON, 64 connections, TLS 1.3 upstream
  prompt-64    round  direct,nginx,haproxy,maestro         65 KB prompt with escapes, 64 connections
  burst-64     round  direct,nginx,haproxy,maestro         202-event stream without pace, 64 connections
  ttft-1       round  direct,nginx,haproxy,maestro         time to first token, 1 connection, upstream beside the proxy
  paced-64     round  direct,nginx,haproxy,maestro         64 streams, an event each 10 ms
  paced-512    round  direct,nginx,haproxy,maestro         512 streams, an event each 10 ms
  uploads      round  direct,nginx,haproxy,maestro         small requests and 64 paced streams beside 4 clients sending 10 MB bodies
  cancel       once   nginx,haproxy,maestro                client gone, time until the upstream sees it
  reuse        once   maestro                              2 requests per second, 16 workers, new client connections
  idle         once   nginx,haproxy,maestro                memory: idle, and 10,000 idle connections
  start        once   maestro                              start-up
  policy       once   maestro                              10,000 users with limits: what policy costs a request (bench/limits)
  records      once   maestro                              the request log at size (bench/records): writing, lists, figures
  stall        once   maestro                              small requests while the disk of the data directory stands still (root only)
  translate-small   round  PAIRS  small JSON, 64 connections: what a translation costs above the relay of the same
  translate-burst   round  PAIRS  202-event stream without pace, 64 connections
  translate-paced   round  PAIRS  64 streams, an event each 10 ms
  translate-memory  once   PAIRS  memory of 256 paced streams, an event each 10 ms
  soak         once   maestro                              memory after 1,000,000 requests (only with --soak)
'
pairs=openai/openai,anthropic/anthropic,openai/anthropic,anthropic/openai,responses/openai,gemini/openai,ollama/openai
rows=${rows//PAIRS/$pairs}

# record ROW ROUND TARGET [PREFIX] < one or more lines of key=value pairs
record() {
  local prefix=${4:-} words word
  while read -ra words; do
    for word in "${words[@]}"; do
      [[ $word == *=* ]] && printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$prefix${word%%=*}" "${word#*=}"
    done
  done >>"$results"
}

# loaded MODE OPTIONS...: the generator on its processor, aimed by $target_args, watching $pids.
loaded() {
  "${nicely[@]}" taskset -c "$load_cpu" "$load" "$1" "${target_args[@]}" ${pids:+--pids "$pids"} "${@:2}"
}

closed_row() { # ROW TARGET ROUND KIND MODEL OPTIONS...
  local row=$1 target=$2 round=$3 pids
  target_words "$target" "$4" "$5"
  pids=$(target_pids "$target")
  loaded closed --seconds "$seconds" --warmup "$warmup" "${@:6}" | record "$row" "$round" "$target"
}

streams_row() { # ROW TARGET ROUND MODEL OPTIONS...
  local row=$1 target=$2 round=$3 pids
  target_words "$target" stream "$4"
  pids=$(target_pids "$target")
  loaded streams "${@:5}" | record "$row" "$round" "$target"
}

# One connection measures wake-ups across processors more than anything else, and direct has none of them when upstream
# and generator share one. With the upstream on the proxy's processor each path has the same two, so that the difference
# is what the proxy adds. apart-1 is the plain placement.
beside_proxy() {
  processes_move "$upstream_name" "$proxy_cpu"
  "$@"
  processes_move "$upstream_name" "$upstream_cpu"
}

row_small_1() { beside_proxy closed_row small-1 "$1" "$2" json "$model_small" --conns 1; }
row_apart_1() { closed_row apart-1 "$1" "$2" json "$model_small" --conns 1; }
row_small_64() { closed_row small-64 "$1" "$2" json "$model_small" --conns 64; }
row_small_512() { closed_row small-512 "$1" "$2" json "$model_small" --conns 512; }
row_tls_64() { closed_row tls-64 "$1" "$2" tls static --conns 64; }
row_prompt_64() { closed_row prompt-64 "$1" "$2" json "$model_small" --conns 64 --body prompt; }
row_burst_64() {
  streams_row burst-64 "$1" "$2" "$model_burst" --conns 64 --chunks 200 --seconds "$seconds" --warmup "$warmup"
}
row_ttft_1() {
  beside_proxy streams_row ttft-1 "$1" "$2" "$model_short" --conns 1 --chunks 4 --seconds "$seconds" --warmup "$warmup"
}
row_paced_64() { streams_row paced-64 "$1" "$2" "$model_paced" --conns 64 --chunks "$paced_chunks" --pace-ms 10; }
row_paced_512() { streams_row paced-512 "$1" "$2" "$model_paced" --conns 512 --chunks "$paced_chunks" --pace-ms 10; }

# The caller's half of a pair is the generator's --dialect, the provider's half chooses the model's provider.
row_translate_small() { closed_row translate-small "$1" "$2" json "$model_small" --conns 64; }
row_translate_burst() {
  streams_row translate-burst "$1" "$2" "$model_burst" --conns 64 --chunks 200 --seconds "$seconds" --warmup "$warmup"
}
row_translate_paced() {
  streams_row translate-paced "$1" "$2" "$model_paced" --conns 64 --chunks "$paced_chunks" --pace-ms 10
}

# A fresh process each: at rest after a little load, and late in the streams, when they hold most.
row_translate_memory() {
  local pair=$1 pids count=256 before during
  peers_restart maestro measured
  target_words "$pair" json "$model_small"
  pids='' loaded closed --conns 1 --seconds 0.2 >/dev/null
  pids=$(target_pids maestro)
  before=$(processes_rss_kb "$pids")
  target_words "$pair" stream "$model_paced"
  loaded streams --conns "$count" --chunks "$paced_chunks" --pace-ms 10 >"$work/memory.out" &
  process_pid[memory]=$!
  sleep "$(awk "BEGIN {print $paced_chunks * 0.008}")"
  during=$(processes_rss_kb "$pids")
  wait "${process_pid[memory]}"
  unset 'process_pid[memory]'
  record translate-memory 1 "$pair" <"$work/memory.out"
  awk -v a="$during" -v b="$before" -v n="$count" \
    'BEGIN {printf "at_rest_kb=%d streaming_kb=%d per_stream_kb=%.2f\n", b, a, (a - b) / n}' |
    record translate-memory 1 "$pair"
}

# Small requests at a fixed, modest rate and paced streams, both at once: quiet, then while 4 clients upload without pause.
row_uploads() {
  local target=$1 round=$2 pids='' part uploader=''
  for part in quiet busy; do
    if [ "$part" = busy ]; then
      target_words "$target" bulk static
      taskset -c "$load_cpu" chrt --idle 0 "$load" closed "${target_args[@]}" --conns 4 --body big --seconds 120 \
        >"$work/upload.out" 2>&1 &
      uploader=$!
      process_pid[uploader]=$uploader
      sleep 0.3
    fi
    target_words "$target" stream "$model_paced"
    loaded streams --conns 64 --chunks "$paced_chunks" --pace-ms 10 >"$work/streams.out" &
    process_pid[streams]=$!
    target_words "$target" json "$model_small"
    loaded closed --conns 16 --rate 200 --warmup 0.2 --seconds "$(awk "BEGIN {print $paced_chunks / 100 - 0.4}")" |
      record uploads "$round" "$target" "${part}_small_"
    wait "${process_pid[streams]}"
    unset 'process_pid[streams]'
    record uploads "$round" "$target" "${part}_stream_" <"$work/streams.out"
  done
  kill -TERM "$uploader"
  wait "$uploader" || true
  unset 'process_pid[uploader]'
  record uploads "$round" "$target" upload_ <"$work/upload.out"
}

row_cancel() {
  local pids=''
  target_words "$1" silent hang
  loaded cancel --listen-port "$port_silent" --trials "$trials" | record cancel 1 "$1" json_
  loaded cancel --listen-port "$port_silent" --trials "$trials" --stream | record cancel 1 "$1" stream_
}

# Every request on a new client connection: whichever worker takes it should find a warm upstream connection.
row_reuse() {
  local pids=''
  peers_start_maestro maestro-16 "$proxy_cpu" "$port_maestro_other" --workers 16
  peers_wait maestro-16 "$port_maestro_other"
  : >"$work/reuse.log"
  target_words maestro reuse static
  target_args[1]=$port_maestro_other
  loaded closed --fresh --rate 2 --conns 4 --seconds "$reuse_seconds" | record reuse 1 maestro
  processes_stop maestro-16
  sleep 0.1
  awk '{n++; if ($1 > 1) reused++} END {printf "upstream_requests=%d reused_pct=%.1f\n", n, n ? 100 * reused / n : 0}' \
    "$work/reuse.log" | record reuse 1 maestro
}

# Fresh processes: at rest, and holding idle connections that each made one request.
row_idle() {
  local target=$1 pids count=10000 before after hold
  [ "$count" -le $((max_files - 1000)) ] || count=$((max_files - 1000))
  [ "$target" = haproxy ] && [ "$count" -gt $((max_files / 2 - 400)) ] && count=$((max_files / 2 - 400))
  peers_restart "$target" idle
  sleep 1
  pids=$(target_pids "$target")
  echo "rss_kb=$(processes_rss_kb "$pids")" | record idle 1 "$target"
  target_words "$target" json "$model_small"
  pids='' loaded closed --conns 64 --seconds 1 >/dev/null
  sleep 0.5
  before=$(processes_rss_kb "$pids")
  mkfifo "$work/hold.$target"
  taskset -c "$load_cpu" "$load" idle "${target_args[@]}" --conns "$count" --seconds 60 \
    <"$work/hold.$target" >"$work/idle.out" 2>&1 &
  process_pid[idle]=$!
  exec {hold}>"$work/hold.$target"
  wait_for_line "$work/idle.out" ready 60
  sleep 0.5
  after=$(processes_rss_kb "$pids")
  exec {hold}>&-
  wait "${process_pid[idle]}" || true
  unset 'process_pid[idle]'
  record idle 1 "$target" <"$work/idle.out"
  awk -v a="$after" -v b="$before" -v n="$count" \
    'BEGIN {printf "warm_kb=%d loaded_kb=%d per_conn_kb=%.2f\n", b, a, (a - b) / n}' | record idle 1 "$target"
  peers_restart "$target" measured
}

row_start() {
  local round
  for round in $(seq "$rounds"); do
    maestro_command "start-$round" "$port_maestro_other"
    "$load" start --port "$port_maestro_other" --path /healthz --seconds 10 -- "${maestro_words[@]}" \
      2>>"$work/start.log" | record start "$round" maestro
  done
}

row_policy() {
  cmake --build --preset release --target limits_cost >"$work/policy.log" 2>&1 || die "limits_cost cannot be built"
  taskset -c "$proxy_cpu" build/release/limits_cost --values 2>>"$work/policy.log" | record policy 1 maestro
}

row_records() {
  cmake --build --preset release --target records_cost >"$work/records.log" 2>&1 || die "records_cost cannot be built"
  mkdir "$work/records"
  "${nicely[@]}" taskset -c "$proxy_cpu" build/release/records_cost "$work/records" "$record_rows" --values 2>>"$work/records.log" |
    record records 1 maestro
  rm -r "$work/records"
}

# A disk that answers nothing: a file system in a file of another one, which is frozen. The freeze of the upper one itself
# would stop memory that is mapped, which no disk does.
stall_mount() {
  local low=$work/stall/low up=$work/stall/up
  mkdir -p "$low" "$up"
  truncate -s 600M "$work/stall/low.img"
  mkfs.ext4 -qF "$work/stall/low.img" && mount -o loop "$work/stall/low.img" "$low" && fallocate -l 400M "$low/up.img" &&
    mkfs.ext4 -qF "$low/up.img" && mount -o loop "$low/up.img" "$up"
}
stall_unmount() {
  [ -d "$work/stall" ] || return 0
  fsfreeze -u "$work/stall/low" 2>/dev/null || true
  umount "$work/stall/up" 2>/dev/null || true
  umount "$work/stall/low" 2>/dev/null || true
}

# 1.5 s without a disk in 4 s of requests at a fixed rate, and the same without it.
row_stall() {
  local part pids='' freezer
  if [ "$(id -u)" != 0 ] || ! stall_mount >"$work/stall.log" 2>&1; then
    say "stall is not measured: it mounts a file system, which needs root"
    stall_unmount
    return 0
  fi
  processes_stop maestro
  maestro_data=$work/stall/up start_target maestro --workers 1
  target_words maestro json "$model_small"
  for part in quiet busy; do
    (sleep 1.2; [ "$part" = quiet ] || fsfreeze -f "$work/stall/low"; sleep 1.5
     [ "$part" = quiet ] || fsfreeze -u "$work/stall/low") &
    freezer=$!
    loaded closed --conns 16 --rate 4000 --warmup 0.2 --seconds 4 | record stall 1 maestro "${part}_small_"
    wait "$freezer"
  done
  "$load" probe --port "$port_maestro" --path /healthz --seconds 10 >/dev/null
  curl -fsS -H "authorization: Bearer $BENCH_KEY" "http://127.0.0.1:$port_maestro/metrics" |
    awk '/^maestro_request_log_dropped_total/ {print "rows_lost=" $2}' | record stall 1 maestro
  processes_stop maestro
  stall_unmount
  start_target maestro --workers 1
}

row_soak() {
  local pids rss part
  peers_restart maestro measured
  pids=$(target_pids maestro)
  target_words maestro json "$model_small"
  for part in 50 200 250 250 250; do # thousands; the first 50 warm up
    loaded closed --conns 64 --requests "${part}000" --seconds 600 | record soak "$part" maestro
    sleep 1
    rss=$(processes_rss_kb "$pids")
    [ "$part" = 50 ] && echo "rss_begin_kb=$rss" | record soak 1 maestro
    [ "$part" = 200 ] && echo "rss_early_kb=$rss" | record soak 1 maestro
  done
  echo "rss_end_kb=$rss" | record soak 1 maestro
}
