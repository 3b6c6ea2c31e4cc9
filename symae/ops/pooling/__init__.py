"""Pooling, what it leaves out, and unpooling."""
