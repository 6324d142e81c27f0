"""Finds every mistake in a pathway file, with its place."""
