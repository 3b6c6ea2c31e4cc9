"""Folders of results: what a worksheet writes, and what can be read of it."""
