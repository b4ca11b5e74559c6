"""Makes the maps of docs/worlds.md: two seeds of every world side by side.

python tools/world_maps.py
"""

from pathlib import Path

from PIL import Image

from followme_uav.files import write_image
from followme_uav.sim.city.grid_world import WORLDS
from followme_uav.worlds.draw import draw_world

DOCS = Path(__file__).resolve().parents[1] / "docs"
SEEDS = (1, 2)
COLOURS = 224
"""Enough for all signs of the legend; more make the files larger."""


def main() -> None:
    for name, generator in WORLDS.items():
        maps = [draw_world(generator.world(seed), 560) for seed in SEEDS]
        size = (sum(m.width for m in maps), max(m.height for m in maps))
        sheet = Image.new("RGB", size, "white")
        sheet.paste(maps[0], (0, 0))
        sheet.paste(maps[1], (maps[0].width, 0))
        plain = sheet.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        write_image(DOCS / f"world-{name}.png", plain, optimize=True)


if __name__ == "__main__":
    main()
