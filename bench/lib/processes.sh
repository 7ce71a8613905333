# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # bench/run sources all of bench/lib and owns the settings
# Processes of a benchmark run: start pinned, find their children, read their memory, end them. Sourced by bench/run.
# Everything started here is ended by processes_stop_all, which bench/run traps on exit and on Ctrl-C; nothing else is.

declare -A process_pid=() # name -> pid of the process that we started

# processes_start NAME CPUS LOGFILE COMMAND...: in the background, pinned, standard output and error to the log.
processes_start() {
  local name=$1 cpus=$2 log=$3
  shift 3
  "${nicely[@]}" taskset -c "$cpus" "$@" </dev/null >>"$log" 2>&1 &
  process_pid[$name]=$!
}

# The process and all its descendants, comma-separated. nginx has a worker process below its master.
processes_tree() {
  local todo=("$1") all=() pid children
  while [ ${#todo[@]} -gt 0 ]; do
    pid=${todo[0]}
    todo=("${todo[@]:1}")
    [ -e "/proc/$pid" ] || continue
    all+=("$pid")
    read -ra children <<<"$(cat "/proc/$pid"/task/*/children 2>/dev/null)"
    todo+=("${children[@]}")
  done
  (IFS=,; echo "${all[*]}")
}

# processes_move NAME CPUS: every thread of the tree, from now on.
processes_move() {
  local pid
  for pid in $(processes_tree "${process_pid[$1]}" | tr , ' '); do taskset -acp "$2" "$pid" >/dev/null; done
}

# Resident memory of the comma-separated processes, in KB.
processes_rss_kb() {
  local pid sum=0 kb
  for pid in ${1//,/ }; do
    kb=$(awk '/^Rss:/ {print $2}' "/proc/$pid/smaps_rollup") || return 1
    sum=$((sum + kb))
  done
  echo "$sum"
}

processes_alive() { [ -n "${process_pid[$1]:-}" ] && kill -0 "${process_pid[$1]}" 2>/dev/null; }

# Asks to stop, waits up to 5 s, then kills what is left of the tree.
processes_stop() {
  local name=$1 pid tree _
  pid=${process_pid[$name]:-}
  [ -n "$pid" ] || return 0
  unset "process_pid[$name]"
  tree=$(processes_tree "$pid")
  kill -TERM "$pid" 2>/dev/null || true
  for _ in {1..250}; do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.02
  done
  for pid in ${tree//,/ }; do kill -KILL "$pid" 2>/dev/null || true; done
  wait "${tree%%,*}" 2>/dev/null || true
}

processes_stop_all() {
  local name
  for name in "${!process_pid[@]}"; do processes_stop "$name"; done
}
