"""What can be typed, a file per group; a new group is named in `ketenzorg.cli`."""
