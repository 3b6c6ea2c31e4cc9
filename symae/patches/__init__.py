"""Replacements of PyTensor's conversions, one file for a backend and a purpose.

Each says what PyTensor does instead, and connects itself when PyTensor loads the backend.
"""
