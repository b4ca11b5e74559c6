"""Labelled frames: reading, pairing, collection, and preparation of raw recordings."""
