"""FHIRPath for the invariants of profiles, through fhirpathpy (MIT); only in `$validate`.

https://hl7.org/fhirpath/N1, https://hl7.org/fhir/R4/fhirpath.html. It is loaded when it is needed: a start does not
wait for it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from ketenzorg.fhir.definitions import Codes, is_coded

LONGEST = 4000  # characters of an expression
CodesOf = Callable[[str], Codes | None]


class CannotTell(Exception):
    """An expression that could not be worked out: a function that there is not, or a value of another type."""


class Expressions:
    """Expressions, each compiled once. `codes` gives those of a value set."""

    def __init__(self, codes: CodesOf) -> None:
        from fhirpathpy import compile as compile_  # noqa: PLC0415 - takes a fifth of a second
        from fhirpathpy.engine.nodes import ResourceNode  # noqa: PLC0415
        from fhirpathpy.models import models  # noqa: PLC0415

        self._codes = codes
        self._node_of: Any = ResourceNode.create_node
        options = {
            "traceFn": _say_nothing,
            "userInvocationTable": {
                "hasValue": {"fn": _has_value, "arity": {0: []}},
                "memberOf": {"fn": self._member_of, "arity": {1: ["String"]}},
            },
        }
        self._compile: Any = partial(compile_, model=models["r4"], options=options)
        self._compiled: dict[str, Any] = {}

    def holds(self, expression: str, value: Any, path: str, resource: Any, beside: Any = None) -> bool:
        """Whether an expression is true of a value at `path` (as in the definition), or of this type.

        Raises CannotTell. `resource` is what %resource and %rootResource are, `beside` what came beside a primitive.
        """
        variables = {"resource": resource, "rootResource": resource}
        try:
            found = self._run(expression)(self._node_of(value, path, beside), variables)
        except Exception as error:  # the library raises plain ones
            raise CannotTell(type(error).__name__) from error
        return bool(found == [True])

    def _run(self, expression: str) -> Any:
        if expression not in self._compiled:
            if len(expression) > LONGEST:
                raise CannotTell("too long")
            self._compiled[expression] = self._compile(expression)
        return self._compiled[expression]

    def _member_of(self, found: list[Any], value_set: str) -> list[bool]:
        codes = self._codes(value_set)
        if codes is None:
            raise CannotTell(value_set)
        return [is_coded(each, codes) for each in found[:1]]


def _say_nothing(*_: Any) -> None:
    """What trace() would print may be anybody's."""


def _has_value(found: list[Any]) -> bool:
    """One primitive, that is not only an extension."""
    return len(found) == 1 and not isinstance(found[0], dict)
