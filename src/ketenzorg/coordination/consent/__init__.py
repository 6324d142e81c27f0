"""Under which consent anything is shared, and what a patient objects to."""
