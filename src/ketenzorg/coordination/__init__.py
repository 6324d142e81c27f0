"""The use cases, as short stories that join the parts: the place to start reading.

referring: a referral comes in. stepping: a party says what happened. looking: a party reads. world: what they need.
"""
