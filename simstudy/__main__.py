"""``python -m simstudy``: the command line."""

from simstudy.cli import main

if __name__ == "__main__":
    main()
