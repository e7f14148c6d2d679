"""Wrong premises: analyses whose scan, phases, structures or instrument are not what they are taken for.

How often is the answer sure and wrong? `make study-premises` prints it.
"""

from mixrd.experiments.premises.battery import Outcome, Task, run_task, tasks_of
from mixrd.experiments.premises.kinds import KINDS
from mixrd.experiments.premises.premise import PremiseKind
from mixrd.experiments.premises.summary import changes, summary, table
from mixrd.experiments.premises.verdict import INFORMATIVE, STANDING, VERDICTS, Judged, judge

__all__ = [
    "INFORMATIVE",
    "KINDS",
    "STANDING",
    "VERDICTS",
    "Judged",
    "Outcome",
    "PremiseKind",
    "Task",
    "changes",
    "judge",
    "run_task",
    "summary",
    "table",
    "tasks_of",
]
