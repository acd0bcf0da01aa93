"""Public names of friendly objects, for annotations: ``from radiogram import types``."""

from radiogram.client.flood import Blocked, Budget
from radiogram.client.objects.chat import Chat
from radiogram.client.objects.dialog import Dialog
from radiogram.client.objects.login import LoginCode, LoginSession, TwoStep, TwoStepReset
from radiogram.client.objects.message import Message
from radiogram.client.objects.participant import Participant
from radiogram.client.objects.user import User
from radiogram.client.qr import QrLogin

__all__ = [
    "Blocked",
    "Budget",
    "Chat",
    "Dialog",
    "LoginCode",
    "LoginSession",
    "Message",
    "Participant",
    "QrLogin",
    "TwoStep",
    "TwoStepReset",
    "User",
]
