"""Operations of a FHIRPath Patch."""

from typing import Any


def operation(type_: str, path: str, /, *value: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """One operation; `value` is the part that holds it, without its name."""
    named = [{"name": "type", "valueCode": type_}, {"name": "path", "valueString": path}]
    for name, given in parts.items():
        named.append({"name": name, "valueInteger" if isinstance(given, int) else "valueString": given})
    named += [{"name": "value", **each} for each in value]
    return {"name": "operation", "part": named}
