"""What the promises are proven with: the service, a worker that is driven by hand, and browsers."""

from delivery.conftest import clock, outbox, tools, worker
from pages.conftest import browser

__all__ = ["browser", "clock", "outbox", "tools", "worker"]  # fixtures that live elsewhere
