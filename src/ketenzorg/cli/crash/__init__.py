"""`ketenzorg crash`: kill, pause and cut, and see that nothing is lost."""
