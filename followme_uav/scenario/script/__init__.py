"""Scripted flights as data: events, faults, checks, and random draws of them."""
