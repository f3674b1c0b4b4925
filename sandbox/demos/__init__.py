"""One module here is one demo: it exports DEMO."""
