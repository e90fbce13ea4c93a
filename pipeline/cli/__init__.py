"""The command line `epiline`: one file per command; each calls one function of another room."""
