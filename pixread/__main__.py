"""`python -m pixread` is `pixread`."""

from pixread.cli import run

if __name__ == "__main__":
    run()
