"""What the parameter table says of a quantity of the forward model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

#: What has a value of its own: the scan, each phase, or each strain component of each phase.
Scope = Literal["pattern", "phase", "component"]


@dataclass(frozen=True)
class Loss:
    """What takes intensity away at low angles. An analysis tries its quantities together and frees them all.

    Attributes
    ----------
    name : str
    label : str
        What people read that was adjusted.
    said : callable or None
        What people read of the values that it was refined to (the first is never None); default them alone.
    rarer : float
        It has to leave less misfit than other losses by this factor.
    fixed_slit : bool
        Whether it needs a divergence slit of fixed opening.
    """

    name: str
    label: str
    said: Callable[..., str] | None = None
    rarer: float = 1.0
    fixed_slit: bool = False

    def sentence(self, *values: float | None) -> str:
        """What people read of these values."""
        numbers = ", ".join(f"{x:.3g}" for x in values if x is not None)
        return f"{self.label}, refined: {numbers}" if self.said is None else self.said(*values)


@dataclass(frozen=True)
class OnDemand:
    """How an analysis frees a quantity: where the residual of a fit asks for it.

    Attributes
    ----------
    restraint : float
        Standard deviation that it gets then; 0 where it is never freed so.
    loss : Loss or None
        None where it is freed in a way of its own (texture, along the direction that fits best).
    starts : tuple of float
        Values that are tried, with each of the others of the loss.
    """

    restraint: float = 0.0
    loss: Loss | None = None
    starts: tuple[float, ...] = ()


@dataclass(frozen=True)
class Allowed:
    """Values that a setting may have, in the unit of its quantity unless it has one of its own."""

    setting: str
    low: float
    high: float
    unit: str = ""


def up_to(share: Tensor, usual: Tensor, limit: float) -> Tensor:
    """Uniform from 0 to the limit."""
    return limit * share


def both_signs(share: Tensor, usual: Tensor, limit: float) -> Tensor:
    """Uniform up to the limit, of either sign."""
    return limit * (2 * share - 1)


@dataclass(frozen=True)
class Training(Allowed):
    """How training samples draw a quantity; those that share one are drawn together.

    Attributes
    ----------
    setting : str
        Limit (or limits) of what is drawn, in `mixrd.mixture.SampleRanges`; "" where it is `high`.
    drawn : callable
        Of numbers uniform from 0 to 1 and what the instrument has, both (B, K), and the limit: (B, K).
    early : bool
        Drawn before those that are not, each in the order of the table: a seed stands for one sample.
    """

    drawn: Callable[[Tensor, Tensor, Any], Tensor] = up_to
    early: bool = False


@dataclass(frozen=True)
class Quantity:
    """One quantity of the forward model.

    Attributes
    ----------
    name, label, unit : str
        Label and unit are for people.
    lower, upper : float
        Bounds of a refinement.
    scope : {"pattern", "phase", "component"}
    field : str
        Of `Parameters`, where it stands beside others; its name by default.
    neutral : float
        Where it changes nothing, and the centre of its restraint; a profile's is the instrument's.
    start : float or None
        Where a refinement begins, if not there.
    restraint : float
        Standard deviation of its restraint unless told otherwise; 0 holds it.
    earned : (tight, wide) or None
        Standard deviations of its restraint in an analysis, until and after the scan pays for the second.
    restraint_name : str
        Of that in `mixrd.fit.Restraints`; the field's by default.
    on_demand : OnDemand
    result_name : str
        In `mixrd.Analysis`, where it is freed on demand; the field's by default.
    training : Training or None
        How training samples draw it.
    stated : Allowed or None
        What may be stated of a sample, in `mixrd.mixture.ScanSettings`.
    """

    name: str
    label: str
    unit: str
    lower: float
    upper: float
    scope: Scope = "pattern"
    field: str = ""
    neutral: float = 0.0
    start: float | None = None
    restraint: float = 0.0
    earned: tuple[float, float] | None = None
    restraint_name: str = ""
    on_demand: OnDemand = OnDemand()
    result_name: str = ""
    training: Training | None = None
    stated: Allowed | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", self.field or self.name)
        object.__setattr__(self, "restraint_name", self.restraint_name or self.field)
        object.__setattr__(self, "result_name", self.result_name or self.field)


@dataclass(frozen=True)
class Correction:
    """A factor on the intensities of lines that depends on quantities of the whole scan.

    Attributes
    ----------
    quantities : tuple of Quantity
        Where all are 0, the factor has to be 1: it is left out then.
    factor : callable
        Of theta in radians (B, J), wavelength in angstroms (J,), and each quantity (B, J): (B, J), with
        derivatives by all but the wavelength.
    """

    quantities: tuple[Quantity, ...]
    factor: Callable[..., Tensor]

    @property
    def field(self) -> str:
        """Of `Parameters`, where the quantities stand."""
        return self.quantities[0].field
