"""Pictures of single lines -> their text (`recogniser.py` has the contract)."""
