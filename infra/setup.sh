#!/usr/bin/env bash
# Make an environment from requirements/NAME.txt: infra/setup.sh regatta|dev|notebook|airflow
# The first two make .venv and build MinIO beside it; notebook adds to that .venv; the last makes .venv-airflow, which has
# nothing of ours in it.
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1
environment=.venv
[ "$name" != airflow ] || environment=.venv-airflow
python=${PYTHON:-python3}

sorry() {
  printf '%s\n' "$@" >&2
  exit 2
}

command -v "$python" >/dev/null ||
  sorry "Python 3.11 or newer is needed: there is no $python" "  install it, or name one: make PYTHON=/path/to/python"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  sorry "Python 3.11 or newer is needed: $python is $("$python" --version 2>&1)" "  name a newer one: make PYTHON=python3.12"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  sorry "Python's venv module is needed, and $python has none" "  Debian, Ubuntu: sudo apt install python3-venv"
PYTHONPATH=spark_apps "$python" -m regatta.runtime.installation # Java: said now, not after the downloads

for folder in . "${TMPDIR:-/tmp}"; do
  free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024 / 1024) }')
  ((free >= 3)) || sorry "3 GB of disk are needed in $folder, $free GB are free" "  make room; TMPDIR names another folder for temporary files"
done

make_environment() {
  [ -x $environment/bin/pip ] || "$python" -m venv $environment
}
install_packages() {
  local pip=($environment/bin/python -m pip --disable-pip-version-check --no-input)
  # What is imported is compiled then, once; all 11,000 modules would take most of a minute. But where Python may not
  # keep what it compiled, each job would compile its thousand modules again, in five seconds.
  local compile=--no-compile
  [ -z "${PYTHONDONTWRITEBYTECODE:-}" ] || compile=--compile
  "${pip[@]}" install $compile --require-hashes -r "requirements/$name.txt"
  [ "$name" = regatta ] || [ "$name" = dev ] || return 0
  "${pip[@]}" install --no-deps --no-build-isolation -e .
  # What these need has just come, and MinIO takes longer.
  .venv/bin/python -m regatta.runtime.class_archive
  .venv/bin/python -m regatta.selection.native.compiling
}
build_minio() {
  PYTHONPATH=spark_apps .venv/bin/python -m regatta.runtime.local.minio_binary
}

logs=build/logs/$name
. infra/watch.sh
echo "setting up $environment from requirements/$name.txt (minutes the first time)"
begin environment make_environment
attend
begin packages install_packages
[ -n "${AWS_ENDPOINT_URL:-}" ] || [ "$name" = airflow ] || [ "$name" = notebook ] || begin MinIO build_minio
attend
touch "$environment/$name.stamp"
[ "$name" = airflow ] || [ "$name" = notebook ] || echo "ready: .venv/bin/regatta"
