"""Files of other programs: one module per format, with its reader and its writer.

`calibration` is the interface to all formats of calibrations: it finds, reads, checks and writes them.
"""
