"""Sources of Python 2: read, told from those of Python 3, converted."""
