"""A referral comes in."""
