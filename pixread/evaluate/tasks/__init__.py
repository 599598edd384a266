"""What can be evaluated: one file for each kind of shard set, and the registry of them all."""
