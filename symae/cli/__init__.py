"""The command `symae`."""
