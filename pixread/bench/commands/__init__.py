"""Whole commands, run as a user runs them and watched from outside."""
