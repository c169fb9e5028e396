"""Writes the pages of docs/ that the code can tell itself: settings, errors, REST, MCP, SDK, command line."""
