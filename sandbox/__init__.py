"""Throwaway engines and the demos that run in them."""
