"""Servers that exist, each as a child process on the loopback with its files in one folder."""
