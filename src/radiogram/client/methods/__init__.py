"""Layer 4, client: friendly methods, as plain functions that TelegramClient binds.

They keep no state and touch only the public attributes of the client.
"""
