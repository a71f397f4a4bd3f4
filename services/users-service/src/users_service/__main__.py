"""`python -m users_service`: bootstrap, then serve."""

from cogniflow_kit.server import serve
from users_service.app import create_app
from users_service.bootstrap import bootstrap
from users_service.settings import Settings


def main() -> None:
    settings = Settings()
    bootstrap(settings)
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
