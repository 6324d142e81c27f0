"""Issues as an OperationOutcome: https://hl7.org/fhir/R4/operationoutcome.html.

details.coding is the code of our catalogue, details.text Dutch, diagnostics English, expression the place; of a
parameter of the request, location.
"""

from collections.abc import Sequence
from typing import cast, get_args

from ketenzorg.errors import Issue
from ketenzorg.fhir import r4
from ketenzorg.fhir.catalogue import SYSTEM, kind_of
from ketenzorg.fhir.decode import encode

_CODES = frozenset(get_args(r4.IssueType))
_SEVERITIES = frozenset(get_args(r4.IssueSeverity))


def operation_outcome(issues: Sequence[Issue], default_code: str, status: int = 200) -> bytes:
    """The JSON of an OperationOutcome with these issues, in an answer with this status."""
    return encode(r4.OperationOutcome(issue=[_issue(issue, default_code, status) for issue in issues]))


def _issue(issue: Issue, default_code: str, status: int) -> r4.OperationOutcome_Issue:
    code = issue.code or default_code
    if code not in _CODES or issue.severity not in _SEVERITIES:
        raise ValueError(f"not an issue type or severity of R4: {code}, {issue.severity}")
    return r4.OperationOutcome_Issue(
        severity=cast(r4.IssueSeverity, issue.severity),
        code=cast(r4.IssueType, code),
        details=r4.CodeableConcept(
            coding=[r4.Coding(system=SYSTEM, code=kind_of(issue, code, status))], text=issue.nl
        ),
        diagnostics=issue.en,
        expression=[place for place in issue.expression if _in_resource(place)],
        location=[f"http.{place}" for place in issue.expression if not _in_resource(place)],
    )


def _in_resource(place: str) -> bool:
    """FHIRPath begins with a type; of a parameter the name stands in `location`, as R4 has it for HTTP."""
    return place[:1].isupper()
