#!/usr/bin/env bash
# Compile requirements/*.in to *.txt with hashes, for every platform and without the address of any index.
set -euo pipefail
cd "$(dirname "$0")/.."

make_uv() {
  "${PYTHON:-python3}" -m venv .venv-pins
  .venv-pins/bin/python -m pip --disable-pip-version-check install uv
}
compile() {
  .venv-pins/bin/uv pip compile --system-certs --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-annotate --custom-compile-command "make pins" -o "requirements/$1.txt" "requirements/$1.in"
}

. infra/watch.sh
begin uv make_uv
attend
begin regatta compile regatta # first: the others are held to its versions
attend
begin dev compile dev
begin airflow compile airflow
attend
begin notebook compile notebook # last: it is held to dev's
attend
rm -rf .venv-pins
