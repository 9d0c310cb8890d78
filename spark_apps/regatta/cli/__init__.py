"""`regatta ...`: lands files, runs the verbs as spark-submit lines, reads what they left, and minds the servers."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import click

from regatta.cli.demo import demo
from regatta.cli.landing import land
from regatta.cli.proposing import init, schema
from regatta.cli.readers import READERS
from regatta.cli.report import champion_command, report_command
from regatta.cli.rollback import rollback
from regatta.cli.servers import SERVERS
from regatta.cli.upkeep import gc, verify
from regatta.cli.verbs import VERB_COMMANDS
from regatta.errors import ExitCode, RegattaError
from regatta.runtime.progress import say


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="regatta")
def group() -> None:
    """Models race on your data lake.

    USE_CASE is the name of a file in conf/, or a path to one. Exit codes: 0 done or nothing to do, 1 a bug,
    2 the input is wrong, 3 refused by the gate, 4 lake or cluster out of reach.
    """


for command in (
    demo,
    init,
    land,
    *VERB_COMMANDS,
    rollback,
    *READERS,
    champion_command,
    report_command,
    verify,
    gc,
    *SERVERS,
    schema,
):
    group.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in a sentence, a bug in a traceback."""
    sys.exit(_outcome(arguments))


def _outcome(arguments: Sequence[str] | None) -> int:
    try:
        return int(group.main(arguments, standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return ExitCode.INPUT
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        return 130
    except RegattaError as error:
        say(str(error))
        return error.exit_code
    except BrokenPipeError:
        return ExitCode.DONE
    except Exception:
        traceback.print_exc()
        return ExitCode.BUG
