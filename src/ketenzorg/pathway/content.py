"""What was agreed, and between whom: the pathways and the organisations of a region, read and checked together."""

from pathlib import Path
from typing import NamedTuple

from ketenzorg.pathway.load import load
from ketenzorg.pathway.loaded import Catalogue
from ketenzorg.pathway.region import Region, load_region


class Content(NamedTuple):
    """Nothing in it changes: whoever runs the service more than once in a process may read it once."""

    catalogue: Catalogue
    region: Region


def read_content(folder: Path, region: str, proven: Path | None = None) -> Content:
    """What this folder says; PathwayErrors with everything that is wrong in it. `proven`: see `load`."""
    catalogue = load(folder, proven)
    return Content(catalogue, load_region(folder, region, catalogue))
