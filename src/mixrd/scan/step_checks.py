"""Whether the angles of a scan follow one another evenly."""

from __future__ import annotations

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.headers import DAMAGED, Floats

_LONE_STEPS = 20.0


def judge_steps(x: Floats, declared_step: float | None) -> list[tuple[str, str]]:
    """Gaps, missing points, lone points and a step that changes.

    Parameters
    ----------
    x : (N,) array
        Angles in degrees, increasing.
    declared_step : float or None
        Where the format states the step, an axis with points missing contradicts it.

    Raises
    ------
    ScanError
        If a point lies alone, far from all others, or points that the header declares are missing.
    """
    step = np.diff(x)
    usual = float(np.median(step))
    wide = step > _LONE_STEPS * usual
    lone = np.flatnonzero(np.concatenate(([True], wide)) & np.concatenate((wide, [True])))
    if lone.size:
        i = int(lone[0])
        raise ScanError(
            f"point {i + 1} at {x[i]:g} deg lies alone, {step[max(i - 1, 0) if i else 0]:g} deg from the "
            f"next, in a scan of steps of {usual:g} deg",
            remedy="The angle is damaged, or belongs to another scan: repair it or export the scan again.",
        )
    found: list[tuple[str, str]] = []
    even = float(np.quantile(np.abs(step / usual - 1.0), 0.95)) < 0.45
    moved = _moved(x, step, usual)
    if moved is not None:
        text = f"point {moved + 1} at {x[moved]:g} deg stands off the even steps of all others"
        found.append(("ANGLE_OFF", text))
    missing = np.flatnonzero((step > 1.6 * usual) & ~wide) if even else np.array([], dtype=np.intp)
    if moved is not None:
        missing = missing[(missing != moved) & (missing != moved - 1)]
    changed = _changed_step(step, usual)
    if changed is not None:
        a, b, i = changed
        found.append(("STEP_CHANGES", f"the step changes from {a:.4g} to {b:.4g} deg at {x[i]:g} deg"))
    elif missing.size and missing.size < 0.02 * step.size + 1:
        i = int(missing[0])
        count = int(np.sum(np.round(step[missing] / usual) - 1))
        text = f"{count} points are missing (first: between {x[i]:g} and {x[i + 1]:g} deg)"
        _refuse_beside(declared_step, text)
        found.append(("POINTS_MISSING", text))
    if wide.any():
        i = int(np.argmax(step))
        text = f"there is a gap from {x[i]:g} to {x[i + 1]:g} deg"
        _refuse_beside(declared_step if even else None, text)
        found.append(("GAP", text))
    return found


def _refuse_beside(declared_step: float | None, what: str) -> None:
    if declared_step is not None:
        cause = f"{what}, where the header declares steps of {declared_step:g} deg"
        raise ScanError(cause, remedy=DAMAGED)


def _moved(x: Floats, step: Floats, usual: float) -> int | None:
    """The point that lies off the middle of its neighbours, who are two steps apart, in an else even axis."""
    if float(np.quantile(np.abs(step / usual - 1.0), 0.98)) > 0.02:
        return None
    off = np.abs(x[1:-1] - 0.5 * (x[2:] + x[:-2])) > 0.1 * usual
    here = np.flatnonzero(off & (np.abs(x[2:] - x[:-2] - 2.0 * usual) < 0.1 * usual))
    return int(here[0]) + 1 if here.size else None


def _changed_step(step: Floats, usual: float) -> tuple[float, float, int] | None:
    """Step before and after, and the point, where the scan goes on with another step; None where it does not.

    Smoothly varying steps (a converted axis) do not count.
    """
    size = 10
    if step.size < 3 * size:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(step, size)
    before, after = windows[:-size], windows[size:]
    a, b = np.median(before, axis=1), np.median(after, axis=1)
    flat = (np.ptp(before, axis=1) < 0.1 * a) & (np.ptp(after, axis=1) < 0.1 * b)
    jump = flat & (np.abs(b - a) > 0.3 * np.minimum(a, b))
    if not jump.any():
        return None
    i = int(np.argmax(jump))
    return float(a[i]), float(b[i]), i + size
