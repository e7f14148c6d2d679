"""What the routes work with, made once for each application."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from mixrd.web.database import Database
from mixrd.web.dispatch import Dispatcher
from mixrd.web.jobs import Jobs
from mixrd.web.library import Library, catalog_phases, preset_instruments, radiations
from mixrd.web.pool import Pool
from mixrd.web.readers import Readers
from mixrd.web.settings import ServerSettings
from mixrd.web.turns import Turns

#: Seconds after which a plot or report is given up.
_LONGEST_RENDERING = 300.0


@dataclass
class Services:
    """The parts of a server.

    Attributes
    ----------
    settings : ServerSettings
    database : Database
    jobs : Jobs
    library : Library
    readers : Readers
    dispatcher : Dispatcher
    renderer : Pool
        Draws plots and writes reports.
    turns : Turns
        Queues of what takes time.
    """

    settings: ServerSettings
    database: Database
    jobs: Jobs
    library: Library
    readers: Readers
    dispatcher: Dispatcher
    renderer: Pool
    turns: Turns = field(default_factory=Turns)
    _stopped: bool = False

    @classmethod
    def of(cls, settings: ServerSettings) -> Services:
        """Open the folder; nothing runs yet.

        Raises
        ------
        UsageError
            If the folder cannot be used.
        """
        database = Database(settings.data)
        jobs, library = Jobs(database), Library(database)
        dispatcher = Dispatcher(settings, jobs, library)
        renderer = Pool("mixrd.web.rendering", size=1, longest=_LONGEST_RENDERING)
        return cls(settings, database, jobs, library, Readers(), dispatcher, renderer)

    def start(self) -> None:
        """Begin to work."""
        scans = [scan["id"] for scan in self.library.own("scan")]
        self.library.forget_old_scans(self.jobs.uses(scans))
        # Read once, so that no user waits for it.
        catalog_phases()
        preset_instruments()
        radiations()
        self.readers.pool.warm_up()
        self.dispatcher.start()

    def stop(self) -> None:
        """End all processes and let go of the folder."""
        if self._stopped:
            return
        self._stopped = True
        self.dispatcher.stop()
        self.readers.pool.close()
        self.renderer.close()
        self.database.close()


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Server = Annotated[Services, Depends(_services)]
