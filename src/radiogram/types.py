"""Public names of friendly objects, for annotations: ``from radiogram import types``."""

from radiogram.client.objects.chat import Chat
from radiogram.client.objects.dialog import Dialog
from radiogram.client.objects.message import Message
from radiogram.client.objects.participant import Participant
from radiogram.client.objects.user import User

__all__ = ["Chat", "Dialog", "Message", "Participant", "User"]
