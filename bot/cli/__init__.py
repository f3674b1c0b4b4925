"""The `portside` command, one module for each group of subcommands."""
