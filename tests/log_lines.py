"""What the log says meanwhile."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any


@contextmanager
def capture_logs() -> Iterator[list[dict[str, Any]]]:
    """The lines that were written, once the context has ended."""
    lines: list[dict[str, Any]] = []
    with redirect_stderr(io.StringIO()) as written:
        yield lines
    lines += [json.loads(line) for line in written.getvalue().splitlines()]
