"""Before measuring: the best that a scan could tell, and how long it must be."""
