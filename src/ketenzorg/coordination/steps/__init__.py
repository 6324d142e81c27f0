"""What parties say of a hand-over, and everything that follows from it."""
