"""The whole of Radiogram: its client against its server, over TCP, as a user has them."""
