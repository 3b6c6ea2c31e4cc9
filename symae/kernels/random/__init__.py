"""Machine code of random numbers."""
