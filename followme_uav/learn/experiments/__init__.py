"""Series of trainings that differ in one setting, and their figures."""
