"""3D joints from the 2D joints of several views: methods, kernels, left-right repair, bone lengths, smoothing."""
