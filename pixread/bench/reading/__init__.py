"""Whole pages read beside other programs: words, time and structure, in many conditions."""
