"""Readers of footage, one file each: every source ends as the same manifest (`pipeline.capture`)."""
