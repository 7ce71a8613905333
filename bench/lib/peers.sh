# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # bench/run sources all of bench/lib and owns the settings
# The upstreams and the proxies under test: their configurations, ports and processes. Sourced by bench/run.
# All of it lives in $work (a temporary directory) and listens on 127.0.0.1 only. A target is one of: direct, nginx,
# nginx-log (the same nginx, but writing an access log as its stock configuration does), haproxy, maestro.

# Ports, counted from one base so that two runs can go side by side with BENCH_PORT.
base=${BENCH_PORT:-18100}
port_mock=$base port_origin=$((base + 1)) port_tls=$((base + 2)) port_silent=$((base + 3)) port_sink=$((base + 4))
port_nginx=$((base + 10)) port_nginx_log=$((base + 11)) port_nginx_stream=$((base + 12)) port_nginx_tls=$((base + 13))
port_haproxy=$((base + 20)) port_haproxy_stream=$((base + 21)) port_haproxy_tls=$((base + 22))
port_maestro=$((base + 30)) port_maestro_other=$((base + 31))

maestro=build/release/maestro
nginx=$(command -v nginx || echo /usr/sbin/nginx)
haproxy=$(command -v haproxy || echo /usr/sbin/haproxy)

peers_check_ports() {
  local port
  for port in "$port_mock" "$port_origin" "$port_tls" "$port_silent" "$port_sink" "$port_nginx" "$port_nginx_log" \
              "$port_nginx_stream" "$port_nginx_tls" "$port_haproxy" "$port_haproxy_stream" "$port_haproxy_tls" "$port_maestro" \
              "$port_maestro_other"; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      die "port $port is in use; choose another range with BENCH_PORT=N (needs N to N+31)"
    fi
  done
}

# A self-signed authority and a certificate for 127.0.0.1.
peers_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=bench" \
    -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=127.0.0.1" \
    -keyout "$work/tls.key" -out "$work/tls.csr" 2>/dev/null
  openssl x509 -req -in "$work/tls.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo "subjectAltName=IP:127.0.0.1,DNS:localhost") -out "$work/tls.pem" 2>/dev/null
}

# What both nginx configurations share. Nothing that nginx does per request by default is switched off but the access log.
nginx_head() {
  cat <<EOF
daemon off;
worker_processes 1;
pid $work/$1.pid;
error_log $work/$1.error.log warn;
$([ "$(id -u)" -eq 0 ] && echo "user root;")
events { worker_connections $max_files; }
http {
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_max_body_size 64m;
  client_body_buffer_size 256k;
  client_body_temp_path $work/$1.body;
  proxy_temp_path $work/$1.proxy;
  fastcgi_temp_path $work/$1.fastcgi;
  uwsgi_temp_path $work/$1.uwsgi;
  scgi_temp_path $work/$1.scgi;
EOF
}

# A 1 KB chat completion.
static_reply() {
  local text
  text=$(printf 'The capital of France is Paris, on the Seine. %.0s' {1..14})
  printf '{"id":"chatcmpl-0123456789abcdef","object":"chat.completion","created":1760000000,"model":"static","choices":[{"index":0,"message":{"role":"assistant","content":"%s","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":38,"completion_tokens":142,"total_tokens":180,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},"system_fingerprint":"fp_bench"}' "$text"
}

# The static upstream: the same reply to everything, over plain TCP and over TLS 1.3. Its connection log tells how many
# requests came over a connection that had served one before.
peers_start_origin() {
  {
    nginx_head origin
    cat <<EOF
  log_format reuse '\$connection_requests';
  default_type application/json;
  server {
    listen 127.0.0.1:$port_origin backlog=4096;
    location / { return 200 '$(static_reply)'; }
    location /reuse/ { access_log $work/reuse.log reuse; return 200 '$(static_reply)'; }
  }
  server {
    listen 127.0.0.1:$port_tls ssl backlog=4096;
    ssl_certificate $work/tls.pem;
    ssl_certificate_key $work/tls.key;
    ssl_protocols TLSv1.3;
    location / { return 200 '$(static_reply)'; }
  }
}
EOF
  } >"$work/origin.conf"
  processes_start origin "$upstream_cpu" "$work/origin.log" "$nginx" -c "$work/origin.conf" -p "$work"
}

