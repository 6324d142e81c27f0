"""The pathways and the region of this repository: read and checked once for all tests of a process."""

from ketenzorg.pathway.content import read_content
from ketenzorg.settings import Settings

PATHWAYS = Settings.from_environ({}).pathways
CONTENT = read_content(PATHWAYS, "groningen")
CATALOGUE, REGION = CONTENT
