"""`ketenzorg` without the rules (without_rules.py) and without the line (without_line.py)."""

from tests.benchmarks import without_line, without_rules

from ketenzorg.cli import main

__all__ = ["without_line", "without_rules"]  # what they replace, they replace when they are imported

if __name__ == "__main__":
    main()
