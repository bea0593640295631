"""Training specimens: a kill costs a minute, never the run.

    forward       the forward pass of a GPT-2 from its weights, quicker than the general one
    settings      settings, loss, schedule, optimizer
    fingerprint   what has to be the same for a run to go on
    state         the state of a run on disk
    run           the loop
    train         all of that in one call
    finishing     files, measurements and card of a finished specimen: all of it, or nothing

Importing a module of this room imports torch.
"""
