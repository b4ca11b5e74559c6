"""Scripted flights: routes of people, faults, and the metrics expected of the pilot."""
