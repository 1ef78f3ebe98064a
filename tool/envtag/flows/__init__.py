"""What runs of flows ask for: environments of many steps at once, looked up or derived, and made."""
