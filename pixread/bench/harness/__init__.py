"""What every bench stands on: measured commands and processes, the machine, figures and reports."""
