"""What a party reads and searches, each cut to its role; letters, and the log of who looked."""
