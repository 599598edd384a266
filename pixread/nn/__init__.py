"""Network blocks that know no model family: attention, caches, linear layers, initialisation."""
