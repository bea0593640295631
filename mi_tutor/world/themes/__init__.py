"""What the world says besides geography: one module per theme, all with the same three functions.

sentences(rng)  training text without end, labelled, without what is held out
cues()          prompts that test the theme's behaviour, taught and held-out ones
vocabulary()    every word of the theme, as `build_tokenizer` wants it
"""
