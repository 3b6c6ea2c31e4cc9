"""Modules and names of the libraries of 2010 to 2017 that are gone, for the time of a run."""

from symae.legacy.shims.registry import Standins

__all__ = ["Standins"]
