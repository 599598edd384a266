"""The network beside transformers and beside the roofline: encoding, decoding, training."""
