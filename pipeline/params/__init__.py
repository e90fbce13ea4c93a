"""The typed mirror of params.yaml, one file a stage: every key, its type and its range; no defaults in code.

`file` reads and checks the whole of params.yaml; the stage `settings` writes for each stage the part that applies to
it, and `settings` reads that part. So a stage depends on no more of params.yaml than it uses.
"""
