"""The window that shows a flight while it goes on."""
