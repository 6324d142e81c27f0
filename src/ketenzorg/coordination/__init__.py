"""The use cases, as short stories that join the parts: the place to start reading.

receiving: a referral comes in (`referring`). choosing: who performs it. steps: a party says what happened (`stepping`).
consent: whether it may be shared. person: what is so of somebody in every traject. reading: a party reads and searches
(`looking`). hearing: who is told. showing: what a page shows of it. world: what they all need from outside.
"""
