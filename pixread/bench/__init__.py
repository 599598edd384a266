"""Bench: the commands of pixread, run as a user runs them, measured from outside.

Time, throughput and the memory of the whole process tree come out as a Report: a table, and JSON with the machine and
the versions. Nothing in here imports the rooms it measures.
"""

from pixread.bench.report import Report
from pixread.bench.run import NAMES, run

__all__ = ["NAMES", "Report", "run"]
