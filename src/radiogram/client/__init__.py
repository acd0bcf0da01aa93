"""Layer 4, client: TelegramClient and what it is made of.

May import everything below it and never the server: both speak the protocol, and each has its own
idea of what the words mean, so that one can find the other's mistakes.
"""
