"""Layout detection with a learned network: picture -> dense maps -> regions."""
