"""Names that NumPy, SciPy, six and Python 2 had, for whoever still asks for them."""
