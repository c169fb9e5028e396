"""Stores outside that keep the content of files."""
