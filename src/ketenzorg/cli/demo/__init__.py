"""`ketenzorg demo`: a region in miniature."""
