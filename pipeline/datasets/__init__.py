"""Readers of footage, one module each, listed in `registry`: every reader writes the same manifest (`capture`).

`rendered` makes the single images that the stage `pretrain` trains on.
"""
