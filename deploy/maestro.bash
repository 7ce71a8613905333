# bash completion for maestro
_maestro() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  case $previous in
    maestro) mapfile -t COMPREPLY < <(compgen -W "serve check init server context mock version help" -- "$current") ;;
    server) mapfile -t COMPREPLY < <(compgen -W "start stop info status show-key" -- "$current") ;;
    context) mapfile -t COMPREPLY < <(compgen -W "show list set add update remove test current get-key set-key" -- "$current") ;;
    --config) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "--port --host --config --workers --log-level --json --help" -- "$current") ;;
  esac
}
complete -F _maestro maestro
