"""The commands of the command line, one module for each kind of work; heavy imports wait inside."""
