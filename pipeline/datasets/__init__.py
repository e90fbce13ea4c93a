"""Readers of footage, one module each, listed in `registry`: every source ends as the same manifest (`capture`).

`rendered` has the single images that the stage `pretrain` learns from.
"""
