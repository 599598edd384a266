"""`python -m pixread` is `pixread`."""

from pixread.cli import main

if __name__ == "__main__":
    main()
