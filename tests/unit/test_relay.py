"""What is shown of a job's output, and that no job outlives whoever relays it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from regatta.runtime import relay


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_a_job_speaks_on_both_streams_and_its_exit_code_comes_back(capfd: pytest.CaptureFixture[str]):
    program = "import sys; print('ten rows'); print('java: out of memory', file=sys.stderr); sys.exit(3)"

    assert relay.run(python(program), os.environ) == 3

    said = capfd.readouterr()
    assert said.out == "ten rows\n"
    assert said.err == "java: out of memory\n"


@pytest.mark.parametrize(
    "line",
    [
        ":: resolving dependencies :: org.apache.spark#spark-submit-parent;1.0",
        "\tfound org.apache.hadoop#hadoop-aws;3.4.2 in central",
        "\t|      default     |   42  |   0   |   0   |   0   ||   42  |   0   |",
        "You probably access the destination server through a proxy server that is not well configured.",
        "\tHost repos.example.org not found. url=https://repos.example.org/org/apache/apache-34.jar",
        "",
    ],
)
def test_what_ivy_says_of_packages_is_left_out(line: str, capfd: pytest.CaptureFixture[str]):
    relay.run(python(f"import sys; print({line!r}, file=sys.stderr)"), os.environ)

    assert capfd.readouterr().err == ""


def test_a_job_is_ended_with_whoever_relays_it(tmp_path: Path):
    pid = tmp_path / "pid"
    program = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(300)"

    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    began = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        relay.run(python(program), os.environ)

    assert ended.value.code == 143
    assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
