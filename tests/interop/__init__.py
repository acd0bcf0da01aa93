"""Other people's clients against ``radiogram serve``: the referee of the server."""
