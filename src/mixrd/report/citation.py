"""How mixrd is cited; a test holds it against CITATION.cff."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A work to cite: text, and the link that identifies it (or none)."""

    text: str
    link: str = ""


PAPER = Reference(
    "Höfer, H. H., Orth, A., Schweidler, S., Breitung, B., Aghassi-Hagmann, J. & Reischl, M. (2024). "
    "Quantitative Convolutional Neural Network Based Multi-Phase XRD Pattern Analysis. Current Directions in "
    "Biomedical Engineering.",
    "https://doi.org/10.1515/cdbme-2024-2075",
)


def citation(version: str) -> tuple[Reference, Reference]:
    """The program in this version, and the paper whose method it started from."""
    return Reference(f"mixrd contributors. mixrd, version {version} [computer software]."), PAPER
