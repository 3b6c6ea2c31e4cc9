"""Figures of real Theano, and of other programs that can no longer be asked: what they computed, and how they were asked.

``make_*.py`` asked them, with the cases of ``*_cases.py``, which symae is asked for too; `figures` reads what they answered and
compares. All of it runs on Python 3.8, where real Theano does.
"""
