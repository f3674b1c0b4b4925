"""One module here is one platform."""
