"""The touchscreen: one page on the room's own screen, served to its own browser and to nobody else."""

from web.room.app import create_app
from web.room.server import PortTaken, Server, serve
from web.room.settings import RoomWebSettings

__all__ = ["PortTaken", "RoomWebSettings", "Server", "create_app", "serve"]
