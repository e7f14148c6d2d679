"""Typed errors: every one says what is wrong, where, and what to do about it."""

from __future__ import annotations

from os import PathLike


class MixrdError(Exception):
    """Base of all errors that mixrd raises on purpose.

    Parameters
    ----------
    cause : str
        What is wrong, in one sentence without a trailing full stop.
    remedy : str
        What the user can do about it.
    file : path, optional
        The file in which it was found.
    """

    exit_code = 1

    def __init__(self, cause: str, *, remedy: str, file: str | PathLike[str] | None = None) -> None:
        self.cause = cause
        self.remedy = remedy
        self.file = None if file is None else str(file)
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f"{self.file}: " if self.file else ""
        return f"{where}{self.cause}. {self.remedy}"


class InputError(MixrdError):
    """Something the user gave cannot be used (exit code 2)."""

    exit_code = 2


class ScanError(InputError):
    """A measured scan that cannot be read, or is not a powder scan."""


class CrystalError(InputError):
    """A structure that cannot be used: no sites, unknown element, bad cell, bad occupancy."""


class ContradictionError(CrystalError):
    """A structure file that contradicts itself, or can be read in several ways."""


class PhaseNotFoundError(CrystalError):
    """A phase name that neither the catalog nor a file answers to."""


class DatabaseError(MixrdError):
    """A database of structures that does not answer, or whose answer makes no sense."""


class RadiationError(InputError):
    """A wavelength or radiation that is missing, unknown or does not fit."""


class InstrumentError(InputError):
    """An instrument description that cannot be used."""


class ParameterError(InputError):
    """A parameter of the model outside its allowed range."""


class CompositionError(InputError):
    """Fractions that are negative, not finite, or sum to nothing."""


class ModelError(InputError):
    """A model file that cannot be read or does not fit the problem."""


class RecipeError(InputError):
    """A training recipe with a value outside its allowed range."""


class RefinementError(MixrdError):
    """A refinement whose equations could not be solved."""


class UsageError(InputError):
    """Wrong use of a command or function."""


class RequestError(UsageError):
    """A request whose parts contradict each other, or that cannot be read.

    Parameters
    ----------
    fields : tuple of str
        The entries that it concerns, by which a way in names its own options.
    """

    def __init__(self, cause: str, *, remedy: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(cause, remedy=remedy)
        self.fields = fields
