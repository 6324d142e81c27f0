"""One thing that a sender must know, and how it says where that comes from."""

from ketenzorg.errors import Issue
from ketenzorg.pathway.definition import Source

Notice = Issue
STATUS_NL = {
    "national": "landelijk",
    "own region": "eigen regio",
    "other region": "andere regio",
    "general knowledge": "algemene kennis",
    "proposal": "voorstel",
}


def told(nl: str, en: str, *expression: str) -> Notice:
    """What holds nothing back."""
    return Issue(nl=nl, en=en, expression=expression, code="informational", severity="information")


def cite(source: Source) -> str:
    """Where a rule comes from, and how firm that is."""
    return f"{source.key}, {source.status}" if source.key else source.status


def cite_nl(source: Source) -> str:
    """The same in Dutch."""
    return f"{STATUS_NL[source.status]}, {source.key}" if source.key else STATUS_NL[source.status]


def answer_path(element: str) -> str:
    """Where the answer to a question of the pathway is given."""
    return f"QuestionnaireResponse.item.where(linkId='{element}')"
