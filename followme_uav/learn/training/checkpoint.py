"""Checkpoint of a training: plain HDF5 data, written atomically."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from followme_uav.errors import DataError
from followme_uav.files import write_hdf5

if TYPE_CHECKING:
    import h5py


def save(
    path: Path, variables: dict[str, Any], identity: str, epoch: int, best_score: float
) -> None:
    """Write all variables and the progress of the training.

    Args:
        path: File to write.
        variables: Keras variables by name.
        identity: Fingerprint of configuration and data.
        epoch: Epochs completed.
        best_score: Best validation score so far.

    Raises:
        OutputError: The file cannot be written.
    """

    def fill(file: h5py.File) -> None:
        file.attrs["identity"] = identity
        file.attrs["epoch"] = epoch
        file.attrs["best_score"] = best_score
        for name, variable in variables.items():
            file.create_dataset(name, data=variable.numpy())

    write_hdf5(path, fill)


def load(path: Path, variables: dict[str, Any], identity: str) -> tuple[int, float]:
    """Set the variables to the values of a checkpoint.

    Args:
        path: File written by `save`.
        variables: Keras variables by name; their values are replaced.
        identity: Fingerprint of configuration and data; must equal the checkpoint's.

    Returns:
        Epochs completed, and the best validation score so far.

    Raises:
        DataError: The file is damaged, or belongs to another training.
    """
    import h5py

    remedy = "train without --resume"
    try:
        with h5py.File(path, "r") as file:
            if file.attrs["identity"] != identity:
                raise DataError(
                    f"{path}: checkpoint of a training with other configuration, data, validation "
                    f"data or initial weights; use those, or {remedy}"
                )
            values = {
                name: np.asarray(file[name][()], dtype=variable.dtype)
                for name, variable in variables.items()
            }
            epoch, best = int(file.attrs["epoch"]), float(file.attrs["best_score"])
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        cause = " ".join(str(error).split())
        raise DataError(f"{path}: damaged checkpoint ({cause}); {remedy}") from error
    for name, variable in variables.items():
        if tuple(variable.shape) != values[name].shape:
            raise DataError(f"{path}: {name} has another shape; {remedy}")
    for name, variable in variables.items():
        variable.assign(values[name])
    return epoch, best
