"""What a process of Orkestra needs: database, request ids, events, tokens, health, draining."""
