"""`python -m chat_service`: bootstrap, then serve."""

from chat_service.app import create_app
from chat_service.bootstrap import bootstrap
from chat_service.settings import Settings
from cogniflow_kit.server import serve


def main() -> None:
    settings = Settings()
    bootstrap(settings)
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
