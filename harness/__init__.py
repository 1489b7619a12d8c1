"""Seedscape: the face for plugin authors and the Python API."""
