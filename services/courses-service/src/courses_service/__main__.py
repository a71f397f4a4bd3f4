"""`python -m courses_service`: bootstrap, then serve."""

from cogniflow_kit.server import serve
from courses_service.app import create_app
from courses_service.bootstrap import bootstrap
from courses_service.settings import Settings


def main() -> None:
    settings = Settings()
    bootstrap(settings)
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
