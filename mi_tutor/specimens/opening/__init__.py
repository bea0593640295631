"""Opening models and dictionaries: what is returned gives the original's numbers, or an error says why not.

From the ground up:

    shelf          which specimens are shipped, and where each lies
    files          is a directory a whole model?
    hub            a model of the Hugging Face hub as a local directory
    exact          is the opened model the one that was stored?
    words          from text to tokens without surprises
    checkpoints    weights from the middle of a training
    models         `open_specimen`
    dictionaries   `open_dictionary`
"""
