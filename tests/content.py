"""The pathways and the region of this repository: read and checked once for all tests of a process."""

from ketenzorg.pathway.content import Content
from ketenzorg.pathway.load import load
from ketenzorg.pathway.region import load_region
from ketenzorg.settings import Settings

PATHWAYS = Settings.from_environ({}).pathways
CATALOGUE = load(PATHWAYS)
REGION = load_region(PATHWAYS, "groningen", CATALOGUE)
CONTENT = Content(CATALOGUE, REGION)
