"""2D poses in HDF5 files, which need the optional package h5py."""
