"""Generated from orkestra/v1/json.proto by tools/generate.py; do not edit."""
