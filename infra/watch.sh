# Sourced: runs commands side by side and shows every few seconds how far each is.
#
#     begin packages pip install ...      starts a command; its output goes to $logs/packages.log
#     begin MinIO ...
#     attend                              waits for all; the first that fails ends the others and the script

set -m # each command leads a process group, so that Ctrl-C ends it with all its children
logs=${logs:-build/logs}
mkdir -p "$logs"
labels=()
groups=()

end_all() {
  local group
  for group in $(jobs -p); do kill -- "-$group" 2>/dev/null || true; done
}
trap end_all EXIT
trap 'exit 130' INT TERM

begin() {
  local label=$1
  shift
  : >"$logs/$label.log"
  "$@" >>"$logs/$label.log" 2>&1 </dev/null &
  labels+=("$label")
  groups+=($!)
}

attend() {
  local began=$SECONDS said=$SECONDS index running last
  while true; do
    running=""
    for index in "${!groups[@]}"; do
      if kill -0 "${groups[$index]}" 2>/dev/null; then
        last=$(tail -n 1 "$logs/${labels[$index]}.log" | tr '\r\t' '  ' | cut -c 1-70)
        running+=" | ${labels[$index]}: ${last:-begun}"
      elif [ -n "${groups[$index]}" ]; then
        settle "$index"
      fi
    done
    [ -n "$running" ] || break
    if ((SECONDS - said >= 4)); then
      said=$SECONDS
      if [ -t 1 ]; then
        printf '\r\033[K%s' "$(printf '%d s%s' $((SECONDS - began)) "$running" | cut -c "1-$(tput cols 2>/dev/null || echo 80)")"
      else
        printf '%d s%s\n' $((SECONDS - began)) "$running"
      fi
    fi
    sleep 0.5
  done
  [ ! -t 1 ] || printf '\r\033[K'
  labels=()
  groups=()
}

settle() { # its exit code becomes ours, and its last words are shown
  local code=0
  wait "${groups[$1]}" || code=$?
  if ((code != 0)); then
    printf '\n%s failed:\n' "${labels[$1]}" >&2
    tail -n 4 "$logs/${labels[$1]}.log" >&2
    printf '  everything it said: %s\n' "$logs/${labels[$1]}.log" >&2
    exit "$code"
  fi
  groups[$1]=""
}
