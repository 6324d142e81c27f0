"""What is so of a person and not of one traject: death, moving away, another general practice.

It is said in one traject and holds in all that run for the same person in the region.
"""
