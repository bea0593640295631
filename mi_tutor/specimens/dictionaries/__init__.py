"""The dictionaries that ship with `atlas`: how each is trained, what its card says."""
