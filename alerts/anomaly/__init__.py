"""What is unlike the series itself: baselines that are learned as readings come, and how rare a
reading is beside them. Pure: numpy alone.
"""
