"""Jobs go to the processes that work: in turn, with progress, cancelled when a user wants it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import traceback
from typing import Any

from mixrd.errors import MixrdError
from mixrd.web.child import Child, ChildDiedError
from mixrd.web.following import Follower
from mixrd.web.jobs import Job, Jobs
from mixrd.web.library import Library
from mixrd.web.orders import order_of
from mixrd.web.problems import ApiError, internal_problem, problem, problem_of
from mixrd.web.settings import ServerSettings

_MODULE = "mixrd.web.work"
#: Seconds that a job has to stop by itself after a user cancelled it.
CANCEL_SECONDS = 4.0


class Dispatcher:
    """Lanes of work, each with a process of its own.

    As many lanes take any job as there may be trainings at once; one more takes only what trains nothing,
    so that a refinement does not wait for somebody's training.

    Parameters
    ----------
    settings : ServerSettings
    jobs : Jobs
    library : Library
    """

    def __init__(self, settings: ServerSettings, jobs: Jobs, library: Library) -> None:
        self.settings, self.jobs, self.library = settings, jobs, library
        self._work = threading.Condition()
        self._stopping = False
        self._lanes = [_Lane(self, quick_only=False) for _ in range(settings.workers)]
        self._lanes.append(_Lane(self, quick_only=True))

    def start(self) -> None:
        """Begin with what waits."""
        self.jobs.resume()
        for lane in self._lanes:
            lane.start()

    def wake(self) -> None:
        """Say that there is a new job."""
        with self._work:
            self._work.notify_all()

    def next_job(self, lane: _Lane) -> Job | None:
        """The next job for a lane, waited for; None when the server stops."""
        with self._work:
            while not self._stopping:
                job = self.jobs.take(quick_only=lane.quick_only)
                if job is not None:
                    # Within the same turn: a job that has begun can always be cancelled.
                    lane.begin(job.id)
                    return job
                # Woken for every job; the time is for one that another process of ours put there.
                self._work.wait(5.0)
        return None

    @property
    def stopping(self) -> bool:
        """Whether the server stops."""
        return self._stopping

    def announce_stop(self) -> None:
        """Begin nothing more, and let those who watch jobs go."""
        self._stopping = True

    def cancel(self, name: str) -> bool:
        """Cancel a job; False where it had come to its end."""
        if self.jobs.cancel_waiting(name):
            return True
        with self._work:
            return any(lane.cancel(name) for lane in self._lanes)

    def wait_until_left(self, name: str, seconds: float) -> None:
        """Wait until no process works on a job."""
        end = time.monotonic() + seconds
        while any(lane.working_on == name for lane in self._lanes) and time.monotonic() < end:
            time.sleep(0.02)

    def stop(self) -> None:
        """End the processes; what they were doing goes on at the next start."""
        with self._work:
            self._stopping = True
            self._work.notify_all()
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            lane.join(10.0)


class _Lane(threading.Thread):
    """One process, and the jobs that it does one after the other."""

    def __init__(self, dispatcher: Dispatcher, *, quick_only: bool) -> None:
        super().__init__(daemon=True)
        self.dispatcher, self.quick_only = dispatcher, quick_only
        self.working_on: str | None = None
        self._cancelled = False
        self._clock: threading.Timer | None = None
        self._turn = threading.Lock()
        self._child: Child | None = None

    def run(self) -> None:
        """Work until the server stops."""
        if not self.quick_only:
            # Loaded before the first job comes.
            with contextlib.suppress(ChildDiedError, OSError):
                self._process()
        while (job := self.dispatcher.next_job(self)) is not None:
            try:
                self._do(job)
            finally:
                self._end()

    def begin(self, name: str) -> None:
        """Note which job this lane works on."""
        with self._turn:
            self.working_on, self._cancelled = name, False

    def _end(self) -> None:
        with self._turn:
            self.working_on = None
            if self._clock is not None:
                self._clock.cancel()
                self._clock = None

    def cancel(self, name: str) -> bool:
        """Ask for an end of this job, and bring it about if that is not heard."""
        with self._turn:
            if self.working_on != name:
                return False
            self._cancelled = True
            if self._child is not None and self._clock is None:
                self._child.send({"do": "cancel", "job": name})
                self._clock = threading.Timer(CANCEL_SECONDS, self._child.kill)
                self._clock.daemon = True
                self._clock.start()
        return True

    def stop(self) -> None:
        """End the process."""
        with self._turn:
            if self._child is not None:
                self._child.close()

    def _process(self) -> Child:
        with self._turn:
            if self._child is None and not self.dispatcher.stopping:
                self._child = Child(_MODULE, threads=_threads(self.dispatcher.settings.workers))
            if self._child is None:
                raise ChildDiedError("the server stops")
            return self._child

    def _do(self, job: Job) -> None:
        jobs = self.dispatcher.jobs
        try:
            dispatcher = self.dispatcher
            message = order_of(job, dispatcher.jobs, dispatcher.library, dispatcher.settings.training_steps)
            child = self._process()
            if self._cancelled:
                jobs.finish(job.id, "cancelled")
                return
            child.send(message)
            Follower(job, jobs, dispatcher.library).follow(child)
        except ApiError as refusal:
            jobs.finish(job.id, "failed", error=refusal.body)
        except MixrdError as refusal:
            jobs.finish(job.id, "failed", error=problem_of(refusal))
        except (ChildDiedError, OSError) as death:
            self._forget_process()
            if self.dispatcher.stopping:
                return
            if self._cancelled:
                jobs.finish(job.id, "cancelled")
            else:
                jobs.finish(job.id, "failed", error=_death(death))
        except Exception as error:
            # A lane that ended would keep all later jobs waiting.
            traceback.print_exc()
            self._forget_process()
            jobs.finish(job.id, "failed", error=internal_problem(error))

    def _forget_process(self) -> None:
        with self._turn:
            if self._child is not None:
                self._child.kill()
                self._child.close()
            self._child = None


def _threads(workers: int) -> int:
    """Half the processors for all work together: the page and other programs have the rest."""
    return max(1, (os.cpu_count() or 2) // 2 // workers)


def _death(death: Exception) -> dict[str, Any]:
    return problem(
        "WORKER",
        f"the process that did this job ended unexpectedly ({death})",
        "Restart the job; what was finished of it is kept",
    )
