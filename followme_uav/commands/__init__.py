"""The commands of the command line; slow imports are inside of the functions."""
