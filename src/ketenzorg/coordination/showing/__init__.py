"""What pages show of a referral and of a worklist."""
