"""The command line as `python -m followme_uav`."""

from followme_uav.cli import main

if __name__ == "__main__":
    main()
