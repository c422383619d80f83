"""Grafana's view of a city: dashboards as plain JSON, from small functions."""
