"""Measurements, printed as Markdown tables."""
