"""Scripted flights: who walks where, what goes wrong when, and what is expected of the pilot."""
