"""Labelled frames: reading, pairing, collecting, and preparing raw recordings."""
