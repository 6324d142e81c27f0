"""Looking for a number in files, in every form in which bytes may hold it."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path


def forms_of(number: str) -> dict[str, bytes]:
    """What a personal number looks like: name of the form -> its bytes."""
    digits = number.encode()
    forms = {
        "digits": digits,
        "UTF-16": number.encode("utf-16-le"),
        "UTF-16 BE": number.encode("utf-16-be"),
        "hex": digits.hex().encode(),
        "percent": "".join(f"%{digit:02x}" for digit in digits).encode(),
        "entities": "".join(f"&#{digit};" for digit in digits).encode(),
        "reversed": digits[::-1],
    }
    for groups in ((4, 2, 3), (3, 3, 3), (4, 5)):
        for between in (".", " ", "-", "\u00a0"):
            forms[f"{groups} {between!r}"] = between.join(_grouped(number, groups)).encode()
    for lead in range(3):  # base64 of a text in which the number begins at any place
        whole = b64encode(bytes(lead) + digits + bytes(3))
        first, last = -(-lead * 8 // 6), (lead + len(digits)) * 8 // 6
        forms[f"base64 {lead}"] = whole[first:last]
    return forms


def hunt(folder: Path, numbers: Iterable[str]) -> list[str]:
    """Where below a folder a number stands, also in a name, and in which form."""
    wanted = {(number, name): form for number in numbers for name, form in forms_of(number).items()}
    return [
        f"{path.relative_to(folder)}: {number} as {name}"
        for path, content in _contents(folder)
        for (number, name), form in wanted.items()
        if form in content
    ]


def _contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        yield path, path.name.encode() + (b"\0" + path.read_bytes() if path.is_file() else b"")


def _grouped(number: str, groups: tuple[int, ...]) -> Iterator[str]:
    at = 0
    for length in groups:
        yield number[at : at + length]
        at += length
