"""The window that shows a running simulator."""
