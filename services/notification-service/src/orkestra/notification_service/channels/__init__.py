"""The ways out: each channel is one file."""
