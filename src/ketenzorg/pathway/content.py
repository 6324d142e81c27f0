"""What was agreed, and between whom: the pathways and the organisations of a region, read and checked together."""

from typing import NamedTuple

from ketenzorg.pathway.load import load
from ketenzorg.pathway.loaded import Catalogue
from ketenzorg.pathway.region import Region, load_region
from ketenzorg.settings import Settings


class Content(NamedTuple):
    """Nothing in it changes: whoever runs the service more than once in a process may read it once."""

    catalogue: Catalogue
    region: Region


def content_of(settings: Settings) -> Content:
    """The content of this installation; PathwayErrors with everything that is wrong in it."""
    catalogue = load(settings.pathways, settings.data_dir / "pathways.proven")
    return Content(catalogue, load_region(settings.pathways, settings.region, catalogue))
