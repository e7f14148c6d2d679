"""What a scanned axis is called, and whether it is the 2-theta of a powder scan."""

from __future__ import annotations

import re
from os import PathLike

from mixrd.errors import ScanError

_POWDER = {
    "gonio",
    "2thetatheta",
    "theta2theta",
    "2theta",
    "coupled",
    "lockedcoupled",
    "unlockedcoupled",
    "coupled2thetatheta",
    "locked",
    "psdfastscan",
}
_FILM = {"2thetaomega", "omega2theta", "coupled2thetaomega", "2thetaomegascan"}
_DETECTOR = {"detectorscan", "detector", "detscan", "2thetascan"}
_OTHER = {
    "phi": "a pole figure or a turn of the sample, not a powder scan",
    "chi": "a pole figure or a tilt of the sample, not a powder scan",
    "khi": "a pole figure or a tilt of the sample, not a powder scan",
    "psi": "a tilt of the sample for residual stress, not a powder scan",
    "omega": "a rocking curve, not a powder scan",
    "theta": "a rocking curve or half the diffraction angle, not a powder scan in 2-theta",
    "thd": "a scan of the detector arm alone",
    "rockingcurve": "a rocking curve, not a powder scan",
    "phiscan": "a pole figure or a turn of the sample, not a powder scan",
    "chiscan": "a pole figure or a tilt of the sample, not a powder scan",
    "x": "a shift of the sample, not a powder scan",
    "y": "a shift of the sample, not a powder scan",
    "z": "a height scan of the sample, not a powder scan",
    "zs": "a height scan of the sample, not a powder scan",
    "reciprocalspace": "a reciprocal-space map, not a powder scan",
}


def axis_key(axis: str) -> str:
    """Spelling-free key of an axis name: "2-Theta/Omega" and "TwoThetaOmega" are both "2thetaomega"."""
    text = axis.lower().replace("θ", "theta").replace("ω", "omega").replace("φ", "phi").replace("χ", "chi")
    return re.sub(r"[^a-z0-9]", "", text).replace("two", "2")


def judge_axis(
    axis: str | None, *, file: str | PathLike[str], detector_only: bool = False
) -> tuple[tuple[str, str], ...]:
    """Doubts about a scanned axis.

    Parameters
    ----------
    axis : str or None
        As the header names it; None (the header says nothing) raises no doubt.
    file : path
        For the message.
    detector_only : bool
        True where the format's plain "2Theta" means that the detector moved and the tube stood still
        (XRDML, Rigaku); False where it is only the name of the angle.

    Returns
    -------
    tuple of (code, message)

    Raises
    ------
    ScanError
        If the axis is known not to be a diffraction angle: phi, chi, omega, a height ...
    """
    key = axis_key(axis or "")
    if not key:
        return ()
    if key in _OTHER:
        raise ScanError(
            f"the scanned axis is {axis}: {_OTHER[key]}",
            remedy="Choose a file with a coupled theta/2-theta scan.",
            file=file,
        )
    if key in _FILM:
        return (
            (
                "NOT_POWDER_GEOMETRY",
                f"the scanned axis is {axis}, which is used for films and single crystals: the angles are "
                "2-theta, but the grains need not be a powder average",
            ),
        )
    if key in _DETECTOR or (key == "2theta" and detector_only):
        return (
            (
                "FIXED_INCIDENCE",
                f"the scanned axis is {axis}: the detector moved and the tube stood still, so intensities do "
                "not follow the theta/2-theta geometry",
            ),
        )
    if key in _POWDER:
        return ()
    return (("AXIS_UNKNOWN", f"the scanned axis is called {axis!r}, which was taken for 2-theta"),)
