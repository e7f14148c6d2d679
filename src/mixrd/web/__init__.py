"""The local web app: a REST interface, its page, and the processes that do the work."""

from mixrd.web.settings import ServerSettings

__all__ = ["ServerSettings"]
