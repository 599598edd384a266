"""Pix2Struct: configuration and network, variable-resolution patches, preprocessing."""
