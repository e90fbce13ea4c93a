"""The typed mirror of params.yaml, one file a stage: every key, its type and its range; no defaults in code.

`file` reads and checks all of params.yaml. The stage `settings` writes for each stage the part that applies to it, and
the module `settings` reads this part. So a stage depends only on the keys that it uses.
"""
