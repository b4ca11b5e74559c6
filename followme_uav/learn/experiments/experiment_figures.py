"""Figure of an experiment: losses and scores against the setting that changed, with their range."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from followme_uav.files import write_figure

_LABELS = {
    "batch-size": "batch size (frames)",
    "epochs": "epochs",
    "steps-per-epoch": "steps per epoch",
    "learning-rate": "learning rate",
}
_LINEAR = ("epochs",)
# The colours of Okabe and Ito can be told apart with colour blindness.
_PANELS: tuple[tuple[str, bool, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "cross-entropy",
        True,
        (
            ("training_loss", "training, last epoch", "#0072b2"),
            ("validation_loss", "validation", "#d55e00"),
        ),
    ),
    (
        "hero on validation frames",
        False,
        (("hero_iou", "IoU", "#009e73"), ("score", "IoU x detection weight", "#cc79a7")),
    ),
)


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw losses on the left and scores on the right; a dot per run, a line through the means.

    Args:
        results: Content of `results.json`.
        path: PNG file to write.

    Raises:
        OutputError: The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    name, config = results["experiment"], results["config"]
    rows = results["values"]
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (title, logarithmic, curves) in zip(figure.subplots(1, 2), _PANELS, strict=True):
        for measure, label, colour in curves:
            measured = [row for row in rows if row[measure] is not None]
            x = [row["value"] for row in measured]
            limits = [[row[measure][key] for row in measured] for key in ("min", "max")]
            means = [row[measure]["mean"] for row in measured]
            axes.plot(x, means, color=colour, label=label)
            axes.fill_between(x, *limits, color=colour, alpha=0.2, linewidth=0)
            dots = [o for o in results["outcomes"] if o[measure] is not None]
            axes.scatter([o["value"] for o in dots], [o[measure] for o in dots], s=12, color=colour)
        if name not in _LINEAR:
            axes.set_xscale("log")
        axes.set_xticks([row["value"] for row in rows], [f"{row['value']:g}" for row in rows])
        axes.xaxis.minorticks_off()
        if logarithmic:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.set_xlabel(_LABELS[name])
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.legend()
    seeds = len({outcome["seed"] for outcome in results["outcomes"]})
    repeated = "one seed" if seeds == 1 else f"{seeds} seeds"
    figure.suptitle(f"{config['architecture']}: {_fixed(name, config)}; {repeated}")
    write_figure(path, figure, dpi=110)


def _fixed(name: str, config: dict[str, Any]) -> str:
    """The settings that stayed the same."""
    settings = {
        "learning-rate": f"learning rate {config['learning_rate']:g}",
        "batch-size": f"batch size {config['batch_size']}",
        "epochs": f"{config['epochs']} epochs",
        "steps-per-epoch": f"{config['steps_per_epoch']} steps per epoch",
    }
    return ", ".join(text for setting, text in settings.items() if setting != name)
