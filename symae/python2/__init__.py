"""Sources of Python 2: read, distinguished from those of Python 3, converted."""
