"""Dashboards as code, and what alerts and queries are held against."""
