"""Layer 5, docs: who lives in the furnished world, by name.

Imports nothing, so that a command can offer the names before it loads the world.
"""

PEOPLE = {
    "ada": ("9996620001", "Ada", "ada_at_sea"),
    "ben": ("9996620002", "Ben", "username"),
    "cleo": ("9996620003", "Cleo", "cleo_rides"),
}
"""Phone, first name and username of the people, by the name that examples call them."""
DORA = ("9996620004", "Dora", "dora_dives")
"""Somebody whom the others do not know, with a two-step verification password."""
BOT, BOT_TOKEN = "harbour_bot", "1000001:AAHarbourBotOfTheDemonstrationWorld"
ACTORS = (*PEOPLE, "dora", "bot", "nobody")
"""Who may act in an example; nobody is not logged in."""
