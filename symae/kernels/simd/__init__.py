"""Vectors of a processor, and pieces of arrays that are held in its registers."""
