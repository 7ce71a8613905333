# bash completion for maestro
_maestro() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]:-} words=''
  COMPREPLY=()
  case $previous in
    -c | --config)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return ;;
    -l | --log-level) words='debug info warn error' ;;
    --log-format) words='auto text json' ;;
    --role) words='user viewer operator admin' ;;
    --host | -p | --port | --workers | -k | --api-key | --set | -e | --endpoint | --latency | --pace | --chunks | \
      --reply-bytes | --seed | --models | --expires | --token | -d | --days | --provider | -m | --model) return ;;
  esac
  if [ -n "$words" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    return
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='serve check init server context user store stats mock version help --help --version'
  else
    case $command in
      serve) words='--config --host --port --workers --api-key --log-level --log-format --set --help' ;;
      check) words='--write-openapi --json --config --host --port --workers --api-key --log-level --log-format --set --help' ;;
      server)
        words='--json --help'
        [ "$COMP_CWORD" -eq 2 ] && words="start stop info status show-key $words"
        [ "${COMP_WORDS[2]:-}" = start ] && words='--config --host --port --workers --api-key --log-level --log-format --set' ;;
      context)
        words='--json --key --endpoint --help'
        [ "$COMP_CWORD" -eq 2 ] && words="show list set add update remove test current get-key set-key $words"
        case ${COMP_WORDS[2]:-} in
          set | update | remove | test | get-key | set-key)
            [ "$COMP_CWORD" -eq 3 ] && words="$(maestro context list 2>/dev/null | awk '{print $1 == "*" ? $2 : $1}') $words" ;;
        esac ;;
      user)
        words='--json --help'
        [ "$COMP_CWORD" -eq 2 ] && words="create list show refresh-token delete $words"
        [ "${COMP_WORDS[2]:-}" = create ] && words="--role --models --all-models --expires $words"
        [ "${COMP_WORDS[2]:-}" = refresh-token ] && words="--token --expires $words" ;;
      store)
        words='--help'
        [ "$COMP_CWORD" -eq 2 ] && words="migrate backup restore export import seed $words"
        if [ "$COMP_CWORD" -eq 3 ]; then
          mapfile -t COMPREPLY < <(compgen -f -- "$current")
          return
        fi ;;
      stats) words='--days --heatmap --provider --model --json --help' ;;
      mock) words='--port --host --latency --pace --chunks --reply-bytes --seed --fast --help' ;;
      *) words='--help' ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _maestro maestro
