"""The process that trains, analyses and calibrates: ``python -m mixrd.web.work``."""

from __future__ import annotations

import sys
import traceback

from mixrd.errors import MixrdError
from mixrd.web.child import Conversation
from mixrd.web.problems import internal_problem, problem_of


def main() -> None:
    """Do one job after another until the server goes."""
    # By name: what comes too late for one job must not stop the next.
    cancelled: set[str] = set()
    conversation = Conversation(on_cancel=cancelled.add)
    # Loaded before the first job, which then starts at once.
    from mixrd.web.tasks import CancelledError, Task

    conversation.say({"say": "ready"})
    for message in conversation.messages():
        try:
            conversation.say({"say": "done", **Task(message, conversation.say, cancelled).run()})
        except CancelledError:
            conversation.say({"say": "cancelled"})
        except MixrdError as error:
            conversation.say({"say": "failed", "error": problem_of(error, message["files"][0])})
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            conversation.say({"say": "failed", "error": internal_problem(error)})
        cancelled.clear()


if __name__ == "__main__":
    main()
