"""Turns the shop's order export into the daily report."""
