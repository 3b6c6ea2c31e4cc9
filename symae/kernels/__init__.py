"""Machine-level pieces that several ops share; each module needs its backend installed and is imported by an op's kernel method."""
