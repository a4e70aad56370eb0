"""``python -m statetrace``."""

from statetrace.cli import main

if __name__ == "__main__":
    main()
