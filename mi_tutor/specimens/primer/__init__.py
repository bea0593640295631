"""The specimen `primer`: its language, how it is made, what its card says."""
