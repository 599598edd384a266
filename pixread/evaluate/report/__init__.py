"""The HTML report: charts, and the cases worth looking at."""
