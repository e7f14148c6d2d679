"""What the routes work with, made once for each application."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from mixrd.web.database import Database
from mixrd.web.dispatch import Dispatcher
from mixrd.web.jobs import Jobs
from mixrd.web.library import Library, catalog_phases, preset_instruments, radiations
from mixrd.web.readers import Readers
from mixrd.web.settings import ServerSettings


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
    cod_turn : Lock
        One request to COD at a time.
    """

    settings: ServerSettings
    database: Database
    jobs: Jobs
    library: Library
    readers: Readers
    dispatcher: Dispatcher
    cod_turn: threading.Lock = field(default_factory=threading.Lock)

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
        return cls(
            settings, database, jobs, library, Readers(), Dispatcher(settings, database, jobs, library)
        )

    def start(self) -> None:
        """Begin to work."""
        scans = [scan["id"] for scan in self.library.own("scan")]
        self.library.forget_old_scans(self.jobs.uses(scans))
        # Read once, so that no user waits for it.
        catalog_phases()
        preset_instruments()
        radiations()
        self.readers.warm_up()
        self.dispatcher.start()

    def stop(self) -> None:
        """End all processes and let go of the folder."""
        self.dispatcher.stop()
        self.readers.close()
        self.database.close()


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Server = Annotated[Services, Depends(_services)]
