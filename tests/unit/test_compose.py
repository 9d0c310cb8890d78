"""infra/docker-compose.yml says nothing that the repository does not hold. No container engine is needed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from regatta.address import DEFAULT_LAKE
from regatta.cli import group
from regatta.runtime.identities import POLICIES, Identity
from regatta.runtime.installation import spark_home
from regatta.runtime.local import airflow, ports
from regatta.runtime.local.state import StateFolder
from regatta.runtime.submit import command

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
TEXT = (INFRA / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe").load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (INFRA / ".env.example").read_text(encoding="utf-8")

VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?:(:[-?])([^}]*))?\}")
CHOICES = dict(re.findall(r"^#([A-Z_0-9]+)=(.*)$", EXAMPLE, re.MULTILINE))
"""Variables of .env.example that can be left alone, with the default that is shown for them."""
REQUIRED = dict(re.findall(r"^([A-Z_0-9]+)=(.*)$", EXAMPLE, re.MULTILINE))


def pin(package: str, environment: str = "regatta") -> str:
    pins = (ROOT / "requirements" / f"{environment}.in").read_text()
    found = re.search(rf"^{package}==(\S+)", pins, re.MULTILINE)
    assert found
    return found[1]


def with_defaults(text: str) -> str:
    """The text as Compose reads it without any variable set; `$$` is its `$`."""
    return VARIABLE.sub(lambda found: found[3] if found[2] == ":-" else "filled-in", text).replace("$$", "$")


def words(service: str, key: str = "command") -> list[str]:
    given = SERVICES[service].get(key, [])
    parts = shlex.split(given) if isinstance(given, str) else given
    return [with_defaults(str(part)) for part in parts]


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        node = [*node, *node.values()]
    if isinstance(node, list):
        for part in node:
            yield from strings(part)
    else:
        yield with_defaults(str(node))


def listens_on(service: str) -> set[int]:
    given = words(service)
    flags = {"-p", "--port", "--webui-port", "--address", "--console-address"}
    return {int(value.strip(":")) for flag, value in pairwise(given) if flag in flags}


def dockerfile(service: str) -> str:
    return (INFRA / SERVICES[service]["build"]["context"] / "Dockerfile").read_text(encoding="utf-8")


ONCE = {"identities", "airflow-database"}
"""Services that do one thing and end."""
BUILT = [name for name, service in SERVICES.items() if "build" in service]


AIRFLOW = ("airflow-database", "airflow-api-server", "airflow-scheduler", "airflow-dag-processor")


# ---- paths ----


def test_every_folder_and_file_that_is_mounted_or_built_from_is_in_the_repository() -> None:
    named = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", ())]
    for service in BUILT:
        build = SERVICES[service]["build"]
        named += [f"./{build['context']}/Dockerfile", *build.get("additional_contexts", {}).values()]
    paths = [path for path in named if path.startswith(".")]
    assert {"../conf", "../spark_apps", "../requirements", "./spark/Dockerfile"} <= set(paths)
    assert [path for path in paths if not (INFRA / path).exists()] == []
    assert {name for name in named if not name.startswith(".")} == set(COMPOSE["volumes"])


def test_what_is_mounted_from_the_repository_is_mounted_read_only() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", ())]
    assert [mount for mount in mounts if mount.startswith(".") and not mount.endswith(":ro")] == []


@pytest.mark.parametrize("service", BUILT)
def test_every_file_that_an_image_copies_is_there(service: str) -> None:
    text = dockerfile(service)
    stages = re.findall(r"^FROM \S+ AS (\w+)$", text, re.MULTILINE)
    contexts = SERVICES[service]["build"]["additional_contexts"]
    for origin, path in re.findall(r"^COPY --from=(\w+) (\S+)", text, re.MULTILINE):
        assert origin in stages or (INFRA / contexts[origin] / path).is_file()


# ---- variables ----


def test_every_variable_stands_in_the_example_with_the_same_default_and_the_other_way_round() -> None:
    used = {(name, default if kind == ":-" else None) for name, kind, default in VARIABLE.findall(TEXT)}
    assert used == {*CHOICES.items(), *((name, None) for name in REQUIRED)}


def test_every_variable_without_a_default_stops_compose_with_a_sentence() -> None:
    kinds = {kind for name, kind, _ in VARIABLE.findall(TEXT) if name in REQUIRED}
    assert kinds == {":?"}


def test_no_secret_stands_in_the_repository() -> None:
    assert set(REQUIRED.values()) == {""}
    environments = [service.get("environment", {}) for service in SERVICES.values()]
    secrets = {
        value
        for environment in environments
        for name, value in environment.items()
        if re.search("KEY|PASSWORD|SECRET|USER", name) and value not in set(Identity)  # a name, and no secret
    }
    assert all(re.fullmatch(VARIABLE, value) for value in secrets)
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_ports_are_chosen_by_the_variables_that_choose_them_on_one_machine() -> None:
    local = (ports.S3, ports.S3_CONSOLE, ports.MLFLOW, ports.SPARK_UI, ports.AIRFLOW)
    assert {name: value for name, value in CHOICES.items() if name.endswith("_PORT")} == {
        port.variable: str(port.usual) for port in local
    }


# ---- ports and names between services ----


def test_every_published_port_is_one_that_the_service_listens_on_and_open_to_this_machine_alone() -> None:
    for name, service in SERVICES.items():
        for published in map(with_defaults, service.get("ports", ())):
            address, _, inside = published.split(":")
            assert address == "127.0.0.1"
            assert int(inside) in listens_on(name)


def test_every_address_names_a_service_and_a_port_that_it_listens_on() -> None:
    seen = set()
    for name, service in SERVICES.items():
        environment = {**service.get("environment", {})}
        if page := environment.pop("AIRFLOW__API__BASE_URL", None):  # a browser's, outside of the containers
            assert with_defaults(page) == "http://localhost:8088"
        for text in strings({**service, "image": "", "environment": environment}):
            urls = re.findall(r"\b\w+://(?:[^@/\s]+@)?([\w.-]+):(\d+)", text)
            bare = re.findall(rf"(?<![\w.-])({'|'.join(SERVICES)}):(\d+)", text)
            for host, port in urls + bare:
                seen.add(host)
                assert int(port) in listens_on(name if host == "localhost" else host)
    assert seen == {"minio", "mlflow", "spark-master", "postgres", "airflow-api-server", "localhost"}


def test_every_dependency_is_a_service_that_can_fulfil_its_condition() -> None:
    for service in SERVICES.values():
        for name, wish in service.get("depends_on", {}).items():
            if wish["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[name]
            else:
                assert wish["condition"] == "service_completed_successfully"
                assert name in ONCE
    servers = set(SERVICES) - ONCE - {"regatta"}
    assert all("healthcheck" in SERVICES[name] for name in servers)


def test_the_bucket_is_the_lakes_everywhere() -> None:
    bucket = DEFAULT_LAKE.removeprefix("s3a://")
    mlflow = words("mlflow")
    assert {
        SERVICES[name]["environment"]["REGATTA_LAKE"] for name in ("identities", "mlflow", "regatta")
    } == {DEFAULT_LAKE}
    assert mlflow[mlflow.index("--artifacts-destination") + 1] == f"s3://{bucket}/mlflow"


def test_every_service_has_the_keys_of_the_identity_that_it_works_as_and_root_makes_them_all() -> None:
    worked_as = {
        name: (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
        for name, service in SERVICES.items()
        if "AWS_ACCESS_KEY_ID" in (environment := service.get("environment", {}))
    }
    assert {name: identity for name, (identity, _) in worked_as.items()} == {
        "mlflow": Identity.TRACKING,
        "regatta": Identity.ADMIN,
    }
    for identity, secret in worked_as.values():
        assert secret.startswith(f"${{{identity.upper()}_SECRET:?")
    given = SERVICES["identities"]["environment"]
    assert all(f"${{{one.upper()}_SECRET:?" in given[f"{one.upper()}_SECRET"] for one in Identity)
    with_root = {name for name, service in SERVICES.items() if "MINIO_ROOT_USER" in str(service)}
    assert with_root == {"minio", "identities"}


def test_the_accounts_are_made_by_a_script_that_finds_the_policies_where_they_are_mounted() -> None:
    service = SERVICES["identities"]
    mounted = dict(mount.split(":")[:2] for mount in service["volumes"])
    assert (ROOT / words("identities")[-1]).is_file()
    assert mounted == {
        f"../{folder}": f"{service['working_dir']}/{folder}"
        for folder in (str(POLICIES.relative_to(ROOT)), "spark_apps")
    }


@pytest.mark.parametrize("service", AIRFLOW)
def test_airflow_in_containers_is_told_what_it_is_told_on_one_machine(service: str, tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.make()
    state.remember_port(ports.AIRFLOW.name, ports.AIRFLOW.usual)
    given = SERVICES[service]["environment"]
    local = airflow.environment(state)
    elsewhere = re.compile("DATABASE__|SECRET|FERNET|URL|STORAGE_PATH|_CONN_|API__(HOST|PORT|WORKERS)")
    settings = {name for name in {*given, *local} if name.startswith("AIRFLOW__")}
    for name in settings:
        if not elsewhere.search(name):
            assert json.dumps(given[name]).replace(" ", "") == json.dumps(local[name]).replace(" ", "")
    spark = json.loads(given["AIRFLOW_CONN_SPARK_DEFAULT"])
    assert spark["conn_type"] == json.loads(local["AIRFLOW_CONN_SPARK_DEFAULT"])["conn_type"]
    jobs = SERVICES["regatta"]["environment"]
    for identity in airflow.OF_TASKS:
        there = given[f"AIRFLOW_CONN_REGATTA_LAKE_{identity.upper()}"]
        assert f'"${{{identity.upper()}_SECRET:?' in there
        lake = json.loads(with_defaults(there))
        assert (lake["conn_type"], lake["login"]) == ("aws", identity)
        assert lake["extra"] == {
            "endpoint_url": jobs["AWS_ENDPOINT_URL"],
            "region_name": jobs["AWS_REGION"],
            "lake": jobs["REGATTA_LAKE"],
        }
    assert json.loads(given["AIRFLOW_CONN_SPARK_DEFAULT"])["host"] == jobs["REGATTA_MASTER"]


def test_airflow_finds_its_dags_its_database_script_and_every_file_of_a_line() -> None:
    mounted = dict(mount.split(":")[:2] for mount in SERVICES["airflow-scheduler"]["volumes"])
    (bundle,) = json.loads(
        SERVICES["airflow-scheduler"]["environment"]["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"]
    )
    module, _, name = bundle["classpath"].partition(".")
    assert f"class {name}(" in (ROOT / "airflow" / "dags" / f"{module}.py").read_text()
    assert f"PYTHONPATH={mounted['../airflow']}/dags:{mounted['../spark_apps']}" in dockerfile(
        "airflow-scheduler"
    )
    script = Path(words("airflow-database")[-1])
    assert (ROOT / script).is_file()
    for folder in (script.parts[0], "airflow", "conf", "spark_apps"):
        assert mounted[f"../{folder}"] == f"{SERVICES['airflow-scheduler']['working_dir']}/{folder}"


# ---- versions ----


def test_spark_and_mlflow_are_the_pinned_ones() -> None:
    assert f"FROM apache/spark:{pin('pyspark')}-scala2.13-java17-python3-ubuntu AS spark" in dockerfile(
        "regatta"
    )
    for service in ("spark-master", "spark-worker", "regatta"):
        assert SERVICES[service]["image"] == f"regatta-spark:{pin('pyspark')}"
    assert SERVICES["mlflow"]["image"] == f"regatta-mlflow:{pin('mlflow')}"
    for service in AIRFLOW:
        assert SERVICES[service]["image"] == f"regatta-airflow:{pin('apache-airflow', 'airflow')}"


def test_no_image_is_whatever_is_newest() -> None:
    images = [with_defaults(service["image"]) for service in SERVICES.values()]
    images += [
        base
        for service in BUILT
        for base in re.findall(r"^FROM (\S+)", dockerfile(service), re.MULTILINE)
        if base != "regatta"  # a stage of the same file
    ]
    assert [image for image in images if not re.search(r":.*\d", image) or image.endswith(":latest")] == []


def test_the_images_run_a_python_that_regatta_runs_on() -> None:
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    least = [int(part) for part in said.removeprefix(">=").split(".")]
    for service in BUILT:
        *_, version = re.findall(r"^FROM python:(\d+)\.(\d+)", dockerfile(service), re.MULTILINE)
        assert [int(part) for part in version] >= least


# ---- commands ----


def test_the_spark_submit_line_fits_into_the_containers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = SERVICES["regatta"]
    monkeypatch.setenv("REGATTA_HOME", str(tmp_path))
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, with_defaults(value))
    monkeypatch.chdir(ROOT)
    line = command("train", ROOT / "conf" / "house_prices.yaml")
    flags = dict(pairwise(line))

    worker = words("spark-worker")
    assert flags["--master"] == worker[-1] == "spark://spark-master:7077"
    assert flags["--executor-memory"] == worker[worker.index("--memory") + 1]
    mounted = [mount.split(":")[1] for mount in service["volumes"]]
    made = re.findall(r"mkdir -p (.*) \\$", dockerfile("regatta"), re.MULTILINE)[0].split()
    script = line[line.index("--config") - 1]
    for word in (flags["--properties-file"], flags["--py-files"], script, flags["--config"]):
        assert not Path(word).is_absolute()
        assert f"{service['working_dir']}/{Path(word).parts[0]}" in [*mounted, *made]


def test_master_and_workers_take_their_defaults_from_the_file_that_jobs_do() -> None:
    for service in ("spark-master", "spark-worker"):
        mount = "../conf/spark-defaults.conf:/opt/spark/conf/spark-defaults.conf:ro"
        assert mount in SERVICES[service]["volumes"]


@pytest.mark.parametrize("service", ["spark-master", "spark-worker"])
def test_spark_knows_the_class_and_every_flag_of_the_command(service: str) -> None:
    script, name, *rest = words(service)
    assert script == "/opt/spark/bin/spark-class"
    usage = subprocess.run(
        [spark_home() / "bin" / "spark-class", name, "--help"], capture_output=True, text=True, check=True
    ).stderr
    assert [word for word in rest if word.startswith("--") and f"{word} " not in usage] == []


def test_the_command_line_in_the_image_is_the_packages_own() -> None:
    script = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["regatta"]
    module, _, function = script.partition(":")
    assert f"'from {module} import {function}' '{function}()' > /usr/local/bin/regatta" in dockerfile(
        "regatta"
    )
    assert words("regatta", "entrypoint")[-2].endswith('exec regatta "$@"')
    mounted = dict(mount.split(":")[:2] for mount in SERVICES["regatta"]["volumes"])
    assert f"PYTHONPATH={mounted['../spark_apps']}" in dockerfile("regatta")


def test_the_commands_shown_at_the_top_exist_with_their_flags() -> None:
    shown = re.findall(r"^#   docker compose .* run --rm regatta (.*)$", TEXT, re.MULTILINE)
    assert len(shown) == 2
    for line in shown:
        verb, *arguments = line.split()
        known = {flag for parameter in group.commands[verb].params for flag in parameter.opts}
        assert {word for word in arguments if word.startswith("--")} <= known


# ---- form ----


def test_the_file_is_what_the_compose_specification_allows() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    pytest.importorskip("check_jsonschema", reason="it ships the schema")
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.validate(COMPOSE, schema)
    assert "version" not in COMPOSE
