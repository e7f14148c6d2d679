"""Wrong premises: analyses whose scan, phases, structures or instrument are not what they are taken for.

How often is the answer sure and wrong? `make study-premises` prints it.
"""

from wrong_premises.battery import KINDS, changes, run_task, summary, table, tasks_of

__all__ = ["KINDS", "changes", "run_task", "summary", "table", "tasks_of"]
