"""Storage: MongoDB collections, reads, the unit of work and its transactions."""
