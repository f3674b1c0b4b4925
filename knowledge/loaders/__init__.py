"""One module is one format: `SUFFIXES`, and `load(path)` yielding its documents."""
