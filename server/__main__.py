"""`landfall`, and `python -m server` where it is not on PATH."""

from server import interrupts


def main() -> None:
    interrupts.at_once()
    from server.cli import app

    app()


if __name__ == "__main__":
    main()
