"""What users hold: whole pages read line by line, and checkpoints that read a picture in one pass."""
