"""Many scans: which are meant, which are done, and the processes that share the work.

`run` does a batch from beginning to end. It loads torch; names, folders and journals do not.
"""