# Where 10 MB bodies end. It and the uploading client run only when nothing else wants their processor, so that what
# gets slower beside uploads is the proxy and not the generator.
peers_start_sink() {
  {
    nginx_head sink
    echo "  server { listen 127.0.0.1:$port_sink; default_type application/json; location / { return 200 '$(static_reply)'; } }"
    echo "}"
  } >"$work/sink.conf"
  processes_start sink "$upstream_cpu" "$work/sink.log" chrt --idle 0 "$nginx" -c "$work/sink.conf" -p "$work"
}

peers_start_mock() {
  processes_start mock "$upstream_cpu" "$work/mock.log" "$maestro" mock --port "$port_mock" --fast
}

nginx_locations() {
  cat <<EOF
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    $1
    location / { proxy_pass http://upstream; }
    location /bulk/ { proxy_request_buffering off; proxy_pass http://bulk/; }
    location /silent/ { proxy_pass http://silent/; }
EOF
}

peers_start_nginx() {
  local keep="keepalive 1024; keepalive_requests 100000000; keepalive_timeout 600s;"
  {
    nginx_head nginx
    cat <<EOF
  upstream upstream { server 127.0.0.1:$port_upstream; $keep }
  upstream bulk { server 127.0.0.1:$port_sink; $keep }
  upstream silent { server 127.0.0.1:$port_silent; $keep }
  upstream tls { server 127.0.0.1:$port_tls; $keep }
  server { listen 127.0.0.1:$port_nginx backlog=4096; $(nginx_locations "") }
  server { listen 127.0.0.1:$port_nginx_log backlog=4096; access_log $work/access.log; $(nginx_locations "") }
  server { listen 127.0.0.1:$port_nginx_stream backlog=4096; $(nginx_locations "proxy_buffering off;") }
  server {
    listen 127.0.0.1:$port_nginx_tls backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_ssl_protocols TLSv1.3;
    proxy_ssl_verify on;
    proxy_ssl_name localhost;
    proxy_ssl_trusted_certificate $work/ca.pem;
    location / { proxy_pass https://tls; }
  }
}
EOF
  } >"$work/nginx.conf"
  processes_start nginx "$proxy_cpu" "$work/nginx.log" "$nginx" -c "$work/nginx.conf" -p "$work"
}

peers_start_haproxy() {
  cat >"$work/haproxy.cfg" <<EOF
global
  nbthread 1
  maxconn $((max_files / 2 - 200))
defaults
  mode http
  http-reuse always
  option abortonclose
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend plain
  bind 127.0.0.1:$port_haproxy backlog 4096
  use_backend bulk if { path_beg /bulk/ }
  use_backend silent if { path_beg /silent/ }
  default_backend upstream
frontend stream
  option http-no-delay
  bind 127.0.0.1:$port_haproxy_stream backlog 4096
  use_backend silent if { path_beg /silent/ }
  default_backend upstream_stream
frontend tls
  bind 127.0.0.1:$port_haproxy_tls backlog 4096
  default_backend tls
backend upstream
  server s 127.0.0.1:$port_upstream
backend upstream_stream
  option http-no-delay
  server s 127.0.0.1:$port_upstream
backend bulk
  server s 127.0.0.1:$port_sink
backend silent
  server s 127.0.0.1:$port_silent
backend tls
  server s 127.0.0.1:$port_tls ssl verify required ca-file $work/ca.pem
EOF
  processes_start haproxy "$proxy_cpu" "$work/haproxy.log" "$haproxy" -db -f "$work/haproxy.cfg"
}

# Maestro as `make serve` runs it (usage, log and metrics on), with a key and these upstreams as its providers.
maestro_config() {
  cat <<EOF
{
  "providers": {
    "bench": {"type": "openai-compatible", "baseURL": "http://127.0.0.1:$port_upstream/v1", "apiKey": "upstream-key",
              "models": {$(printf '"%s": {}, ' "${models_used[@]}")"echo": {}}},
    "anthropic": {"type": "anthropic", "baseURL": "http://127.0.0.1:$port_upstream", "apiKey": "upstream-key",
                  "models": {$(printf '"%s": {}, ' "${models_used[@]}")"echo": {}}},
    "bulk": {"type": "openai-compatible", "baseURL": "http://127.0.0.1:$port_sink/v1", "apiKey": "upstream-key",
             "models": {"static": {}}},
    "reuse": {"type": "openai-compatible", "baseURL": "http://127.0.0.1:$port_origin/reuse/v1", "apiKey": "upstream-key",
              "models": {"static": {}}},
    "silent": {"type": "openai-compatible", "baseURL": "http://127.0.0.1:$port_silent/v1", "apiKey": "upstream-key",
               "models": {"hang": {}}},
    "tls": {"type": "openai-compatible", "baseURL": "https://127.0.0.1:$port_tls/v1", "apiKey": "upstream-key",
            "models": {"static": {}}}
  },
  "tls": {"caFile": "$work/ca.pem"}
}
EOF
}

# maestro_command NAME PORT [serve's options]: the words that start it, in the array $maestro_words.
maestro_command() {
  local home=$work/$1 data=${maestro_data:-$work/$1/data}
  mkdir -p "$home/config/maestro" "$data"
  maestro_config >"$home/config/maestro/maestro.json"
  chmod 600 "$home/config/maestro/maestro.json"
  maestro_words=(env -i "PATH=$PATH" "HOME=$home" "XDG_CONFIG_HOME=$home/config" "XDG_DATA_HOME=$data"
                 "XDG_STATE_HOME=$data" "XDG_RUNTIME_DIR=$data" "MAESTRO_API_KEY=$BENCH_KEY"
                 "$PWD/$maestro" serve --port "$2" "${@:3}")
}

# peers_start_maestro NAME CPUS PORT [serve's options]
peers_start_maestro() {
  local name=$1 cpus=$2
  maestro_command "$name" "${@:3}"
  processes_start "$name" "$cpus" "$work/$name.log" "${maestro_words[@]}"
}

# Waits until the port answers anything over HTTP, or dies with the end of the log.
peers_wait() {
  local name=$1 port=$2
  if ! "$load" probe --port "$port" --path /healthz --seconds 10 >/dev/null || ! processes_alive "$name"; then
    tail -n 20 "$work/$name"*.log >&2 || true
    die "$name did not start"
  fi
}

# target_words TARGET KIND MODEL: the generator's options that lead a request through the target, in $target_args.
# KIND is json, stream, tls, bulk or silent: which upstream, and for nginx which of its server blocks.
target_words() {
  local target=$1 kind=$2 model=$3 path=/v1/chat/completions port
  case "$target" in
    */openai) target_args=(--port "$port_maestro" --dialect "${target%/*}" --model "bench/$model"); return ;;
    */*) target_args=(--port "$port_maestro" --dialect "${target%/*}" --model "${target#*/}/$model"); return ;;
  esac
  case "$target:$kind" in
    direct:tls|direct:reuse) port=$port_origin ;;
    direct:bulk) port=$port_sink ;;
    direct:*) port=$port_upstream ;;
    nginx:stream|nginx:silent) port=$port_nginx_stream ;;
    nginx:tls) port=$port_nginx_tls ;;
    nginx:*) port=$port_nginx ;;
    nginx-log:*) port=$port_nginx_log ;;
    haproxy:stream|haproxy:silent) port=$port_haproxy_stream ;;
    haproxy:tls) port=$port_haproxy_tls ;;
    haproxy:*) port=$port_haproxy ;;
    maestro:*) port=$port_maestro ;;
    *) die "no way to $target $kind" ;;
  esac
  case "$target:$kind" in
    maestro:json|maestro:stream) model=bench/$model ;;
    maestro:*) model=$kind/$model ;;
    *:bulk|*:silent) path=/$kind$path ;;
  esac
  target_args=(--port "$port" --path "$path" --model "$model")
}

# The comma-separated processes of a target; empty for direct.
target_pids() {
  case "$1" in
    direct) ;;
    nginx-log) processes_tree "${process_pid[nginx]}" ;;
    */*) processes_tree "${process_pid[maestro]}" ;;
    *) processes_tree "${process_pid[$1]}" ;;
  esac
}
