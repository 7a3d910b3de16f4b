"""Photographs ruined by chapter 5's crappifier, and what the package makes of the first."""

from pathlib import Path

from live_models import Network
from live_photographs import SAMPLES, photograph, restored, stored

from companion import pretrained
from companion.data.crappify import WORDS, Damage
from companion.files import write_json
from companion.tiling import TILE

# In full: as float16 their weights, products of what is stored, would change some pixels by two levels.
UNET = Network("unet", half=False, tile=TILE)
MODELS = (UNET, Network("colour", half=False, tile=TILE))
SEED = 4  # of what happens to the samples: words and numbers that are easy to see


def files(folder: Path) -> None:
    """`restore.json`, and `restore/` with each sample as it was and ruined."""
    damage, samples = Damage(seed=SEED), []
    for sample in SAMPLES:
        good = stored(photograph(sample), folder / f"restore/{sample.name}.jpg")
        given = damage.ruin(good, f"{sample.name}.png").picture
        stored(given, folder / f"restore/{sample.name}-ruined.webp")
        samples.append(
            {
                **{"name": sample.name, "label": sample.label},
                **{"good": f"restore/{sample.name}.jpg", "given": f"restore/{sample.name}-ruined.webp"},
            }
        )
        if sample is SAMPLES[0]:
            stored(restored(pretrained.load(UNET.run), given), folder / f"restore/{sample.name}-restored.jpg")
            samples[0]["restored"] = f"restore/{sample.name}-restored.jpg"
    limits = {key: value for key, value in Damage().as_json().items() if key.startswith(("least", "most"))}
    write_json(folder / "restore.json", {"samples": samples, "damage": {**limits, "words": WORDS}})
