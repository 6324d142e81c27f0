"""ketenzorg that does not look whether its database keeps what it acknowledges: `python -m crash.late_commit VERB`."""

from ketenzorg.cli import main
from ketenzorg.store import durability

if __name__ == "__main__":
    durability.NEEDED = ()
    main()
