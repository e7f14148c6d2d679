"""The file of whatever was trained: tensors and a JSON header in one safetensors file, no pickle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mixrd.errors import InputError, ModelError
from mixrd.files import whole_file

#: Version of the files, in their header.
FORMAT_VERSION = 1


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    Attributes
    ----------
    key : str
        Of the header in the file's metadata.
    what : str
        In words.
    made_by : str
        Command that writes it.
    """

    key: str
    what: str
    made_by: str

    def write(
        self, path: str | Path, header: dict[str, Any], tensors: Mapping[str, Tensor], *, half: bool = False
    ) -> None:
        """Write a file, aside and then in place; with `half`, floating point numbers in half precision.

        Raises
        ------
        ModelError
            If it cannot be written.
        """
        kept = {
            key: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous()
            for key, value in tensors.items()
        }
        try:
            with whole_file(path) as part:
                save_file(kept, part, metadata={self.key: json.dumps({"format": FORMAT_VERSION, **header})})
        except (OSError, SafetensorError) as error:
            said = getattr(error, "strerror", None) or error
            raise ModelError(
                f"the {self.what} cannot be written ({said})", remedy="Check folder, rights and space",
                file=path,
            ) from None  # fmt: skip

    def read(self, path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Header and tensors.

        Raises
        ------
        ModelError
            If there is no such file, it is damaged or another kind, or of another format version.
        """
        made_by = f"Give a file that `{self.made_by}` wrote"
        try:
            metadata, tensors = read_tensors(path)
            for other in (MODEL, ESTIMATOR):
                if self.key not in metadata and other.key in metadata:
                    raise ModelError(
                        f"it is a file of `{other.made_by}`, no {self.what}", remedy=made_by, file=path
                    )
            header = json.loads(metadata[self.key])
        except FileNotFoundError:
            raise ModelError("no such file", remedy=f"Check the path of the {self.what}", file=path) from None
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise ModelError(
                f"it is not a readable {self.what} ({type(error).__name__})",
                remedy=made_by,
                file=path,
            ) from None
        if not isinstance(header, dict) or header.get("format") != FORMAT_VERSION:
            found = header.get("format") if isinstance(header, dict) else None
            raise self._unfit(f"it has format version {found}, this mixrd reads {FORMAT_VERSION}", path)
        return header, tensors

    @contextmanager
    def fitting_together(self, path: Path) -> Iterator[None]:
        """Turn what goes wrong while the content is put together into a ModelError."""
        try:
            yield
        except ModelError:
            raise
        except (
            AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError, InputError,
        ) as error:  # fmt: skip
            text = f"its content does not fit together ({str(error).splitlines()[0]})"
            raise self._unfit(text, path) from None

    def _unfit(self, text: str, path: Path) -> ModelError:
        return ModelError(text, remedy=f"Train it again with `{self.made_by}`", file=path)


MODEL = FileKind("mixrd", "mixrd model", "mixrd train")
ESTIMATOR = FileKind("mixrd-fractions", "estimator of fractions", "mixrd paper run")


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a safetensors file."""
    with safe_open(path, framework="pt") as file:
        return file.metadata() or {}, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
