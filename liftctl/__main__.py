"""`python -m liftctl`."""

from liftctl.cli import main

if __name__ == "__main__":
    main()
