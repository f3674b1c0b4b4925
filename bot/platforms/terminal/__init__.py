"""The terminal: a screen that is redrawn in place, plain lines where standard output is no terminal, and a chat."""
