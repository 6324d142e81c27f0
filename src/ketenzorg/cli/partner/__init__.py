"""`ketenzorg partner`: somebody else's system, to try a sandbox with."""
