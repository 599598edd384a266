"""Where things are on a picture: lines of text, pictures, controls (`detector.py` has the contract)."""
