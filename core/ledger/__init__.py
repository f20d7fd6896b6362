"""Tamper-evident log: canonical JSON, hash chain, Merkle tree, signed checkpoints; pure, without storage."""
