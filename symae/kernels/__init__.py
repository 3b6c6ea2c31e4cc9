"""Machine-level pieces that several ops share; each is imported by the kernel methods of ops, because it needs its backend."""
