"""Whether every figure's stated uncertainty holds, and whether anything is wrong without a word: see docs/trust.md."""
