"""Discord: questions and demos where a community already talks, natively and within its limits."""
