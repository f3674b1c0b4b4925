"""The tutor and its platforms."""
