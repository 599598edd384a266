"""Predictions in, numbers out: means, intervals, breakdowns, calibration, paired comparisons."""
