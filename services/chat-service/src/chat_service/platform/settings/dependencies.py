"""Wires the settings feature."""

from typing import Annotated

from fastapi import Depends, Request, Response

from chat_service.platform.settings.encryption import SecretCipher
from chat_service.platform.settings.reader import SettingsReader
from chat_service.platform.settings.service import SettingsService
from chat_service.settings import Settings
from cogniflow_kit.identity import Admin
from cogniflow_kit.sql.database import Database


def secret_cipher(settings: Settings) -> SecretCipher:
    return SecretCipher(settings.settings_encryption_secret, settings.settings_encryption_previous)


def build_settings_reader(settings: Settings, database: Database) -> SettingsReader:
    return SettingsReader(database, secret_cipher(settings))


def build_settings_service(settings: Settings, database: Database, reader: SettingsReader) -> SettingsService:
    return SettingsService(database, secret_cipher(settings), reader)


async def get_settings_service(request: Request, response: Response, _: Admin) -> SettingsService:
    response.headers["Cache-Control"] = "no-store"
    service: SettingsService = request.app.state.settings_service
    return service


AdminSettings = Annotated[SettingsService, Depends(get_settings_service)]
