"""Who performs a hand-over: candidates, open claims, sending on."""
