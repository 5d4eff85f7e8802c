"""The competitors by name, their schedules, and the bytes that they keep."""
