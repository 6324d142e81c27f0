"""`ketenzorg bench`: how fast, against the database's own limit."""
