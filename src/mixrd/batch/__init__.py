"""Many scans: which are meant, which are done, and the processes that share the work.

`Processes`, `run_jobs` and what they need load torch; names, folders and journals do not.
"""
